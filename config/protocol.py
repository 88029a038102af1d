"""uvicorn's HTTP protocol with the bounds it lacks: bytes and seconds for a request's head, errors in our envelope."""

import asyncio
import logging
import sys
from typing import Any
from urllib.parse import quote

import httptools
from django.conf import settings
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from system.asgi import refusal
from system.errors import ErrorCode

logger = logging.getLogger(__name__)

# One read may bring this much at once; the guards judge a complete head by finer limits.
MAX_HEAD_BYTES = 64 * 1024
# How long a sender we refused may go on, so that it reads the answer instead of a reset.
LINGER_SECONDS = 2

_request_line_safe = "".join(map(chr, range(0x7F)))


class HttpProtocol(HttpToolsProtocol):
    """A head over 64 KB is 431, one that takes over WEB_HEAD_SECONDS 408, a malformed one 400.

    Raw bytes in a request line are percent-encoded, because command line clients send Chinese words as they are.
    """

    _between_requests = True
    _in_head = True
    _head_bytes = 0
    _refused = False
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
        if not getattr(self.cycle, "response_complete", True):
            # The answer to the request before is on its way; nothing can be said in the middle of it.
            self.transport.close()
            return
        status, headers, body = refusal(code)
        lines: list[Any] = [STATUS_LINE[status]]
        for name, value in headers:
            lines += [name, b": ", value, b"\r\n"]
        self.transport.write(b"".join([*lines, b"\r\n", body]))
        self.transport.write_eof()
        self.loop.call_later(LINGER_SECONDS, self.transport.close)


def _encoded(data: bytes) -> bytes:
    """What begins a request, its first line in ASCII."""
    line, newline, rest = data.partition(b"\n")
    return data if line.isascii() else quote(line, safe=_request_line_safe).encode() + newline + rest
