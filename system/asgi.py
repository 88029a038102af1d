"""Guards in front of the application: what must be refused before it costs a thread, memory or a wrong identity."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, Literal

from django.conf import settings
from django.http import HttpRequest
from django.utils import translation

from system.api.renderers import dumps
from system.api.versions import version_of_path
from system.errors import ApplicationError, ErrorCode
from system.request_id import accept_request_id, request_scope

logger = logging.getLogger(__name__)

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
ASGIApp = Callable[[Scope, Receive, Send], Awaitable[None]]
Headers = list[tuple[bytes, bytes]]

MAX_URL_BYTES = 8 * 1024
MAX_HEADERS = 100
MAX_HEADER_BYTES = 32 * 1024
# Bodies of all requests in work together: a thousand uploads must not fill the memory.
MAX_BODY_BYTES_TOGETHER = 256 * 1024 * 1024
# How long a sender whose body was refused may go on, so that it reads our answer instead of a reset.
LINGER_SECONDS = 2
RETRY_AFTER_SECONDS = 1
# What Django's middleware puts on every other answer.
SAFE_HEADERS = [
    (b"cache-control", b"no-store"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"x-content-type-options", b"nosniff"),
]


class HeadGuard:
    """Checks the request line and the headers.

    Addresses over 8 KB are 414, more than 100 headers or 32 KB of them 431, none or two Host headers in HTTP/1.1 400
    (RFC 9112, section 3.2). Header names with `_` are dropped: WSGI
    cannot tell `X_Forwarded_For` from `X-Forwarded-For`.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a tidy request on, refuse any other."""
        code = self._fault(scope)
        if code:
            await refuse(scope, receive, send, code)
        else:
            headers = [(name, value) for name, value in scope["headers"] if b"_" not in name]
            await self.app({**scope, "headers": headers}, receive, send)

    def _fault(self, scope: Scope) -> ErrorCode | None:
        if len(scope.get("raw_path") or b"") + len(scope["query_string"]) > MAX_URL_BYTES:
            return ErrorCode.URI_TOO_LONG
        headers: Headers = scope["headers"]
        size = sum(len(name) + len(value) for name, value in headers)
        if len(headers) > MAX_HEADERS or size > MAX_HEADER_BYTES:
            return ErrorCode.HEADERS_TOO_LARGE
        hosts = sum(name == b"host" for name, _value in headers)
        unclear = scope.get("http_version") == "1.1" and hosts != 1
        return ErrorCode.INVALID_PARAMETER if unclear else None


class Refused(Exception):
    """A body that does not reach the application."""

    def __init__(self, code: ErrorCode) -> None:
        self.code = code
        super().__init__(code.value)


class SenderGone(Exception):
    """The connection ended in the middle of the body."""


class BodyGuard:
    """Reads a body completely and within its limits before the application sees the request.

    So no thread waits for a slow sender, a chunked body arrives with its length, half a body never arrives, and
    nothing is written to disk. Over API_MAX_BATCH_BODY_BYTES it is 413, slower than WEB_BODY_SECONDS 408, shorter
    than announced 400, and 503 when all bodies together would need too much memory.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self._held = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on with its whole body, or refuse it."""
        body = bytearray()
        try:
            announced = _announced_length(scope)
            if announced == 0:
                await self.app(scope, receive, send)
                return
            async with asyncio.timeout(settings.WEB_BODY_SECONDS):
                await self._read(receive, body, announced)
        except SenderGone:
            logger.info("the sender of %s left within its body", scope["path"])
        except TimeoutError:
            await refuse(scope, receive, send, ErrorCode.REQUEST_TIMED_OUT)
        except Refused as refused:
            await refuse(scope, receive, send, refused.code)
        else:
            await self.app(_with_length(scope, len(body)), _replay(bytes(body), receive), send)
        finally:
            self._held -= len(body)

    async def _read(self, receive: Receive, body: bytearray, announced: int | None) -> None:
        more = True
        while more:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise SenderGone
            self._take(body, message.get("body", b""))
            more = message.get("more_body", False)
        if announced is not None and announced != len(body):
            raise Refused(ErrorCode.INVALID_PARAMETER)

    def _take(self, body: bytearray, chunk: bytes) -> None:
        body += chunk
        self._held += len(chunk)
        if len(body) > settings.API_MAX_BATCH_BODY_BYTES:
            raise Refused(ErrorCode.PAYLOAD_TOO_LARGE)
        if self._held > MAX_BODY_BYTES_TOGETHER:
            raise Refused(ErrorCode.UNAVAILABLE)


def _announced_length(scope: Scope) -> int | None:
    """Content-Length; None for a chunked body, 0 for no body.

    Raises:
        Refused: malformed, or over the limit.
    """
    headers = dict(scope["headers"])
    if b"transfer-encoding" in headers:
        return None
    raw = headers.get(b"content-length", b"0")
    if not raw.isdigit() or len(raw) > 20:
        raise Refused(ErrorCode.INVALID_PARAMETER)
    if int(raw) > settings.API_MAX_BATCH_BODY_BYTES:
        raise Refused(ErrorCode.PAYLOAD_TOO_LARGE)
    return int(raw)


def _with_length(scope: Scope, length: int) -> Scope:
    framing = (b"content-length", b"transfer-encoding")
    headers = [(name, value) for name, value in scope["headers"] if name not in framing]
    return {**scope, "headers": [*headers, (b"content-length", str(length).encode())]}


def _replay(body: bytes, receive: Receive) -> Receive:
    """A `receive` that hands out the body first."""
    return _after({"type": "http.request", "body": body, "more_body": False}, receive)


def _after(first: Message, receive: Receive) -> Receive:
    """A `receive` that hands out this message first."""
    pending = [first]

    async def replayed() -> Message:
        return pending.pop() if pending else await receive()

    return replayed


class LoadGuard:
    """Lets `limit` requests be in work or waiting; the next ones get 503 with Retry-After at once."""

    def __init__(self, app: ASGIApp, limit: int) -> None:
        self.app = app
        self.limit = limit
        self._in_flight = 0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on or refuse."""
        if self._in_flight >= self.limit:
            await refuse(scope, receive, send, ErrorCode.UNAVAILABLE)
            return
        self._in_flight += 1
        try:
            await self.app(scope, receive, send)
        finally:
            self._in_flight -= 1


