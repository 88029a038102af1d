"""Looks at a server while it is under load: its health, its memory, its connections to the database."""

import threading
import time
from types import TracebackType
from typing import Self

import httpx
import psycopg

from benchmarks.bench import Site

LOOK_SECONDS = 0.5
HEALTH_PATIENCE_SECONDS = 30
_CONNECTIONS = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'web'"


class Watch:
    """What was seen while the `with` block ran.

    Attributes:
        health: seconds that `/health` took, each time; health_failures: how often it did not answer.
        memory_mb, connections: the most there were.
    """

    def __init__(self, site: Site) -> None:
        self.health: list[float] = []
        self.health_failures = 0
        self.memory_mb = 0.0
        self.connections = 0
        self._site = site
        self._over = threading.Event()
        self._threads = [threading.Thread(target=look, daemon=True) for look in (self._ask, self._count)]

    @property
    def facts(self) -> dict[str, float]:
        """The numbers by the names of columns."""
        return {
            "health_max_ms": max(self.health, default=0.0) * 1000,
            "health_failures": self.health_failures,
            "database_connections": self.connections,
        }

    def _ask(self) -> None:
        url = f"http://127.0.0.1:{self._site.port}/health"
        while not self._over.wait(LOOK_SECONDS):
            begin = time.perf_counter()
            try:
                # Every time over a connection of its own, as a load balancer does.
                httpx.get(url, timeout=HEALTH_PATIENCE_SECONDS, trust_env=False)
                self.health.append(time.perf_counter() - begin)
            except httpx.HTTPError:
                self.health_failures += 1

    def _count(self) -> None:
        with psycopg.connect(self._site.bench.installation.database_url(), autocommit=True) as connection:
            while not self._over.wait(LOOK_SECONDS):
                self.connections = max(self.connections, connection.execute(_CONNECTIONS).fetchall()[0][0])
                self.memory_mb = max(self.memory_mb, self._site.memory_mb())

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()
