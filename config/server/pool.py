"""The threads that run the application, and the queue in front of them."""

import contextvars
import threading
from queue import SimpleQueue
from typing import Any

from config.server.exchange import Exchange


class Pool:
    """Few threads work off requests in the order they came; at most `limit` are in work or waiting.

    Whoever leaves while waiting costs no thread. Database connections belong to threads: there are never more.
    """

    def __init__(self, app: Any, *, threads: int, limit: int, name: str) -> None:
        self._app = app
        self._limit = limit
        self._in_flight = 0
        self._queue: SimpleQueue[Exchange] = SimpleQueue()
        for number in range(threads):
            # Daemons: a stopped server does not wait for a request beyond the time it may take.
            threading.Thread(target=self._work, name=f"{name}-{number}", daemon=True).start()

    def submit(self, exchange: Exchange) -> bool:
        """Queue a request; False when there are too many already."""
        if self._in_flight >= self._limit:
            return False
        self._in_flight += 1
        exchange.pool = self
        self._queue.put(exchange)
        return True

    def leave(self) -> None:
        """One of the submitted is done."""
        self._in_flight -= 1

    def _work(self) -> None:
        while True:
            exchange = self._queue.get()
            if exchange.claim():
                contextvars.copy_context().run(exchange.run, self._app)
            # What it held must not wait for the next one.
            del exchange
