"""Version 2 (seed 001): {"success", "data", "message", "timestamp", "requestId"}, camelCase, token and key together."""

from datetime import UTC, datetime
from typing import Any

from django.utils.translation import gettext_lazy as _

from system.api.pagination import Page
from system.api.parsers import StrictJSONParser
from system.api.renderers import EnvelopeRenderer, Success, explained
from system.api.v1 import DEFAULT_MESSAGE, NOTHING, object_schema
from system.api.versions import ApiVersion, JsonSchema
from system.errors import ApplicationError
from system.naming import CAMEL
from system.request_id import current_request_id


def success(answer: Success, status: int) -> dict[str, Any]:  # noqa: ARG001 (the status is in the status line alone)
    """The envelope around what a view answers; a list has its `pagination` beside its data."""
    shown = page(answer.data) if isinstance(answer.data, Page) else {"data": CAMEL.rename(answer.data)}
    return {"success": True, **shown, "message": answer.message or DEFAULT_MESSAGE, **_stamps()}


def failure(error: ApplicationError) -> dict[str, Any]:
    """The envelope of an error."""
    shown = {
        "code": error.code.value,
        "message": explained(error, CAMEL),
        "details": CAMEL.rename(error.details),
        "suggestion": error.suggestion,
    }
    return {"success": False, "error": shown, **_stamps()}


def page(listed: Page) -> dict[str, Any]:
    """One page of a list."""
    pagination = {
        "page": listed.window.page,
        "pageSize": listed.window.page_size,
        "total": listed.total,
        "totalPages": listed.pages,
        "totalExact": listed.total_exact,
        "nextCursor": listed.next_cursor,
    }
    return {"data": CAMEL.rename(listed.items), **CAMEL.rename(dict(listed.parts)), "pagination": pagination}


def _stamps() -> dict[str, Any]:
    return {"timestamp": datetime.now(UTC), "requestId": current_request_id()}


_STAMPS: dict[str, JsonSchema] = {
    "timestamp": {"type": "string", "format": "date-time"},
    "requestId": {"type": "string"},
}
_YES: JsonSchema = {"type": "boolean", "description": _("Always true"), "example": True}
_NO: JsonSchema = {"type": "boolean", "description": _("Always false"), "example": False}


def success_schema(data: JsonSchema | None) -> JsonSchema:
    """The documented form of `success`."""
    shown = NOTHING if data is None else data
    return object_schema(success=_YES, data=shown, message={"type": "string"}, **_STAMPS)


def page_schema(item: JsonSchema, parts: JsonSchema) -> JsonSchema:
    """The documented form of a success with a `page`, which may have these parts."""
    pagination = object_schema(
        page={"type": "integer", "nullable": True},
        pageSize={"type": "integer"},
        total={"type": "integer", "nullable": True},
        totalPages={"type": "integer", "nullable": True},
        totalExact={"type": "boolean"},
        nextCursor={"type": "string", "nullable": True},
    )
    items: JsonSchema = {"type": "array", "items": item}
    schema = object_schema(success=_YES, data=items, pagination=pagination, message={"type": "string"}, **_STAMPS)
    schema["properties"].update(parts)
    return schema


FAILURE_SCHEMA = object_schema(
    success=_NO,
    error=object_schema(
        code={"type": "string", "pattern": "^E[0-9]{5}$"},
        message={"type": "string"},
        details={"nullable": True, "description": _("What exactly was wrong; for invalid input {field: [messages]}")},
        suggestion={"type": "string"},
    ),
    **_STAMPS,
)

VERSION = ApiVersion(
    name="v2",
    authentication=("accounts.authentication.BearerAndKeyAuthentication",),
    security=({"bearer": (), "apiKey": ()},),
    settled_status=202,
    naming=CAMEL,
    renderer=EnvelopeRenderer,
    parser=StrictJSONParser,
    success=success,
    failure=failure,
    page=page,
    success_schema=success_schema,
    page_schema=page_schema,
    failure_schema=FAILURE_SCHEMA,
)
