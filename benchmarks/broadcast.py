"""How fast live events reach many WebSockets of a running server.

    python -m benchmarks.broadcast --sockets 1000 --rate 40 --seconds 10

Takes BASE_URL and VIEWER_USERNAME / VIEWER_PASSWORD, or TOKEN, from the environment or from .devstack/env, which a
running demo writes. Prints what was asked, what arrived, and the time from publishing to arrival over all sockets; with
`--json` for programs.
"""

import argparse
import asyncio
import base64
import json
import os
import re
import secrets
import statistics
import time
from urllib.parse import urlsplit

import django
import httpx
import uvloop

STAMP = re.compile(rb'"stamp":([0-9.]+)')
DRAIN_SECONDS, LOOK_SECONDS = 3, 0.05


class Listener(asyncio.Protocol):
    """A client that only notes when each event arrived; a full WebSocket client would be the slower side."""

    def __init__(self, host: str, token: str, delays: list[float]) -> None:
        self.host = host
        self.token = token
        self.delays = delays
        self.opened = asyncio.get_running_loop().create_future()
        self.tail = b""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        key = base64.b64encode(secrets.token_bytes(16)).decode()
        lines = [
            "GET /ws/v1/sync HTTP/1.1", f"Host: {self.host}", "Connection: Upgrade", "Upgrade: websocket",
            "Sec-WebSocket-Version: 13", f"Sec-WebSocket-Key: {key}", f"Authorization: Bearer {self.token}",
        ]  # fmt: skip
        transport.write("\r\n".join([*lines, "", ""]).encode())

    def data_received(self, data: bytes) -> None:
        now = time.time()
        if not self.opened.done():
            self.opened.set_result(data.startswith(b"HTTP/1.1 101"))
        data = self.tail + data
        end = 0
        for found in STAMP.finditer(data):
            self.delays.append(now - float(found[1]))
            end = found.end()
        # A stamp may be cut in two by the network.
        self.tail = data[max(end, len(data) - 40) :]


async def measure(options: argparse.Namespace, token: str) -> None:
    """Open the sockets, publish, wait for the last frame, print."""
    from syncjobs.live import publish

    where = urlsplit(options.base_url)
    delays: list[float] = []
    loop = asyncio.get_running_loop()
    listeners = []
    for _ in range(options.sockets):
        _, listener = await loop.create_connection(
            lambda: Listener(where.netloc, token, delays), where.hostname, where.port
        )
        listeners.append(listener)
    accepted = await asyncio.gather(*(listener.opened for listener in listeners))
    begin = time.perf_counter()
    events = options.rate * options.seconds
    for number in range(events):
        await asyncio.sleep(max(0, begin + number / options.rate - time.perf_counter()))
        await asyncio.to_thread(publish, 0, "log", {"number": number, "text": "x" * 400, "stamp": time.time()})
    published = time.perf_counter() - begin
    expected = events * options.sockets
    deadline = time.perf_counter() + DRAIN_SECONDS
    while len(delays) < expected and time.perf_counter() < deadline:
        await asyncio.sleep(LOOK_SECONDS)
    found = figures(sum(accepted), events / published, len(delays) / expected, delays)
    print(json.dumps(found) if options.json else told(found))


def figures(sockets: int, rate: float, share: float, delays: list[float]) -> dict[str, float]:
    """The numbers by name."""
    cuts = statistics.quantiles(delays, n=100)
    times = {"p50_ms": cuts[49] * 1000, "p99_ms": cuts[98] * 1000, "max_ms": max(delays) * 1000}
    return {"sockets": sockets, "rate": rate, "share": share, **times}


def told(found: dict[str, float]) -> str:
    """The numbers for people."""
    return (
        "{sockets} sockets, {rate:.1f} events/s, {share:.2%} of the frames arrived; milliseconds:"
        " p50 {p50_ms:.1f}, p99 {p99_ms:.1f}, max {max_ms:.1f}"
    ).format(**found)


def main() -> None:
    """Read the options, sign in, measure."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    django.setup()
    from config.serve import raise_open_files_limit

    parser = argparse.ArgumentParser(prog="python -m benchmarks.broadcast")
    parser.add_argument("--base-url", default=os.environ.get("BASE_URL", "http://127.0.0.1:8000"))
    parser.add_argument("--sockets", type=int, default=1000)
    parser.add_argument("--rate", type=int, default=40, help="events a second")
    parser.add_argument("--seconds", type=int, default=10)
    parser.add_argument("--json", action="store_true")
    options = parser.parse_args()
    raise_open_files_limit()
    uvloop.run(measure(options, os.environ.get("TOKEN") or sign_in(options.base_url)))


def sign_in(base_url: str) -> str:
    """The token of the user that the environment names."""
    account = {"username": os.environ["VIEWER_USERNAME"], "password": os.environ["VIEWER_PASSWORD"]}
    answer = httpx.post(f"{base_url}/api/v1/auth/login", json=account).raise_for_status()
    return str(answer.json()["data"]["token"])


if __name__ == "__main__":
    main()
