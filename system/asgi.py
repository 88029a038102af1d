"""What servers and WebSockets share: the types of ASGI, and refusals that never reach the application."""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from django.utils import translation

from system.api.renderers import dumps
from system.api.versions import version_of_path
from system.errors import ApplicationError, ErrorCode
from system.language import accepted_language
from system.request_id import accept_request_id, request_scope

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Headers = list[tuple[bytes, bytes]]

# An extension of our server's WebSockets: a function that writes a whole frame as it is (RFC 6455) and says whether it
# did. It does not when the client reads too slowly; then ASGI's `send` is the one that waits.
FRAMES = "s1688.frames"
WriteFrame = Callable[[bytes], bool]
RETRY_AFTER_SECONDS = 1
# What Django's middleware puts on every other answer.
SAFE_HEADERS = [
    (b"cache-control", b"no-store"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"x-content-type-options", b"nosniff"),
]


def refusal(code: ErrorCode, path: str = "", headers: Headers | None = None) -> tuple[int, Headers, bytes]:
    """Status, headers and body of an error in the shape of the path's API version.

    Args:
        headers: the request's, for its language and its request id.
    """
    given = dict(headers or [])
    request_id = accept_request_id(given.get(b"x-request-id", b"").decode("latin-1"))
    with request_scope(request_id), translation.override(language_of(headers or [])):
        body = dumps(version_of_path(path).failure(ApplicationError(code)))
    answer = [
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
        (b"x-request-id", request_id.encode()),
        *SAFE_HEADERS,
    ]
    if code.status == ErrorCode.UNAVAILABLE.status:
        answer.append((b"retry-after", str(RETRY_AFTER_SECONDS).encode()))
    return code.status, answer, body


def language_of(headers: Headers) -> str:
    """The language a request's headers ask for, or the default one."""
    return accepted_language(dict(headers).get(b"accept-language", b"").decode("latin-1"))
