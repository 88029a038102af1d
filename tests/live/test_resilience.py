"""WebSockets when Redis dies, when a client does not read, and when its time is over."""

import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from pytest_django import Settings

from accounts.models import User
from accounts.services import end_sessions
from devstack.redis import EmbeddedRedis
from syncjobs import live
from syncjobs.models import SyncJob
from system.sql import fetch_one
from tests.conftest import eventually
from tests.live.conftest import Watching
from tests.server.webserver import WebServer, web_server

BIG_EVENTS, BIG_BYTES = 400, 50_000
RESIDENT_GROWTH_LIMIT = 50 * 1024**2
IN_TRANSACTION = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND state LIKE 'idle in%%'"


@pytest.fixture
def mortal_redis(tmp_path: Path, settings: Settings) -> Iterator[EmbeddedRedis]:
    """A Redis of this test's own; events are published to it."""
    with EmbeddedRedis(tmp_path / "redis", persistent=False) as server:
        settings.REDIS_LIVE_URL = server.url.replace("/0", "/2")
        # The servers of these tests are given database 0, whichever one this test process has.
        settings.REDIS_KEY_PREFIX = "s1688:0:"
        live._script.cache_clear()
        yield server
    live._script.cache_clear()


def test_after_a_redis_crash_every_socket_sees_the_truth(
    mortal_redis: EmbeddedRedis, job: SyncJob, sign_in: Callable[..., str], open_socket: Callable[..., Watching]
) -> None:
    with web_server(REDIS_URL=mortal_redis.url, REDIS_LIVE_URL=mortal_redis.url.replace("/0", "/2")) as server:
        watching = open_socket(f"{server.ws}/{job.task_id}", sign_in())
        assert watching.frame()["data"]["progress"]["processed"] == 0
        mortal_redis.kill()
        SyncJob.objects.filter(pk=job.pk).update(processed=42)
        live.publish(job.pk, "finished", {"lost": True})
        mortal_redis.start()
        snapshot = watching.frame()
        assert (snapshot["type"], snapshot["data"]["progress"]["processed"]) == ("snapshot", 42)
        live.publish(job.pk, "finished", {})
        assert watching.frame_of("finished")["seq"] == snapshot["seq"] + 1
        watching.connection.close()


def test_without_redis_there_are_still_snapshots(
    mortal_redis: EmbeddedRedis, job: SyncJob, sign_in: Callable[..., str], open_socket: Callable[..., Watching]
) -> None:
    token = sign_in()
    with web_server(REDIS_LIVE_URL=mortal_redis.url.replace("/0", "/2"), WS_SNAPSHOT_SECONDS="1") as server:
        mortal_redis.kill()
        watching = open_socket(f"{server.ws}/{job.task_id}", token)
        assert watching.frame()["data"]["progress"]["processed"] == 0
        SyncJob.objects.filter(pk=job.pk).update(processed=42)
        assert watching.frame_where(lambda frame: frame["data"]["progress"]["processed"] == 42)["type"] == "snapshot"
        watching.connection.close()


def test_a_user_whose_sessions_end_is_disconnected(watching: Watching) -> None:
    watching.frame()
    end_sessions(User.objects.get(username="watcher").pk)
    assert watching.closing_code() == 4401


def test_a_user_who_loses_the_role_is_disconnected(watching: Watching) -> None:
    watching.frame()
    User.objects.get(username="watcher").groups.clear()
    assert watching.closing_code() == 4401


def test_a_deleted_job_ends_its_sockets(
    job: SyncJob, sign_in: Callable[..., str], open_socket: Callable[..., Watching]
) -> None:
    with web_server(WS_SNAPSHOT_SECONDS="1") as server:
        watching = open_socket(f"{server.ws}/{job.task_id}", sign_in())
        watching.frame()
        SyncJob.objects.filter(pk=job.pk).delete()
        assert watching.closing_code() == 4404


def test_an_old_socket_is_asked_to_connect_again(
    job: SyncJob, sign_in: Callable[..., str], open_socket: Callable[..., Watching]
) -> None:
    with web_server(WS_MAX_AGE_SECONDS="1") as server:
        watching = open_socket(f"{server.ws}/{job.task_id}", sign_in())
        assert watching.frame()["type"] == "snapshot"
        assert watching.closing_code() == 4001


def test_who_does_not_read_is_dropped_and_costs_no_memory(
    job: SyncJob, sign_in: Callable[..., str], open_socket: Callable[..., Watching], settings: Settings, tmp_path: Path
) -> None:
    settings.LIVE_HISTORY_EVENTS = 10
    token, log = sign_in(), tmp_path / "server.log"
    with log.open("wb") as stderr, web_server(stderr=stderr, WS_SEND_SECONDS="2") as server:
        attentive = open_socket(f"{server.ws}/{job.task_id}", token)
        attentive.frame()
        with deaf_socket(server, job, token):
            before = resident_bytes(server)
            for number in range(BIG_EVENTS):
                live.publish(job.pk, "log", {"number": number, "text": "x" * BIG_BYTES})
                shown = attentive.frame_of("log")
            assert shown["data"]["number"] == BIG_EVENTS - 1
            eventually(lambda: b"does not read" in log.read_bytes())
            assert resident_bytes(server) - before < RESIDENT_GROWTH_LIMIT
        attentive.connection.close()


def test_who_reads_too_slowly_ends_with_the_truth(
    job: SyncJob,
    sign_in: Callable[..., str],
    open_socket: Callable[..., Watching],
    settings: Settings,
) -> None:
    settings.LIVE_HISTORY_EVENTS = 10
    with web_server(WS_OUTBOX_FRAMES="5") as server:
        slow = open_socket(f"{server.ws}/{job.task_id}", sign_in(), read_buffer=65_536)
        slow.frame()
        for number in range(BIG_EVENTS):
            live.publish(job.pk, "log", {"number": number, "text": "x" * BIG_BYTES})
        SyncJob.objects.filter(pk=job.pk).update(state="succeeded")
        live.publish(job.pk, "finished", {"status": "succeeded"})
        frames = [slow.frame()]
        while frames[-1]["data"].get("status") != "succeeded":
            frames.append(slow.frame())
        assert len(frames) < BIG_EVENTS
        assert any(frame["type"] == "snapshot" for frame in frames)
        slow.connection.close()


def deaf_socket(server: WebServer, job: SyncJob, token: str) -> socket.socket:
    """A WebSocket whose client reads nothing after the handshake."""
    deaf = socket.socket()
    deaf.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    deaf.connect(("127.0.0.1", server.port))
    lines = [
        f"GET /ws/v1/sync/{job.task_id} HTTP/1.1", "Host: 127.0.0.1", "Connection: Upgrade", "Upgrade: websocket",
        "Sec-WebSocket-Version: 13", "Sec-WebSocket-Key: MDEyMzQ1Njc4OWFiY2RlZg==", f"Authorization: Bearer {token}",
    ]  # fmt: skip
    deaf.sendall("\r\n".join([*lines, "", ""]).encode())
    assert deaf.recv(12) == b"HTTP/1.1 101"
    return deaf


def resident_bytes(server: WebServer) -> int:
    """The memory a server uses."""
    fields = [(process / "status").read_text().split("VmRSS:")[1] for process in server.processes]
    return sum(int(field.split()[0]) for field in fields) * 1024


def test_web_sockets_leave_no_transaction_open(watching: Watching) -> None:
    watching.frame()
    # Some are open at any moment, but none stays.
    eventually(lambda: fetch_one(IN_TRANSACTION) == (0,))
