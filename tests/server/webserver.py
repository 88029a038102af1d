"""A real web server process over the test's own database and Redis."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import httpx
from django.conf import settings

from devstack import processes
from tests.conftest import eventually


@dataclass(frozen=True)
class WebServer:
    """A running `python -m config.serve`."""

    port: int
    process: "subprocess.Popen[bytes]"

    @property
    def http(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def ws(self) -> str:
        return f"ws://127.0.0.1:{self.port}/ws/v1/sync"

    @property
    def processes(self) -> list[Path]:
        """The folders below /proc of all its processes: the parent, the one for WebSockets, those for HTTP."""
        parent = self.process.pid
        children = Path(f"/proc/{parent}/task/{parent}/children").read_text().split()
        return [Path(f"/proc/{pid}") for pid in (parent, *children)]


def environment(port: int, **extra: str) -> dict[str, str]:
    """What a child needs: our test database, our Redis, and pages of its own address allowed."""
    server = os.environ["DATABASE_URL"].rpartition("/")[0]
    return {
        **os.environ,
        "DATABASE_URL": f"{server}/{settings.DATABASES['default']['NAME']}",
        "WS_ALLOWED_ORIGINS": f"http://127.0.0.1:{port},https://shop.example",
        **extra,
    }


def command(port: int, *arguments: str) -> list[str]:
    """The command line of a server."""
    return [sys.executable, "-m", "config.serve", "--port", str(port), *arguments]


@contextmanager
def web_server(*arguments: str, stderr: IO[bytes] | None = None, **extra: str) -> Iterator[WebServer]:
    """Start a server, wait until it answers, and end it."""
    port = processes.free_port()
    process = subprocess.Popen(
        command(port, *arguments),
        env=environment(port, **extra),
        stderr=stderr,
        preexec_fn=processes.die_with_parent(signal.SIGTERM),
    )
    server = WebServer(port, process)
    try:
        eventually(lambda: alive(server))
        yield server
    finally:
        processes.stop(process, signal.SIGTERM)


def alive(server: WebServer) -> bool:
    """Whether the server answers within a moment, it is asked again; fails at once when its process is gone."""
    assert server.process.poll() is None, f"the server ended with {server.process.returncode}"
    try:
        return httpx.get(f"{server.http}/health/live", timeout=5).status_code == 200
    except httpx.TransportError:
        return False
