"""Answers of the server itself: refusals in the envelope of the API, as bytes."""

from http import HTTPStatus

from config.server.request import Headers, Request
from system.asgi import refusal
from system.errors import ErrorCode

# Of methods that nobody knows (RFC 9110, section 15.5.6, wants this header).
ALLOW = (b"allow", b"GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS")


def final_answer(code: ErrorCode, request: Request | None) -> bytes:
    """A refusal after which the connection closes.

    Args:
        request: what is refused, as far as it is known.
    """
    return _answer(code, request, [(b"connection", b"close")])


def busy_answer(request: Request) -> bytes:
    """503 with Retry-After; the connection may be used again."""
    return _answer(ErrorCode.UNAVAILABLE, request, [] if request.keep_alive else [(b"connection", b"close")])


def _answer(code: ErrorCode, request: Request | None, more: Headers) -> bytes:
    path, headers = (request.path, request.lower_headers()) if request else ("", [])
    status, answered, body = refusal(code, path, headers)
    if code is ErrorCode.METHOD_NOT_ALLOWED:
        more = [*more, ALLOW]
    lines = [b"%b: %b\r\n" % header for header in [*answered, *more]]
    head = b"HTTP/1.1 %d %b\r\n%b\r\n" % (status, HTTPStatus(status).phrase.encode(), b"".join(lines))
    return head if request and request.method == "HEAD" else head + body
