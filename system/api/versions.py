"""API versions: one object a version holds everything in which versions differ."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.urls import register_converter
from django.utils.module_loading import import_string
from rest_framework.authentication import BaseAuthentication
from rest_framework.parsers import BaseParser
from rest_framework.renderers import BaseRenderer

from system.errors import ApplicationError
from system.naming import SNAKE, Naming

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
        page: what an ETag of a list covers of one of its pages.
        naming: how names are spelled in bodies, queries and documents.
        authentication: dotted names of the classes.
        security: the OpenAPI security requirement of calls that need a user; each entry is one way.
        settled_status: of the accepted work that version 1 answers with 200.
        success_schema: JSON Schema of a success body around the schema of its data (None: no data).
        page_schema: JSON Schema of the body of a page around the schema of an item and those of its parts by name.
        failure_schema: JSON Schema of an error body.
    """

    name: str
    renderer: type[BaseRenderer]
    parser: type[BaseParser]
    success: Callable[["Success", int], Any]
    failure: Callable[[ApplicationError], Any]
    page: Callable[["Page"], Any]
    naming: Naming = SNAKE
    authentication: tuple[str, ...]
    security: tuple[Mapping[str, Sequence[str]], ...]
    settled_status: int = 200
    success_schema: Callable[[JsonSchema | None], JsonSchema]
    page_schema: Callable[[JsonSchema, JsonSchema], JsonSchema]
    failure_schema: JsonSchema

    def authenticators(self) -> list[BaseAuthentication]:
        """The version's authentication, ready to ask; it keeps nothing of a request."""
        return [_authenticator(name) for name in self.authentication]


class VersionConverter:
    """The `version` part of an address: one of API_VERSIONS, so that any other is an unknown address."""

    regex = "v[1-9][0-9]?"

    def to_python(self, value: str) -> str:
        """The version's name.

        Raises:
            ValueError: there is no such version.
        """
        if value not in settings.API_VERSIONS:
            raise ValueError(value)
        return value

    def to_url(self, value: str) -> str:
        return value


register_converter(VersionConverter, "version")


def version_named(name: str) -> ApiVersion:
    """The version that API_VERSIONS has under this name.

    Raises:
        KeyError: there is none.
    """
    return _imported(settings.API_VERSIONS[name])


@cache
def _authenticator(dotted: str) -> BaseAuthentication:
    authenticator: BaseAuthentication = import_string(dotted)()
    return authenticator


@cache
def _imported(dotted: str) -> ApiVersion:
    version: ApiVersion = import_string(dotted)
    return version


def version_of_path(path: str) -> ApiVersion:
    """The version whose shape an answer to this path has; the oldest one when the path names none."""
    parts = path.split("/", 3)
    named = parts[2] if len(parts) > 2 else ""
    return version_named(named if named in settings.API_VERSIONS else oldest_version())


def oldest_version() -> str:
    """The name of the version that addresses without one get their shape from."""
    return next(iter(settings.API_VERSIONS))
