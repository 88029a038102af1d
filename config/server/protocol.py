"""HTTP/1.1 on one connection, with bounds: bytes and seconds for everything that arrives, errors in our envelope."""

import asyncio
import logging
from collections import deque
from time import monotonic
from typing import Any, cast

import httptools
from django.conf import settings

from config.server.answers import busy_answer, final_answer
from config.server.exchange import Exchange
from config.server.files import FileWrapper, send_file
from config.server.request import Request, ascii_line, connection_environ
from config.server.site import Site
from system.errors import ErrorCode

logger = logging.getLogger(__name__)

# One read may bring this much at once; a complete head is judged by finer limits.
MAX_HEAD_BYTES = 64 * 1024
# How long a sender we refused may go on, so that it reads the answer instead of a reset.
LINGER_SECONDS = 2
KEEP_ALIVE_SECONDS = 5
# Who takes longer than this for a file is cut off.
FILE_SECONDS = 15 * 60
# Requests of one connection that wait for the one in work.
MAX_PIPELINED = 64
# A client that asks again at once would take the machine from those who wait.
BUSY_SECONDS = 1


class HttpProtocol(asyncio.Protocol):
    """Reads whole requests, has them answered in the order they came, and keeps the connection for more.

    A head over 64 KB is 431, one that takes over WEB_HEAD_SECONDS 408, a malformed one 400. A body over
    API_MAX_BATCH_BODY_BYTES is 413, one slower than WEB_BODY_SECONDS 408, and 503 when all bodies together would need
    too much memory. So no thread waits for a slow sender, half a body never arrives, and nothing is written to disk.

    `deadline` is when `expire` is due, by the loop's clock; None for never.
    """

    def __init__(self, site: Site) -> None:
        self.deadline: float | None = None
        self._site = site
        self._parser: Any = httptools.HttpRequestParser(self)
        # What follows a request that closes the connection is ours to ignore, not an error of the parser's.
        self._parser.set_dangerous_leniencies(lenient_data_after_close=True)
        self._transport: asyncio.Transport = cast(Any, None)
        self._base: dict[str, Any] = {}
        # Being read, read and waiting for their turn, and in work.
        self._request: Request | None = None
        self._waiting: deque[Request] = deque()
        self._exchange: Exchange | None = None
        self._in_body = False
        self._head_bytes = 0
        self._handshake: Request | None = None
        # Nothing more is read: it was refused, or was the last request anyhow.
        self._refused = self._last = False
        self._unsaid: tuple[ErrorCode, Request | None] | None = None
        self._busy: asyncio.TimerHandle | None = None
        self._writable: asyncio.Event | None = None

    # What the event loop says.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Start the clock: a connection that says nothing is a slow head, too."""
        self._transport = cast(asyncio.Transport, transport)
        self._site.state.connections.add(cast(Any, self))
        self._base = connection_environ(self._transport)
        self._within(settings.WEB_HEAD_SECONDS)

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 (the loop's signature)
        """Nobody waits for answers any more."""
        self._site.state.connections.discard(cast(Any, self))
        self.deadline = None
        if self._request and self._in_body:
            logger.info("the sender of %s left within its body", self._request.path)
        self._forget()
        if self._busy:
            self._busy.cancel()
        if self._exchange:
            self._site.abandon(self._exchange)
            self._exchange = None
        if self._writable:
            self._writable.set()
        # They refer to each other.
        self._parser = None

    def data_received(self, data: bytes) -> None:
        """Parse; afterwards count what arrived if the head is still incomplete."""
        if self._refused or self._last:
            return
        try:
            self._parser.feed_data(data if self._request else ascii_line(data))
        except httptools.HttpParserUpgrade as upgrade:
            self._after_upgrade(data[upgrade.args[0] :])
        except httptools.HttpParserError as error:
            unknown_method = isinstance(error, httptools.HttpParserInvalidMethodError)
            self._refuse(ErrorCode.METHOD_NOT_ALLOWED if unknown_method else ErrorCode.INVALID_PARAMETER)
        if self._request and not self._in_body and not self._refused:
            self._count_head(len(data))

    def eof_received(self) -> None:
        """Who has said all it wants to say has left: the connection closes."""

    def pause_writing(self) -> None:
        """The client does not read as fast as we write."""
        self._writable = asyncio.Event()

    def resume_writing(self) -> None:
        """It has caught up."""
        if self._writable:
            self._writable.set()
            self._writable = None
        if self._exchange:
            self._exchange.allow_piece()
        else:
            self._next()

    # What the parser says.

    def on_message_begin(self) -> None:
        """A new head, perhaps of the next request on this connection."""
        self._request, self._in_body, self._head_bytes = Request(), False, 0

    def on_url(self, url: bytes) -> None:
        """A piece of the address."""
        self._request.url += url  # type: ignore[union-attr]

    def on_header(self, name: bytes, value: bytes) -> None:
        """A header."""
        self._request.headers.append((name, value))  # type: ignore[union-attr]

    def on_headers_complete(self) -> None:
        """Judge the head, and ask for the body."""
        request = cast(Request, self._request)
        request.method = self._parser.get_method().decode("ascii")
        request.version = self._parser.get_http_version()
        request.keep_alive = request.version == "1.1" and self._parser.should_keep_alive()
        fault = request.judge(upgrading=self._parser.should_upgrade())
        self._in_body = True
        if self._refused:
            return
        if fault or len(self._waiting) >= MAX_PIPELINED:
            self._refuse(fault or ErrorCode.UNAVAILABLE)
        elif request.length != 0:
            self._await_body(request)

    def on_body(self, data: bytes) -> None:
        """A piece of the body."""
        request = self._request
        if self._refused or not request:
            return
        request.add(data)
        fits = self._site.hold(len(data))
        if len(request.body) > settings.API_MAX_BATCH_BODY_BYTES:
            self._refuse(ErrorCode.PAYLOAD_TOO_LARGE)
        elif not fits:
            self._refuse(ErrorCode.UNAVAILABLE)

    def on_message_complete(self) -> None:
        """The request is whole: have it answered, in its turn."""
        request, self._request = self._request, None
        if self._refused or self._last or not request:
            return
        if request.upgrades:
            self._handshake = request
            return
        self.deadline = None
        # The loop's own clock stands still while it works off what came at the same time.
        request.arrived = monotonic()
        self._last = not request.keep_alive
        self._waiting.append(request)
        if self._exchange is None:
            self._next()
        else:
            self._transport.pause_reading()

    # What the server says.

    def shutdown(self) -> None:
        """The server ends: close as soon as the requests in work are answered."""
        self._last = True
        if self._exchange is None and not self._waiting:
            self._transport.close()

    def expire(self) -> None:
        """The deadline has passed."""
        self.deadline = None
        if self._refused or self._request is None:
            self._transport.close()
        else:
            self._refuse(ErrorCode.REQUEST_TIMED_OUT)

    # Answers.

    def take_piece(self, exchange: Exchange, data: bytes) -> None:
        """Send a piece of a streamed answer."""
        if exchange is self._exchange:
            self._transport.write(data)
            if self._writable is None:
                exchange.allow_piece()

    def take_end(self, exchange: Exchange, data: bytes, file: FileWrapper | None) -> None:
        """Send the end of an answer, and go on with the next request."""
        self._site.settle(exchange)
        if file is not None:
            self._site.spawn(self._send_file(exchange, data, file))
        elif exchange is self._exchange:
            self._transport.write(data)
            self._answered(exchange)

    def take_failure(self, exchange: Exchange) -> None:
        """The application failed: what it said so far is worth nothing."""
        if not self._site.settle(exchange) or exchange is not self._exchange:
            return
        self._exchange = None
        if exchange.streamed:
            self._transport.abort()
        else:
            self._forget()
            self._refuse(ErrorCode.INTERNAL, exchange.request)

    def _next(self) -> None:
        if self._writable or self._transport.is_closing():
            return
        if not self._waiting:
            self._say_unsaid()
            return
        self._exchange = Exchange(self._waiting.popleft(), self._base, self, self._site.loop)
        if not self._site.submit(self._exchange):
            self._busy = self._site.loop.call_later(BUSY_SECONDS, self._tell_busy, self._exchange)

    def _tell_busy(self, exchange: Exchange) -> None:
        self._busy = None
        self._transport.write(busy_answer(exchange.request))
        self._answered(exchange)

    def _answered(self, exchange: Exchange) -> None:
        self._exchange = None
        if not exchange.request.keep_alive or (self._last and not self._waiting and not self._unsaid):
            self._transport.close()
            return
        if self._request is None and not self._refused:
            self._within(KEEP_ALIVE_SECONDS)
        if self._waiting or self._unsaid:
            self._next()
        if not self._waiting:
            self._transport.resume_reading()

    async def _send_file(self, exchange: Exchange, head: bytes, file: FileWrapper) -> None:
        async def ready() -> bool:
            if self._writable:
                await self._writable.wait()
            return exchange is self._exchange

        try:
            async with asyncio.timeout(FILE_SECONDS):
                if exchange is self._exchange:
                    self._transport.write(head)
                if exchange.request.method != "HEAD":
                    await send_file(file, self._transport.write, ready)
            if exchange is self._exchange:
                self._answered(exchange)
        except TimeoutError:
            logger.warning("a file was not taken within %s s", FILE_SECONDS)
            self._transport.abort()
        finally:
            await asyncio.to_thread(file.close)

    # Bounds and refusals.

    def _within(self, seconds: float) -> None:
        self.deadline = self._site.loop.time() + seconds

    def _count_head(self, size: int) -> None:
        first = self._head_bytes == 0
        self._head_bytes += size
        if self._head_bytes > MAX_HEAD_BYTES:
            self._refuse(ErrorCode.HEADERS_TOO_LARGE)
        elif first:
            self._within(settings.WEB_HEAD_SECONDS)

    def _await_body(self, request: Request) -> None:
        self._within(settings.WEB_BODY_SECONDS)
        if request.expects_continue and not self._exchange:
            self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def _refuse(self, code: ErrorCode, request: Request | None = None) -> None:
        """Answer with an error once what came before is answered; nothing more is read."""
        request = request or self._request
        self._forget_body()
        self._request, self._refused = None, True
        self._unsaid = code, request
        if self._exchange is None and not self._waiting:
            self._say_unsaid()

    def _say_unsaid(self) -> None:
        if self._unsaid and not self._transport.is_closing():
            code, request = self._unsaid
            self._unsaid = None
            logger.info("refused %s: %s", request.path if request else "a malformed head", code.status)
            self._transport.write(final_answer(code, request))
            self._transport.write_eof()
            self._transport.resume_reading()
            self._within(LINGER_SECONDS)

    def _forget(self) -> None:
        self._forget_body()
        for request in self._waiting:
            self._site.release(request.body)
        self._waiting.clear()

    def _forget_body(self) -> None:
        if self._request:
            self._site.release(self._request.body)
            self._request = None

    # WebSockets.

    def _after_upgrade(self, rest: bytes) -> None:
        handshake, self._handshake = self._handshake, None
        if self._refused:
            return
        if handshake is None:
            # Another protocol that we do not speak: HTTP goes on.
            if rest:
                self.data_received(rest)
        elif self._exchange or self._waiting or self._transport.get_write_buffer_size():
            self._refuse(ErrorCode.INVALID_PARAMETER, handshake)
        else:
            self._hand_over(handshake, handshake.head() + rest)

    def _hand_over(self, handshake: Request, head: bytes) -> None:
        """What comes from now on stays unread, for the other process."""
        self._transport.pause_reading()
        self.deadline = None

        def sent(done: bool) -> None:
            if done:
                # Closing our file ends nothing: the other process has its own.
                self._transport.abort()
            else:
                self._refuse(ErrorCode.UNAVAILABLE, handshake)

        self._site.sender.send(head, self._transport.get_extra_info("socket").fileno(), sent)
