"""Connections that change the process, and processes that end."""

import asyncio
import os
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from websockets.exceptions import InvalidMessage, InvalidStatus
from websockets.sync.client import connect

from config.server.handover import Sender, channel, received
from tests.conftest import eventually
from tests.server.webserver import WebServer, alive, web_server

Ends = tuple[socket.socket, socket.socket]
FORBIDDEN, UNAVAILABLE, GONE = 403, 503, 0


@pytest.fixture
def ends() -> Iterator[Ends]:
    """Both ends of a channel."""
    made = channel()
    yield made
    for end in made:
        end.close()


@pytest.fixture
def connection() -> Iterator[Ends]:
    """A client's socket and ours."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        client = socket.create_connection(listener.getsockname())
        ours, _ = listener.accept()
    with client, ours:
        yield client, ours


async def test_a_connection_arrives_with_its_head_and_its_peer(ends: Ends, connection: Ends) -> None:
    client, ours = connection
    told: list[bool] = []
    Sender(ends[0], lambda: True).send(b"GET / HTTP/1.1", ours.fileno(), told.append)
    ours.close()
    [(head, taken)] = received(ends[1])
    with taken:
        assert (head, taken.getpeername(), told) == (b"GET / HTTP/1.1", client.getsockname(), [True])
        taken.sendall(b"still open")
        assert client.recv(100) == b"still open"


async def test_without_a_receiver_nothing_is_sent(ends: Ends, connection: Ends) -> None:
    told: list[bool] = []
    Sender(ends[0], lambda: False).send(b"", connection[1].fileno(), told.append)
    assert (told, list(received(ends[1]))) == ([False], [])


async def test_a_receiver_that_is_busy_gets_all_in_their_order(ends: Ends, connection: Ends) -> None:
    told: list[bool] = []
    sender, heads = Sender(ends[0], lambda: True), [b"%d" % number + b"x" * 20_000 for number in range(40)]
    for head in heads:
        sender.send(head, connection[1].fileno(), told.append)
    assert len(told) < len(heads)
    arrived: list[bytes] = []
    while len(arrived) < len(heads):
        for head, taken in received(ends[1]):
            arrived.append(head)
            taken.close()
        await asyncio.sleep(0)
    assert arrived == heads
    assert told == [True] * len(heads)


async def test_when_the_receiver_dies_who_waits_is_told(ends: Ends, connection: Ends) -> None:
    told: list[bool] = []
    running = [True]
    sender = Sender(ends[0], lambda: running[0])
    for _ in range(40):
        sender.send(b"x" * 20_000, connection[1].fileno(), told.append)
    waiting = 40 - len(told)
    running[0] = False
    sender.check()
    assert told[-waiting:] == [False] * waiting
    for _, taken in received(ends[1]):
        taken.close()


def handshake(server: WebServer) -> int:
    """The status of an upgrade without credentials; GONE when the connection was lost."""
    try:
        with connect(server.ws):
            raise AssertionError("nobody was asked for credentials")
    except InvalidStatus as refused:
        return refused.response.status_code
    except (InvalidMessage, OSError, EOFError):
        return GONE


def pid(process: Path) -> int:
    return int(process.name)


def test_a_websocket_process_that_dies_is_started_again(transactional_db: None) -> None:
    with web_server() as server:
        assert handshake(server) == FORBIDDEN
        websockets = server.processes[1]
        os.kill(pid(websockets), signal.SIGKILL)
        assert alive(server)
        assert handshake(server) in {FORBIDDEN, UNAVAILABLE, GONE}
        eventually(lambda: handshake(server) == FORBIDDEN)
        assert websockets not in server.processes


def test_an_http_process_that_dies_is_started_again(django_db_setup: None) -> None:
    with web_server() as server:
        http = server.processes[-1]
        os.kill(pid(http), signal.SIGKILL)
        eventually(lambda: len(server.processes) == 3 and http not in server.processes and alive(server))


def test_processes_end_with_their_parent(django_db_setup: None) -> None:
    with web_server() as server:
        processes = server.processes
        server.process.kill()
        server.process.wait()
        eventually(lambda: not any(running(process) for process in processes))
        with pytest.raises(httpx.TransportError):
            httpx.get(f"{server.http}/health/live")


def running(process: Path) -> bool:
    """Whether it exists and is no zombie, which a container without an init leaves behind."""
    try:
        return " Z " not in (process / "stat").read_text()
    except FileNotFoundError:
        return False
