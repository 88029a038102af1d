"""uvicorn's HTTP protocol with the bounds it lacks: bytes and seconds for a request's head, errors in our envelope."""

import asyncio
import logging
import sys
from typing import Any
from urllib.parse import quote

import httptools
from django.conf import settings
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.http11 import MAX_LINE_LENGTH

from system.asgi import MAX_HEADERS, refusal
from system.errors import ErrorCode

logger = logging.getLogger(__name__)

# One read may bring this much at once; the guards judge a complete head by finer limits.
MAX_HEAD_BYTES = 64 * 1024
# How long a sender we refused may go on, so that it reads the answer instead of a reset.
LINGER_SECONDS = 2
# What stands around the address of a WebSocket's request line, and between a header's name and value.
REQUEST_LINE_REST = len("GET  HTTP/1.1\r\n")
HEADER_REST = len(": \r\n")
# Of methods that nobody knows (RFC 9110, section 15.5.6, wants this header).
ALLOW = b"GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"

_request_line_safe = "".join(map(chr, range(0x7F)))


class HttpProtocol(HttpToolsProtocol):
    """A head over 64 KB is 431, one that takes over WEB_HEAD_SECONDS 408, a malformed one 400.

    Raw bytes in a request line are percent-encoded, because command line clients send Chinese words as they are.
    """

    _between_requests = True
    _in_head = True
    _head_bytes = 0
    _refused = False
    _unsaid: ErrorCode | None = None
    _deadline: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Start the clock: a connection that says nothing is a slow head, too."""
        super().connection_made(transport)
        self._start_clock()

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop the clock."""
        self._stop_clock()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Parse; afterwards count what arrived if the head is still incomplete."""
        if self._refused:
            return
        super().data_received(_encoded(data) if self._between_requests else data)
        if not self._in_head or self._refused:
            return
        self._head_bytes += len(data)
        if self._head_bytes > MAX_HEAD_BYTES:
            self._refuse(ErrorCode.HEADERS_TOO_LARGE)
        elif self._deadline is None:
            self._start_clock()

    def on_message_begin(self) -> None:
        """A new head, perhaps of the next request on this connection."""
        self._between_requests, self._in_head, self._head_bytes = False, True, 0
        super().on_message_begin()

    def on_message_complete(self) -> None:
        """The next bytes begin a request."""
        self._between_requests = True
        super().on_message_complete()

    def on_headers_complete(self) -> None:
        """The head is complete."""
        self._in_head = False
        self._stop_clock()
        super().on_headers_complete()

    def handle_websocket_upgrade(self) -> None:
        """Hand the connection over, unless the head is beyond what the other side reads: it would just say nothing."""
        headers = list(self.scope["headers"])
        if len(self.url) + REQUEST_LINE_REST > MAX_LINE_LENGTH:
            self._refuse(ErrorCode.URI_TOO_LONG)
        elif len(headers) > MAX_HEADERS or any(_line_length(*header) > MAX_LINE_LENGTH for header in headers):
            self._refuse(ErrorCode.HEADERS_TOO_LARGE)
        else:
            super().handle_websocket_upgrade()

    def send_400_response(self, msg: str) -> None:  # noqa: ARG002 (the server's signature)
        """Answer what the parser refused."""
        unknown_method = isinstance(sys.exc_info()[1], httptools.HttpParserInvalidMethodError)
        self._refuse(ErrorCode.METHOD_NOT_ALLOWED if unknown_method else ErrorCode.INVALID_PARAMETER)

    def _start_clock(self) -> None:
        self._deadline = self.loop.call_later(settings.WEB_HEAD_SECONDS, self._too_slow)

    def _stop_clock(self) -> None:
        if self._deadline:
            self._deadline.cancel()
            self._deadline = None

    def _too_slow(self) -> None:
        if self._head_bytes:
            self._refuse(ErrorCode.REQUEST_TIMED_OUT)
        else:
            self.transport.close()

    def _refuse(self, code: ErrorCode) -> None:
        self._refused = True
        self._stop_clock()
        if not (self._in_head or self._between_requests):
            self._refuse_body(code)
        elif getattr(self.cycle, "response_complete", True):
            self._say(code)
        else:
            # The answer to the request before is on its way; nothing can be said in the middle of it.
            self._unsaid = code

    def _refuse_body(self, code: ErrorCode) -> None:
        if self.cycle.response_started or self.pipeline:
            self.transport.close()
            return
        self._say(code)
        # The application still waits for the rest.
        self.cycle.disconnected = True
        self.cycle.message_event.set()

    def on_response_complete(self) -> None:
        """Say what had to wait for the end of this answer."""
        super().on_response_complete()
        if self._unsaid and self.cycle.response_complete and not self.transport.is_closing():
            self._say(self._unsaid)

    def _say(self, code: ErrorCode) -> None:
        status, headers, body = refusal(code)
        if code is ErrorCode.METHOD_NOT_ALLOWED:
            headers.append((b"allow", ALLOW))
        lines: list[Any] = [STATUS_LINE[status]]
        for name, value in headers:
            lines += [name, b": ", value, b"\r\n"]
        self.transport.write(b"".join([*lines, b"\r\n", body]))
        self.transport.write_eof()
        self.loop.call_later(LINGER_SECONDS, self.transport.close)


def _line_length(name: bytes, value: bytes) -> int:
    return len(name) + len(value) + HEADER_REST


def _encoded(data: bytes) -> bytes:
    """What begins a request, its first line in ASCII."""
    line, newline, rest = data.partition(b"\n")
    return data if line.isascii() else quote(line, safe=_request_line_safe).encode() + newline + rest


class WebSocketProtocol(WebSocketsSansIOProtocol):
    """A refused handshake is an answer, not an error of the application that has to be logged."""

    async def send(self, message: Any) -> None:
        """Send, and take a handshake that ended with a refusal for complete."""
        await super().send(message)
        if self.close_sent:
            self.handshake_complete = True
