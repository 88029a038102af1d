"""The work of an HTTP process."""

import asyncio
import socket
import sys
from collections.abc import Callable
from typing import Any

import uvicorn

from config.server.handover import Sender
from config.server.protocol import HttpProtocol
from config.server.site import Site

PULSE_SECONDS = 1
# How long a thread may keep the others from running Python. The loop takes the lock for each connection and each read
# anew: with the interpreter's 5 ms, accepting a thousand connections would take seconds while requests are in work.
SWITCH_SECONDS = 0.0005


class Server(uvicorn.Server):
    """A server that shows signs of life.

    Args:
        beat: called every second by the event loop.
    """

    def __init__(self, config: uvicorn.Config, beat: Callable[[], None]) -> None:
        super().__init__(config)
        self._beat = beat

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to serve."""
        await super().startup(sockets)
        self._pulse()

    def _pulse(self) -> None:
        self._beat()
        asyncio.get_running_loop().call_later(PULSE_SECONDS, self._pulse)


class HttpServer(Server):
    """Serves HTTP by threads; connections that become WebSockets leave through `sender`."""

    def __init__(self, app: Any, sender: Sender, beat: Callable[[], None], drain_seconds: int) -> None:
        config = uvicorn.Config(
            _nothing,
            http=self._connection,  # type: ignore[arg-type]  # called like a class
            interface="asgi3",
            lifespan="off",
            timeout_graceful_shutdown=drain_seconds,
            # Django configures the logs.
            log_config=None,
            log_level="warning",
            access_log=False,
        )
        super().__init__(config, beat)
        self._app = app
        self._sender = sender

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start the threads, then listen."""
        sys.setswitchinterval(SWITCH_SECONDS)
        self._site = Site(self._app, self.server_state, self._sender)
        await super().startup(sockets)

    def _connection(self, **_options: Any) -> HttpProtocol:
        return HttpProtocol(self._site)


async def _nothing(_scope: Any, _receive: Any, _send: Any) -> None:
    """uvicorn wants an application; our connections answer without one."""
