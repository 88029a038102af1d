"""One request in work: run by a thread, answered on the event loop."""

import asyncio
import contextlib
import logging
import threading
import time
from collections.abc import Callable, Iterable
from email.utils import formatdate
from typing import Any, Protocol

from config.server.files import FileWrapper
from config.server.request import Environ, Request

logger = logging.getLogger(__name__)

# Pieces of a streamed answer that may be under way to the client before its thread waits.
PIECES_UNDER_WAY = 4
# What has no body whatever the application says (RFC 9110, section 15).
EMPTY_STATUSES = ("204", "304")


class ClientGone(Exception):
    """Nobody waits for the rest of a streamed answer."""


class Counted(Protocol):
    """Where it counts how many are in work."""

    def leave(self) -> None:
        """One of them is done."""
        ...


class Client(Protocol):
    """The connection a request came from; its methods are called on the event loop."""

    def take_piece(self, exchange: "Exchange", data: bytes) -> None:
        """Send a piece of the answer, and call `exchange.allow_piece` once there is room for another."""
        ...

    def take_end(self, exchange: "Exchange", data: bytes, file: FileWrapper | None) -> None:
        """Send the end of the answer."""
        ...

    def take_failure(self, exchange: "Exchange") -> None:
        """The application failed, or nobody listens any more."""
        ...


class Exchange:
    """A request and the answer that WSGI makes of it.

    `run` and what it calls belong to a thread of a pool, all else to the event loop. `pool` is the one that counts it,
    `streamed` says that a part of the answer is out.
    """

    __slots__ = (
        "_base", "_client", "_head", "_loop", "_room", "_waiting", "gone", "pool", "request", "streamed",
    )  # fmt: skip

    def __init__(self, request: Request, base: Environ, client: Client, loop: asyncio.AbstractEventLoop) -> None:
        self.request = request
        self.pool: Counted | None = None
        self.gone = self.streamed = False
        self._base = base
        self._client = client
        self._loop = loop
        self._head: tuple[str, list[tuple[str, str]]] = "", []
        self._room: threading.Semaphore | None = None
        self._waiting = [True]

    def claim(self) -> bool:
        """Become the one who answers for the request, on whichever thread; False when somebody else did."""
        try:
            return self._waiting.pop()
        except IndexError:
            return False

    def give_up(self) -> None:
        """The client is gone: whoever works for it shall stop."""
        self.gone = True
        self.allow_piece()

    def allow_piece(self) -> None:
        """There is room for another piece."""
        if self._room:
            self._room.release()

    def run(self, app: Any) -> None:
        """Have the application answer."""
        try:
            answer = app(self.request.environ(self._base), self._start)
            if isinstance(answer, FileWrapper):
                self._end(self._framed(None), answer)
            else:
                self._send(answer)
        except ClientGone:
            logger.info("the client of %s left within its answer", self.request.path)
            self._fail()
        except Exception:
            logger.exception("the application failed at %s", self.request.path)
            self._fail()

    def _start(self, status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Any:
        """WSGI's `start_response`."""
        if exc_info and self.streamed:
            raise exc_info[1].with_traceback(exc_info[2])
        self._head = status, headers
        return self._write

    def _write(self, data: bytes) -> None:
        raise NotImplementedError("write() of PEP 3333 is for applications older than it")

    def _send(self, answer: Iterable[bytes]) -> None:
        try:
            if getattr(answer, "streaming", False):
                self._stream(answer)
            else:
                body = b"".join(answer)
                head = self._framed(len(body))
                self._end(head if self._is_empty() else head + body)
        finally:
            getattr(answer, "close", bool)()

    def _stream(self, answer: Iterable[bytes]) -> None:
        head = self._framed(None)
        chunked = b"\r\nTransfer-Encoding: chunked\r\n" in head
        self._room = room = threading.Semaphore(PIECES_UNDER_WAY)
        self.streamed = True
        self._piece(room, head)
        for data in () if self._is_empty() else answer:
            if data:
                self._piece(room, b"%x\r\n%b\r\n" % (len(data), data) if chunked else data)
        self._end(b"0\r\n\r\n" if chunked and not self._is_empty() else b"")

    def _piece(self, room: threading.Semaphore, data: bytes) -> None:
        room.acquire()
        if self.gone:
            raise ClientGone
        self._call(self._client.take_piece, self, data)

    def _end(self, data: bytes, file: FileWrapper | None = None) -> None:
        self._call(self._client.take_end, self, data, file)

    def _fail(self) -> None:
        self._call(self._client.take_failure, self)

    def _call(self, method: Callable[..., None], *arguments: Any) -> None:
        # A server that stopped has no loop any more.
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(method, *arguments)

    def _is_empty(self) -> bool:
        return self.request.method == "HEAD" or self._head[0].startswith(EMPTY_STATUSES)

    def _framed(self, length: int | None) -> bytes:
        """The answer's head.

        Args:
            length: of the body; None for one that is not known or announced by the application.

        Raises:
            ValueError: the application announced another length, or wrote a header of several lines.
        """
        status, headers = self._head
        lines = [f"HTTP/1.1 {status}"]
        announced = None
        for name, value in headers:
            lines.append(f"{name}: {value}")
            lower = name.lower()
            if lower == "content-length":
                announced = int(value)
            elif lower == "connection" and value.lower() == "close":
                self.request.keep_alive = False
        if announced is None:
            lines += self._framing(length)
        elif length is not None and announced != length and not self._is_empty():
            raise ValueError(f"{length} bytes were announced as {announced}")
        if not self.request.keep_alive:
            lines.append("Connection: close")
        lines.append(f"Date: {_date()}\r\n\r\n")
        head = "\r\n".join(lines)
        if head.count("\n") != len(lines) + 1:
            raise ValueError("a header of the answer has several lines")
        return head.encode("latin-1")

    def _framing(self, length: int | None) -> list[str]:
        if self._head[0].startswith(EMPTY_STATUSES):
            return []
        if length is not None:
            return [f"Content-Length: {length}"]
        # An old client reads until we close.
        return ["Transfer-Encoding: chunked"] if self.request.version == "1.1" else []


_today = (0, "")


def _date() -> str:
    """The time for a Date header, written once a second."""
    global _today
    now = int(time.time())
    if now != _today[0]:
        _today = now, formatdate(now, usegmt=True)
    return _today[1]
