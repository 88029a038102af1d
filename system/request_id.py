"""The id that ties a request to its answer, its log lines and the tasks it started."""

import re
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

_current: ContextVar[str] = ContextVar("request_id", default="")
_acceptable = re.compile(r"[A-Za-z0-9._-]{1,64}")


def current_request_id() -> str:
    """The id of the request or task being worked on; "" outside of one."""
    return _current.get()


def new_request_id() -> str:
    """A fresh id: a random UUID (RFC 9562, version 4) as 32 hexadecimal digits."""
    return uuid.uuid4().hex


def accept_request_id(offered: str | None) -> str:
    """The caller's id if it is 1 to 64 of letters, digits, `.`, `_` and `-`; else a fresh one."""
    return offered if offered and _acceptable.fullmatch(offered) else new_request_id()


@contextmanager
def request_scope(request_id: str) -> Iterator[None]:
    """Everything inside belongs to this request id."""
    token = _current.set(request_id)
    try:
        yield
    finally:
        _current.reset(token)
