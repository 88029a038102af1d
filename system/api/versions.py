"""API versions: one object a version holds everything in which versions differ."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.urls import register_converter
from django.utils.module_loading import import_string
from rest_framework.authentication import BaseAuthentication
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer

from system.api.naming import SNAKE, Naming
from system.errors import ApplicationError

if TYPE_CHECKING:
    from system.api.pagination import Page
    from system.api.renderers import Success

JsonSchema = dict[str, Any]


@dataclass(frozen=True, kw_only=True, slots=True)
class ApiVersion:
    """The shape of one API version.

    Attributes:
        name: the part of the URL, such as "v1".
        renderer: turns what a view answers into bytes.
        parser: reads request bodies.
        success: body of a success, from (Success, status).
        failure: body of an error.
        page: body of one page of a list.
        naming: how names are spelled in bodies, queries and documents.
        authentication: dotted names of the classes; None means those of the settings.
        accepted_status: of accepted asynchronous work.
        success_schema: JSON Schema of a success body around the schema of its data (None: no data).
        failure_schema: JSON Schema of an error body.
        page_schema: JSON Schema of a page around the schema of an item.
    """

    name: str
    renderer: type[BaseRenderer]
    parser: type[BaseParser]
    success: Callable[["Success", int], Any]
    failure: Callable[[ApplicationError], Any]
    page: Callable[["Page"], Any]
    success_schema: Callable[[JsonSchema | None], JsonSchema]
    failure_schema: JsonSchema
    page_schema: Callable[[JsonSchema], JsonSchema]
    naming: Naming = SNAKE
    authentication: tuple[str, ...] | None = None
    accepted_status: int = 200

    def authenticators(self) -> list[BaseAuthentication] | None:
        """The version's own authentication, ready to ask; None for that of the settings."""
        return None if self.authentication is None else [import_string(name)() for name in self.authentication]


class VersionConverter:
    """The `version` part of an address: one of API_VERSIONS, so that any other is an unknown address."""

    regex = "|".join(settings.API_VERSIONS)

    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: str) -> str:
        return value


register_converter(VersionConverter, "version")


@cache
def version_named(name: str) -> ApiVersion:
    """The version `system/api/<name>.py` defines as VERSION.

    Raises:
        KeyError: not one of API_VERSIONS.
    """
    if name not in settings.API_VERSIONS:
        raise KeyError(name)
    version: ApiVersion = import_string(f"system.api.{name}.VERSION")
    return version


def version_of_path(path: str) -> ApiVersion:
    """The version whose shape an answer to this path has; the oldest one when the path names none."""
    parts = path.split("/", 3)
    named = parts[2] if len(parts) > 2 else ""
    return version_named(named if named in settings.API_VERSIONS else settings.API_VERSIONS[0])
