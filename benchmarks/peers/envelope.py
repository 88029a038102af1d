"""What the peers written in Python share: our envelope, our JWT, our paging rules."""

import os
import uuid
from datetime import UTC, datetime
from typing import Any

import jwt
from fastapi import Header, HTTPException

KEY = os.environ["JWT_SIGNING_KEY"]
DATABASE_URL = os.environ["DATABASE_URL"]


def envelope(data: Any) -> dict[str, Any]:
    """An answer in the shape of ours."""
    return {
        "code": 200,
        "message": "Success",
        "data": data,
        "timestamp": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "request_id": uuid.uuid4().hex,
    }


def page(items: Any, total: int, number: int, size: int) -> dict[str, Any]:
    """One page of a list in the shape of ours."""
    pages = -(-total // size)
    counted = {"total": total, "page": number, "page_size": size, "pages": pages, "total_exact": True}
    return {"items": items, **counted, "next_cursor": None}


def pattern(text: str) -> str:
    """An ILIKE pattern for titles with this text."""
    return f"%{text}%"


async def user_id(authorization: str = Header()) -> int:
    """Who asks, by the token alone: a FastAPI dependency.

    Raises:
        HTTPException: 401.
    """
    try:
        claims = jwt.decode(
            authorization.removeprefix("Bearer "), KEY, algorithms=["HS256"], audience="1688sync-api", issuer="1688sync"
        )
    except jwt.InvalidTokenError as error:
        raise HTTPException(401) from error
    return int(claims["sub"])
