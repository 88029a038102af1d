"""Our own load generator: keep-alive connections on uvloop that each ask again as soon as they are answered.

    python -m benchmarks.client.generator < load.json

It counts every status and is used where wrk is missing, and where more must be known than wrk tells.
"""

import asyncio
import resource
import sys
import time
from collections import Counter
from itertools import cycle

import httptools
import msgspec
import uvloop

from benchmarks.client.load import Load, Outcome
from benchmarks.client.percentiles import percentile

# Connections are opened a few at a time: a server's backlog is not what is measured.
OPENED_AT_ONCE = 100


class Client(asyncio.Protocol):
    """One connection: asks, reads the answer, asks again."""

    def __init__(self, run: "Run") -> None:
        self.run = run
        self.closed = asyncio.get_running_loop().create_future()
        self.waiting = False

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask for the first time."""
        self.transport: asyncio.Transport = transport  # type: ignore[assignment] # TCP connections are both
        self._ask()

    def _ask(self) -> None:
        if self.run.over:
            self.transport.close()
            return
        self.parser = httptools.HttpResponseParser(self)
        self.begin = time.perf_counter()
        self.waiting = True
        self.transport.write(next(self.run.requests))

    def data_received(self, data: bytes) -> None:
        """Read on; the parser calls `on_message_complete`."""
        self.run.bytes += len(data)
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserError:
            self.transport.abort()

    def on_message_complete(self) -> None:
        """Count the answer and ask again."""
        self.waiting = False
        self.run.latencies.append(time.perf_counter() - self.begin)
        self.run.statuses[str(self.parser.get_status_code())] += 1
        if self.parser.should_keep_alive():
            # Not inside the parser's own callback: the next answer gets a parser of its own.
            asyncio.get_running_loop().call_soon(self._ask)
        else:
            self.transport.close()

    def connection_lost(self, _error: Exception | None) -> None:
        """Note whether an answer was owed."""
        if self.waiting:
            if self.run.over:
                self.run.unanswered += 1
            else:
                self.run.broken += 1
        if not self.closed.done():
            self.closed.set_result(None)


class Run:
    """One load from the first connection to the last answer."""

    def __init__(self, load: Load) -> None:
        self.load = load
        self.requests = cycle([_request(path, load.headers) for path in load.paths])
        self.latencies: list[float] = []
        self.statuses: Counter[str] = Counter()
        self.bytes = self.broken = self.unanswered = 0
        self.over = False
        self.clients: set[asyncio.Task[None]] = set()

    async def drive(self) -> Outcome:
        """Keep all connections asking until the time is over; answers that are owed are waited for."""
        gate = asyncio.Semaphore(OPENED_AT_ONCE)
        self.clients = {asyncio.create_task(self._keep_asking(gate)) for _ in range(self.load.connections)}
        begin = time.perf_counter()
        await asyncio.sleep(self.load.seconds)
        answered, seconds = len(self.latencies), time.perf_counter() - begin
        self.over = True
        _, late = await asyncio.wait(self.clients, timeout=self.load.patience)
        for task in late:
            task.cancel()
        await asyncio.gather(*self.clients, return_exceptions=True)
        return self._outcome(answered, seconds)

    async def _keep_asking(self, gate: asyncio.Semaphore) -> None:
        """A connection that ends is opened again."""
        loop = asyncio.get_running_loop()
        while not self.over:
            try:
                async with gate:
                    transport, client = await loop.create_connection(lambda: Client(self), "127.0.0.1", self.load.port)
            except OSError:
                self.broken += 1
                await asyncio.sleep(0.1)
                continue
            try:
                await client.closed
            finally:
                transport.abort()

    def _outcome(self, answered: int, seconds: float) -> Outcome:
        return Outcome(
            requests=answered,
            seconds=seconds,
            bytes=self.bytes,
            statuses=dict(self.statuses),
            broken=self.broken,
            timeouts=self.unanswered,
            p50_ms=percentile(self.latencies, 0.5) * 1000,
            p95_ms=percentile(self.latencies, 0.95) * 1000,
            p99_ms=percentile(self.latencies, 0.99) * 1000,
            max_ms=max(self.latencies, default=0.0) * 1000,
            driver="generator",
        )


def _request(path: str, headers: dict[str, str]) -> bytes:
    lines = [f"GET {path} HTTP/1.1", "Host: 127.0.0.1", *(f"{name}: {value}" for name, value in headers.items())]
    return "\r\n".join([*lines, "", ""]).encode()


def drive(load: Load) -> Outcome:
    """Drive a load in this process."""

    async def run() -> Outcome:
        return await Run(load).drive()

    return uvloop.run(run())


def main() -> None:
    """Read the load, drive it, print the outcome."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    load = msgspec.json.decode(sys.stdin.buffer.read(), type=Load)
    sys.stdout.buffer.write(msgspec.json.encode(drive(load)))


if __name__ == "__main__":
    main()
