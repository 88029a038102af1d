"""What the connections of one HTTP process share: threads, limits, and the way to the WebSocket process."""

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any

from django.conf import settings
from uvicorn.server import ServerState

from config.server.exchange import Exchange
from config.server.handover import Sender
from config.server.pool import Pool

logger = logging.getLogger(__name__)

# Bodies of all requests in work together: a thousand uploads must not fill the memory.
MAX_BODY_BYTES_TOGETHER = 256 * 1024 * 1024
SWEEP_SECONDS = 0.5


class Site:
    """Runs requests in two pools, so that health is answered however long the queue of the others is."""

    def __init__(self, app: Any, state: ServerState, sender: Sender) -> None:
        self.loop = asyncio.get_running_loop()
        self.sender = sender
        self.state = state
        self._held = 0
        self._turned_away = 0
        self._web = Pool(app, threads=settings.WEB_THREADS, limit=settings.WEB_MAX_IN_FLIGHT, name="web")
        self._health = Pool(app, threads=1, limit=settings.WEB_MAX_HEALTH_IN_FLIGHT, name="health")
        self._sweep()

    def submit(self, exchange: Exchange) -> bool:
        """Have a request answered; False when too many are in work or waiting."""
        pool = self._health if is_health(exchange.request.target[0]) else self._web
        if pool.submit(exchange):
            return True
        self._turned_away += 1
        self.release(exchange.request.body)
        exchange.request.body = b""
        return False

    def settle(self, exchange: Exchange) -> bool:
        """Note that a request is done; False when that is known."""
        if exchange.pool is None:
            return False
        exchange.pool.leave()
        exchange.pool = None
        self.release(exchange.request.body)
        return True

    def abandon(self, exchange: Exchange) -> None:
        """The client of a request has left: it costs no thread if none has begun."""
        exchange.give_up()
        if exchange.claim():
            self.settle(exchange)
            exchange.request.body = b""

    def spawn(self, work: Coroutine[Any, Any, None]) -> None:
        """Run something beside; the server waits for it at its end."""
        task = self.loop.create_task(work)
        self.state.tasks.add(task)
        task.add_done_callback(self.state.tasks.discard)

    def hold(self, size: int) -> bool:
        """Count bytes of a body; False when all bodies together are too large."""
        self._held += size
        return self._held <= MAX_BODY_BYTES_TOGETHER

    def release(self, body: bytes | bytearray) -> None:
        """Forget a body."""
        self._held -= len(body)

    def _sweep(self) -> None:
        """End what has taken too long; one timer instead of one a connection."""
        now = self.loop.time()
        for connection in list(self.state.connections):
            deadline = connection.deadline  # type: ignore[union-attr]
            if deadline is not None and deadline <= now:
                connection.expire()  # type: ignore[union-attr]
        self.sender.check()
        if self._turned_away:
            logger.warning("%s requests were told to come back: too many are waiting", self._turned_away)
            self._turned_away = 0
        self.loop.call_later(SWEEP_SECONDS, self._sweep)


def is_health(path: bytes) -> bool:
    """Whether a path asks for the process's health, which must answer however long the queue is."""
    return path.startswith(b"/health") or path.rstrip(b"/").endswith(b"/health")
