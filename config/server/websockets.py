"""The work of the WebSocket process: takes over connections and serves them by ASGI."""

import asyncio
import logging
import socket
from collections.abc import Callable
from typing import Any, cast

import uvicorn
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.http11 import Request

from config.server.handover import received
from config.server.http import Server
from system.asgi import FRAMES

logger = logging.getLogger(__name__)

MAX_FRAME_BYTES = 64 * 1024


class WebSocketProtocol(WebSocketsSansIOProtocol):
    """A connection whose head another process has read.

    Args:
        head: what arrived so far.
    """

    def __init__(self, head: bytes, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._head = head

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Begin with the head."""
        super().connection_made(transport)
        self.data_received(self._head)

    def handle_connect(self, event: Request) -> None:
        """Offer the application our extension, before it begins."""
        super().handle_connect(event)
        if self.handshake_initiated:
            cast(Any, self.scope)["extensions"][FRAMES] = self.write_frame

    def write_frame(self, frame: bytes) -> bool:
        """Write a whole frame at once; False when the client has to catch up first, or is gone."""
        ready = self.handshake_complete and self.writable.is_set() and not self.close_sent
        if ready and not self.transport.is_closing():
            self.transport.write(frame)
            return True
        return False

    async def send(self, message: Any) -> None:
        """Send; a handshake that ended with a refusal is an answer, not an error that has to be logged."""
        await super().send(message)
        if self.close_sent:
            self.handshake_complete = True


class WebSocketServer(Server):
    """Serves the connections that arrive at `end`."""

    def __init__(self, app: str, end: socket.socket, beat: Callable[[], None], drain_seconds: int) -> None:
        config = uvicorn.Config(
            app,
            http="httptools",
            ws=WebSocketProtocol,
            ws_max_size=MAX_FRAME_BYTES,
            ws_per_message_deflate=False,
            lifespan="on",
            timeout_graceful_shutdown=drain_seconds,
            log_config=None,
            # The server's own lines below warnings show addresses with their query.
            log_level="warning",
            access_log=False,
            server_header=False,
            # One truth about proxies: TRUSTED_PROXIES, see system.client_ip.
            proxy_headers=False,
        )
        super().__init__(config, beat)
        self._end = end
        self._adopting: set[asyncio.Task[None]] = set()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Begin to take connections over."""
        asyncio.get_running_loop().add_reader(self._end, self._receive)
        await super().startup(sockets)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Take none any more, and end those that are here."""
        asyncio.get_running_loop().remove_reader(self._end)
        await super().shutdown(sockets)

    def _receive(self) -> None:
        for head, connection in received(self._end):
            task = asyncio.create_task(self._adopt(head, connection))
            self._adopting.add(task)
            task.add_done_callback(self._adopting.discard)

    async def _adopt(self, head: bytes, connection: socket.socket) -> None:
        connection.setblocking(False)

        def protocol() -> WebSocketProtocol:
            return WebSocketProtocol(
                head, config=self.config, server_state=self.server_state, app_state=self.lifespan.state
            )

        try:
            await asyncio.get_running_loop().connect_accepted_socket(protocol, connection)
        except OSError as error:
            logger.info("a WebSocket ended before it was taken over: %s", error)
            connection.close()
