"""A server, users, jobs and WebSocket clients."""

import json
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.utils import timezone
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from accounts.services import create_user, login
from syncjobs.models import Source, SyncJob
from tests.conftest import HANG_SECONDS, PASSWORD
from tests.server.webserver import WebServer, web_server

Frame = dict[str, Any]


class Watching:
    """A WebSocket client that reads frames one by one."""

    def __init__(self, connection: ClientConnection) -> None:
        self.connection = connection

    def frame(self) -> Frame:
        """The next frame."""
        return dict(json.loads(self.connection.recv(timeout=HANG_SECONDS)))

    def frame_of(self, kind: str) -> Frame:
        """The next frame of a type; others are passed over."""
        return self.frame_where(lambda frame: frame["type"] == kind)

    def frame_where(self, wanted: Callable[[Frame], bool]) -> Frame:
        """The next frame that fits; others do not prolong the wait."""
        deadline = time.monotonic() + HANG_SECONDS
        while not wanted(frame := self.frame()):
            assert time.monotonic() < deadline, f"the last frame was {frame}"
        return frame

    def closing_code(self) -> int:
        """The code with which the server closes; what it says before is passed over."""
        with pytest.raises(ConnectionClosed) as closed:
            self.frame_of("nothing the server says")
        assert closed.value.rcvd is not None
        return closed.value.rcvd.code

    def say(self, message: object) -> None:
        """Send a JSON message."""
        self.connection.send(json.dumps(message))


@pytest.fixture(scope="session")
def server(django_db_setup: None) -> Iterator[WebServer]:
    """One server for all tests of a worker; it looks at open sockets' users every second."""
    with web_server(WS_RECHECK_SECONDS="1") as running:
        yield running


@pytest.fixture
def sign_in(transactional_db: None) -> Callable[..., str]:
    """Make a user with a role and sign in; returns the access token."""

    def make(username: str = "watcher", role: str = "viewer") -> str:
        create_user(username, f"{username}@example.com", PASSWORD, role=role)
        return str(login(username, PASSWORD)["token"])

    return make


@pytest.fixture
def make_job(transactional_db: None) -> Callable[[str], SyncJob]:
    """Make a running job."""

    def make(task_id: str) -> SyncJob:
        source, _ = Source.objects.get_or_create(name="shop", defaults={"kind": "feed"})
        now = timezone.now()
        return SyncJob.objects.create(
            task_id=task_id, source=source, type="full", scope=task_id, total=100, created_at=now, started_at=now
        )

    return make


@pytest.fixture
def job(make_job: Callable[[str], SyncJob]) -> SyncJob:
    """A running job."""
    return make_job("sync_20260101_001")


@pytest.fixture
def open_socket() -> Iterator[Callable[..., Watching]]:
    """Open WebSockets by token; they are closed at the end."""
    with ExitStack() as opened:

        def open_one(url: str, token: str, *, read_buffer: int = 0) -> Watching:
            headers = {"Authorization": f"Bearer {token}"}
            peer = _small_socket(url, read_buffer) if read_buffer else None
            return Watching(
                opened.enter_context(
                    connect(url, additional_headers=headers, max_size=None, sock=peer, open_timeout=HANG_SECONDS)
                )
            )

        yield open_one


def _small_socket(url: str, read_buffer: int) -> socket.socket:
    """A connection whose kernel keeps little of what nobody reads; some machines would keep 32 MB."""
    peer = socket.socket()
    peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, read_buffer)
    parts = urlsplit(url)
    peer.connect((parts.hostname, parts.port))
    return peer


@pytest.fixture
def watching(
    server: WebServer, job: SyncJob, sign_in: Callable[..., str], open_socket: Callable[..., Watching]
) -> Watching:
    """Somebody who watches the job."""
    return open_socket(f"{server.ws}/{job.task_id}", sign_in())
