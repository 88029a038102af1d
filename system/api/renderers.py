"""JSON out: orjson, money as numbers, times as UTC with `Z` and whole seconds, ready-made JSON passed through."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import orjson
from django.utils.functional import Promise
from rest_framework.renderers import BaseRenderer

from system.errors import ApplicationError, ErrorCode
from system.naming import Naming

if TYPE_CHECKING:
    from rest_framework.response import Response

    from system.api.versions import ApiVersion

OPTIONS = orjson.OPT_UTC_Z | orjson.OPT_NAIVE_UTC | orjson.OPT_OMIT_MICROSECONDS
BODILESS = frozenset({204, 304})


@dataclass(frozen=True, slots=True)
class Success:
    """What a view answers, before a version gives it its shape."""

    data: Any
    message: str | Promise | None = None


def explained(error: ApplicationError, naming: Naming) -> str:
    """The message of an error for people; that of invalid input names the fields, as the caller spells them."""
    message = str(error.message)
    if error.code is not ErrorCode.INVALID_PARAMETER or not isinstance(error.details, dict):
        return message
    named = [naming.spelled(name) for name, reason in error.details.items() if isinstance(reason, list | dict)]
    return f"{message}: {', '.join(named)}" if named and message == str(error.code.message) else message


def dumps(value: Any) -> bytes:
    """JSON bytes. Beside orjson's own types: Decimal as a number, lazy translations, sets as sorted lists.

    Raises:
        orjson.JSONEncodeError: a type that has no JSON form.
    """
    return orjson.dumps(value, default=_default, option=OPTIONS)


def _default(value: Any) -> Any:
    if isinstance(value, Decimal) and value.is_finite():
        return orjson.Fragment(format(value, "f"))
    if isinstance(value, Promise):
        return str(value)
    if isinstance(value, set | frozenset):
        return sorted(value)
    raise TypeError(f"{type(value).__name__} has no JSON form")


class EnvelopeRenderer(BaseRenderer):
    """Puts data or an error into the envelope of the view's API version."""

    media_type = "application/json"
    format = "json"
    charset = None
    render_style = "binary"

    def render(
        self,
        data: Any,
        accepted_media_type: str | None = None,  # noqa: ARG002 (the framework's signature)
        renderer_context: Mapping[str, Any] | None = None,
    ) -> bytes:
        """The body; empty for 204 and 304, where any byte would hang a keep-alive connection."""
        context = renderer_context or {}
        response: Response = context["response"]
        if response.status_code in BODILESS:
            return b""
        version: ApiVersion = context["view"].api
        if isinstance(data, ApplicationError):
            return dumps(version.failure(data))
        success = data if isinstance(data, Success) else Success(data)
        return dumps(version.success(success, response.status_code))
