"""uvicorn's HTTP protocol with the bounds it lacks: bytes and seconds for a request's head, errors in our envelope."""

import asyncio
import logging
import sys
from typing import Any

import httptools
from django.conf import settings
from uvicorn.protocols.http.httptools_impl import STATUS_LINE, HttpToolsProtocol

from system.asgi import refusal
from system.errors import ErrorCode

logger = logging.getLogger(__name__)

# One read may bring this much at once; the guards judge a complete head by finer limits.
MAX_HEAD_BYTES = 64 * 1024


class HttpProtocol(HttpToolsProtocol):
    """A head over 64 KB is 431, one that takes over WEB_HEAD_SECONDS 408, a malformed one 400."""

    _in_head = True
    _head_bytes = 0
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
        super().data_received(data)
        if not self._in_head or self.transport.is_closing():
            return
        self._head_bytes += len(data)
        if self._head_bytes > MAX_HEAD_BYTES:
            self._refuse(ErrorCode.HEADERS_TOO_LARGE)
        elif self._deadline is None:
            self._start_clock()

    def on_message_begin(self) -> None:
        """A new head, perhaps of the next request on this connection."""
        self._in_head, self._head_bytes = True, 0
        super().on_message_begin()

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
        status, headers, body = refusal(code)
        lines: list[Any] = [STATUS_LINE[status]]
        for name, value in headers:
            lines += [name, b": ", value, b"\r\n"]
        self.transport.write(b"".join([*lines, b"\r\n", body]))
        self.transport.close()
