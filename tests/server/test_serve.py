"""Starting, stopping and a thousand connections at once."""

import asyncio
import resource
import signal
import socket
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect

from config.serve import raise_open_files_limit
from tests.conftest import HANG_SECONDS
from tests.server.webserver import WebServer, command, environment, web_server

CONNECTIONS = 1000


def test_a_taken_port_is_one_sentence_and_exit_code_2() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ended = subprocess.run(command(port), env=environment(port), capture_output=True, text=True)
    assert ended.returncode == 2
    assert ended.stderr == f"Port {port} on 127.0.0.1 is taken by another program; choose another one with --port.\n"


def test_sigterm_ends_the_server_in_good_order(django_db_setup: None) -> None:
    with web_server() as server:
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(HANG_SECONDS) == 0


def test_several_processes_serve_one_port(django_db_setup: None) -> None:
    with web_server("--processes", "2") as server:
        server.process.send_signal(signal.SIGTERM)
        assert server.process.wait(HANG_SECONDS) == 0


def test_a_refused_handshake_is_no_error_in_the_log(transactional_db: None, tmp_path: Path) -> None:
    log = tmp_path / "server.log"
    with log.open("wb") as stderr, web_server(stderr=stderr) as server, pytest.raises(InvalidStatus) as refused:
        connect(server.ws)
    assert refused.value.response.status_code == 403
    assert "without completing handshake" not in log.read_text()


def test_the_server_takes_all_the_files_it_may_open() -> None:
    script = (
        "import resource, config.serve as serve\n"
        "hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]\n"
        "resource.setrlimit(resource.RLIMIT_NOFILE, (64, hard))\n"
        "serve.raise_open_files_limit()\n"
        "assert resource.getrlimit(resource.RLIMIT_NOFILE) == (hard, hard)\n"
    )
    assert subprocess.run([sys.executable, "-c", script], env=environment(0)).returncode == 0


def test_a_thousand_connections_at_once_meet_no_server_error(transactional_db: None) -> None:
    raise_open_files_limit()
    assert resource.getrlimit(resource.RLIMIT_NOFILE)[0] > CONNECTIONS
    # All connect before the first one speaks, which takes this machine as long as it takes.
    with web_server(WEB_HEAD_SECONDS="60") as server:
        statuses, health = asyncio.run(crowd(server))
    assert statuses == {401: CONNECTIONS}
    assert health == {200: 5}


async def crowd(server: WebServer) -> tuple[Counter[int], Counter[int]]:
    """Statuses of a thousand requests that wait for each other to connect, and of health checks meanwhile."""
    everybody = asyncio.Barrier(CONNECTIONS)

    async def one() -> int:
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        await everybody.wait()
        return await ask(reader, writer, "/api/v1/auth/profile")

    async def health() -> list[int]:
        return [await ask(*await asyncio.open_connection("127.0.0.1", server.port), "/health/live") for _ in range(5)]

    asking = [asyncio.create_task(one()) for _ in range(CONNECTIONS)]
    healthy = await health()
    return Counter(await asyncio.gather(*asking)), Counter(healthy)


async def ask(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, path: str) -> int:
    """The status of one request."""
    writer.write(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n".encode())
    status = int((await reader.readline()).split()[1])
    await reader.read()
    writer.close()
    return status