class WaitingRoom:
    """Lets `places` requests at a time through to the pool of threads; who leaves while waiting costs no thread.

    A pool's own queue would work off requests whose clients are long gone, and keep the next ones waiting for it.
    Behind a `BodyGuard`: the first thing to receive is the whole body, the second that the client has left.
    """

    def __init__(self, app: ASGIApp, places: int) -> None:
        self.app = app
        self._places = asyncio.Semaphore(places)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass on when there is a place, unless the client has left by then."""
        if not self._places.locked():
            await self._places.acquire()
        else:
            body = await receive()
            if not await self._outwaits(receive):
                return
            receive = _after(body, receive)
        try:
            await self.app(scope, receive, send)
        finally:
            self._places.release()

    async def _outwaits(self, receive: Receive) -> bool:
        """Wait for a place and take it; False when the client left first."""
        place = asyncio.ensure_future(self._places.acquire())
        departure = asyncio.ensure_future(receive())
        try:
            await asyncio.wait({place, departure}, return_when=asyncio.FIRST_COMPLETED)
        except asyncio.CancelledError:
            place.add_done_callback(self._return_place)
            raise
        finally:
            departure.cancel()
        return place.done() or not place.cancel()

    def _return_place(self, place: "asyncio.Task[Literal[True]]") -> None:
        if not place.cancelled():
            self._places.release()


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
        (b"connection", b"close"),
        *SAFE_HEADERS,
    ]
    if code.status == ErrorCode.UNAVAILABLE.status:
        answer.append((b"retry-after", str(RETRY_AFTER_SECONDS).encode()))
    return code.status, answer, body


def language_of(headers: Headers) -> str:
    """The language a request's headers ask for, or the default one."""
    request = HttpRequest()
    request.META["HTTP_ACCEPT_LANGUAGE"] = dict(headers).get(b"accept-language", b"").decode("latin-1")
    return translation.get_language_from_request(request)


async def refuse(scope: Scope, receive: Receive, send: Send, code: ErrorCode) -> None:
    """Answer with an error, drain what the sender is still sending, and close the connection."""
    status, headers, body = refusal(code, scope["path"], scope["headers"])
    logger.info("refused %s %s: %s", scope["method"], scope["path"], status)
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body, "more_body": True})
    await _linger(receive)
    await send({"type": "http.response.body", "body": b""})


async def _linger(receive: Receive) -> None:
    try:
        async with asyncio.timeout(LINGER_SECONDS):
            while (await receive()).get("more_body"):
                pass
    except TimeoutError:
        logger.debug("the sender of a refused body did not stop")
