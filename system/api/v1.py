"""Version 1 (seed 000): {"code", "message", "data", "timestamp", "request_id"}, snake_case."""

from datetime import UTC, datetime
from typing import Any

from django.utils.translation import gettext_lazy as _

from system.api.pagination import Page
from system.api.parsers import StrictJSONParser
from system.api.renderers import EnvelopeRenderer, Success, explained
from system.api.versions import ApiVersion, JsonSchema
from system.errors import ApplicationError
from system.naming import SNAKE
from system.request_id import current_request_id

DEFAULT_MESSAGE = _("Success")
NOTHING: JsonSchema = {"type": "object", "nullable": True, "maxProperties": 0, "description": "Always null"}


def success(answer: Success, status: int) -> dict[str, Any]:
    """The envelope around what a view answers; a list page takes its own form in it."""
    data = page(answer.data) if isinstance(answer.data, Page) else answer.data
    return _envelope(status, answer.message or DEFAULT_MESSAGE, data)


def failure(error: ApplicationError) -> dict[str, Any]:
    """The envelope of an error: no data, but a stable code, details and a suggestion."""
    body = _envelope(error.status, explained(error, SNAKE), None)
    body["error"] = {"code": error.code.value, "details": error.details, "suggestion": error.suggestion}
    return body


def page(listed: Page) -> dict[str, Any]:
    """One page of a list."""
    return {
        "items": listed.items,
        "total": listed.total,
        "page": listed.window.page,
        "page_size": listed.window.page_size,
        "pages": listed.pages,
        "total_exact": listed.total_exact,
        "next_cursor": listed.next_cursor,
        **listed.parts,
    }


def _envelope(status: int, message: object, data: Any) -> dict[str, Any]:
    return {
        "code": status,
        "message": message,
        "data": data,
        "timestamp": datetime.now(UTC),
        "request_id": current_request_id(),
    }


def success_schema(data: JsonSchema | None) -> JsonSchema:
    """The documented form of `success`."""
    return object_schema(
        code={"type": "integer", "description": "The HTTP status"},
        message={"type": "string"},
        data=NOTHING if data is None else data,
        timestamp={"type": "string", "format": "date-time"},
        request_id={"type": "string"},
    )


def page_schema(item: JsonSchema, parts: JsonSchema) -> JsonSchema:
    """The documented form of a success with a `page`, which may have these parts."""
    listed = object_schema(
        items={"type": "array", "items": item},
        total={"type": "integer", "nullable": True},
        page={"type": "integer", "nullable": True},
        page_size={"type": "integer"},
        pages={"type": "integer", "nullable": True},
        total_exact={"type": "boolean"},
        next_cursor={"type": "string", "nullable": True},
    )
    listed["properties"].update(parts)
    return success_schema(listed)


def object_schema(**properties: JsonSchema) -> JsonSchema:
    """An object of exactly these properties, all of them always there."""
    return {"type": "object", "required": list(properties), "properties": properties}


FAILURE_SCHEMA = object_schema(
    code={"type": "integer", "description": "The HTTP status"},
    message={"type": "string"},
    data=NOTHING,
    timestamp={"type": "string", "format": "date-time"},
    request_id={"type": "string"},
    error=object_schema(
        code={"type": "string", "pattern": "^E[0-9]{5}$"},
        details={"nullable": True, "description": "What exactly was wrong; for invalid input {field: [messages]}"},
        suggestion={"type": "string"},
    ),
)

VERSION = ApiVersion(
    name="v1",
    authentication=("accounts.authentication.CredentialAuthentication",),
    security=({"bearer": ()}, {"apiKey": ()}),
    renderer=EnvelopeRenderer,
    parser=StrictJSONParser,
    success=success,
    failure=failure,
    page=page,
    success_schema=success_schema,
    failure_schema=FAILURE_SCHEMA,
    page_schema=page_schema,
)
