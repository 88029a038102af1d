"""The smallest HTTP/1.1 server that is fast enough: keep-alive, pipelining, answers late, cut or whole."""

import asyncio
from collections import deque
from collections.abc import Callable
from http import HTTPStatus
from typing import cast

import httptools

from .messages import Cut, Reply, Request, json_reply

MAX_BODY = 8 * 1024 * 1024
_PHRASES = {status.value: status.phrase for status in HTTPStatus}
_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"

Answer = Callable[[Request], Reply]


class Protocol(asyncio.Protocol):
    """One connection. Replies leave in the order of their requests, each after its delay."""

    def __init__(self, answer: Answer, connections: set["Protocol"]) -> None:
        self._answer = answer
        self._connections = connections
        self._parser = httptools.HttpRequestParser(self)
        self._replies: deque[tuple[Reply, bool]] = deque()
        self._waiting: asyncio.TimerHandle | None = None
        self._transport: asyncio.Transport | None = None
        self._start_request()

    def _start_request(self) -> None:
        self._target, self._content_type, self._body = b"", "", bytearray()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Asyncio calls it when a client connects."""
        # uvloop's transport is one in all but its class.
        self._transport = cast("asyncio.Transport", transport)
        self._connections.add(self)

    def connection_lost(self, error: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        """Asyncio calls it when the connection ends."""
        self._connections.discard(self)
        self._transport = None
        if self._waiting:
            self._waiting.cancel()

    def data_received(self, data: bytes) -> None:
        """Asyncio calls it with bytes from the client."""
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):
            self._queue(json_reply({"error": "bad request"}, HTTPStatus.BAD_REQUEST), keep_alive=False)

    def on_url(self, url: bytes) -> None:
        """The parser calls it with a piece of the target."""
        self._target += url

    def on_header(self, name: bytes, value: bytes) -> None:
        """The parser calls it for every header."""
        lower = name.lower()
        if lower == b"content-type":
            self._content_type = value.decode("latin-1").lower()
        elif lower == b"expect" and self._transport:
            self._transport.write(_CONTINUE)

    def on_body(self, body: bytes) -> None:
        """The parser calls it with a piece of the body."""
        self._body += body
        if len(self._body) > MAX_BODY:
            self.close()

    def on_message_complete(self) -> None:
        """The parser calls it when a request is whole."""
        request = Request(
            self._parser.get_method().decode(),
            self._target.decode("latin-1"),
            self._content_type,
            bytes(self._body),
        )
        self._start_request()
        self._queue(self._answer(request), keep_alive=self._parser.should_keep_alive())

    def _queue(self, reply: Reply, *, keep_alive: bool) -> None:
        self._replies.append((reply, keep_alive))
        if self._waiting is None:
            self._next()

    def _next(self) -> None:
        """Sends replies until one has to wait."""
        while self._replies and self._transport:
            reply, keep_alive = self._replies.popleft()
            if reply.delay:
                loop = asyncio.get_running_loop()
                self._waiting = loop.call_later(reply.delay, self._after_delay, reply, keep_alive)
                return
            self._send(reply, keep_alive=keep_alive)

    def _after_delay(self, reply: Reply, keep_alive: bool) -> None:
        self._waiting = None
        self._send(reply, keep_alive=keep_alive)
        self._next()

    def _send(self, reply: Reply, *, keep_alive: bool) -> None:
        if self._transport is None:
            return
        if reply.cut is Cut.BEFORE:
            self._transport.abort()
            return
        body = reply.body if reply.cut is Cut.NOWHERE else reply.body[: len(reply.body) // 2]
        self._transport.write(_head(reply, keep_alive=keep_alive) + body)
        if reply.cut is Cut.HALFWAY or not keep_alive:
            self._transport.close()

    def close(self) -> None:
        """Ends the connection now."""
        if self._transport:
            self._transport.abort()


def _head(reply: Reply, *, keep_alive: bool) -> bytes:
    return (
        f"HTTP/1.1 {reply.status:d} {_PHRASES.get(reply.status, 'Unknown')}\r\n"
        f"Content-Type: {reply.content_type}\r\n"
        f"Content-Length: {len(reply.body)}\r\n"
        f"Connection: {'keep-alive' if keep_alive else 'close'}\r\n\r\n"
    ).encode()
