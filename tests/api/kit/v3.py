"""A third version of the API, to show that one file is all it takes: kebab-case names, its own envelope."""

from dataclasses import replace
from typing import Any

from system.api.pagination import Page
from system.api.renderers import Success
from system.api.v1 import object_schema
from system.api.v2 import VERSION as V2
from system.api.versions import JsonSchema
from system.errors import ApplicationError
from system.naming import Naming


def _incoming(name: str) -> str | None:
    return None if "_" in name else name.replace("-", "_")


KEBAB = Naming(outgoing=lambda name: name.replace("_", "-"), incoming=_incoming)


def success(answer: Success, status: int) -> dict[str, Any]:
    """Only what was asked for."""
    return page(answer.data) if isinstance(answer.data, Page) else {"result": KEBAB.rename(answer.data)}


def failure(error: ApplicationError) -> dict[str, Any]:
    """The form of RFC 9457."""
    return {"type": f"/api/docs#{error.code.value}", "title": error.message, "status": error.status}


def page(listed: Page) -> dict[str, Any]:
    """A list with its next cursor."""
    return {"result": KEBAB.rename(listed.items), "next": listed.next_cursor}


def success_schema(data: JsonSchema | None) -> JsonSchema:
    """The documented form of `success`."""
    return object_schema(result=data or {"nullable": True})


def page_schema(item: JsonSchema, parts: JsonSchema) -> JsonSchema:
    """The documented form of `page`."""
    items: JsonSchema = {"type": "array", "items": item}
    return object_schema(result=items, next={"type": "string", "nullable": True}, **parts)


VERSION = replace(
    V2,
    name="v3",
    naming=KEBAB,
    success=success,
    failure=failure,
    page=page,
    success_schema=success_schema,
    page_schema=page_schema,
    failure_schema=object_schema(type={"type": "string"}, title={"type": "string"}, status={"type": "integer"}),
    authentication=("accounts.authentication.JWTAuthentication",),
    security=({"bearer": ()},),
)
