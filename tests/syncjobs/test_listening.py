"""A listener against the simulated platform: nothing lost, nothing doubled, whatever breaks."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from pytest_django import Settings

from devstack import processes
from devstack.gateway.client import GatewayClient, running_gateway
from syncjobs.connectors.registry import Credentials
from syncjobs.models import ChangeMessage, MessageListener, Source
from syncjobs.selectors.messages import channels_view
from syncjobs.services import listening
from syncjobs.services.listening import Listener
from syncjobs.services.messages import keep
from syncjobs.services.sources import NewSource, add_source
from tests.conftest import HANG_SECONDS, eventually
from tests.server.webserver import environment

END_HOLDER = (
    "SELECT pg_terminate_backend(pid) FROM pg_locks"
    " WHERE locktype = 'advisory' AND classid = %s::bigint::oid AND granted"
    " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
)
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(scope="module")
def running() -> Iterator[GatewayClient]:
    with running_gateway(products=2000, seed=7) as gateway:
        yield gateway


@pytest.fixture
def platform(running: GatewayClient, redis_url: str) -> GatewayClient:
    """The simulator as new."""
    running.control("reset")
    return running


@pytest.fixture(autouse=True)
def haste(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """Servers on this machine may be called, nobody waits long, and nobody hears the workers' bells."""
    settings.OUTBOUND_ALLOWED_HOSTS = ("127.0.0.1",)
    monkeypatch.setattr("system.queue.current_app.send_task", lambda *_, **__: None)
    for name, seconds in (("STANDBY", 0.1), ("PULSE", 0.2), ("FIRST_DELAY", 0.05), ("RECEIVE", 0.05)):
        monkeypatch.setattr(listening, f"{name}_SECONDS", seconds)


@pytest.fixture
def main(platform: GatewayClient) -> Source:
    """A source at the simulator."""
    return add_source(
        NewSource(
            name="main",
            kind="alibaba1688",
            options={"gateway_url": platform.url, "message_url": platform.message_url},
            credentials=Credentials(app_key=platform.app_key, app_secret=platform.app_secret),
            calls_per_second=500,
        )
    )


@contextmanager
def listening_to(source: Source, count: int = 1) -> Iterator[None]:
    """Listeners in threads of this process."""
    stop = threading.Event()
    threads = [threading.Thread(target=Listener(source.pk, stop).run) for _ in range(count)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        for thread in threads:
            thread.join(HANG_SECONDS)
    assert not any(thread.is_alive() for thread in threads)


def is_connected(platform: GatewayClient) -> Callable[[], bool]:
    return lambda: platform.control("channel")["connected"] == 1


def kept() -> set[str]:
    return set(ChangeMessage.objects.values_list("msg_id", flat=True))


def confirmed(platform: GatewayClient) -> int:
    found: int = platform.control("messages")["confirmed"]
    return found


def test_messages_are_kept_once_and_confirmed(platform: GatewayClient, main: Source) -> None:
    assert not channels_view()[0]["listening"]
    with listening_to(main):
        eventually(is_connected(platform))
        made = platform.control("push", count=50, copies=3, shuffle=True)["ids"]
        eventually(lambda: confirmed(platform) == 50)
        shown = eventually(lambda: (view := channels_view()[0])["caught_up_until"] and view)
        assert (shown["source"], shown["listening"], shown["error"], shown["waiting"]) == ("main", True, "", 50)
        assert shown["last_message_at"] is not None
    assert kept() == set(map(str, made))
    assert set(ChangeMessage.objects.values_list("channel", flat=True)) == {"websocket"}
    listener = MessageListener.objects.get()
    assert (listener.connected_at, listener.error) == (None, "")


def test_an_outage_of_hours_is_caught_up_wholly(platform: GatewayClient, main: Source) -> None:
    now = platform.control("clock")["milliseconds"]
    made: list[int] = []
    for hours in (30, 20, 5, 1):
        born = now - hours * 3_600_000
        made += platform.control("push", count=300, via="failed", born=born)["ids"]
    with listening_to(main):
        eventually(lambda: confirmed(platform) == 1200)
        eventually(lambda: MessageListener.objects.filter(pulled_until__isnull=False).exists())
    assert kept() == set(map(str, made))


def test_without_the_permission_the_cursor_is_asked(platform: GatewayClient, main: Source) -> None:
    platform.control("limits", deny="push.query.messageList")
    made = platform.control("push", count=450, via="failed")["ids"]
    with listening_to(main):
        eventually(lambda: len(kept()) == 450)
    assert kept() == set(map(str, made))


def test_confirmations_that_are_refused_do_not_stop_the_catching_up(platform: GatewayClient, main: Source) -> None:
    platform.faults({"kind": "biz_500_2", "api": "push.message.confirm", "every": 2})
    platform.control("push", count=900, via="failed")
    with listening_to(main):
        eventually(lambda: len(kept()) == 900)


@pytest.mark.parametrize("how", ["drop", "close"])
def test_a_broken_connection_loses_nothing(
    platform: GatewayClient, main: Source, monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    monkeypatch.setattr(listening, "PULL_SECONDS", 0.2)
    made: list[int] = []
    with listening_to(main):
        for _ in range(4):
            eventually(is_connected(platform))
            made += platform.control("push", count=20)["ids"]
            platform.control("channel", **{how: True})
        eventually(lambda: confirmed(platform) == 80)
    assert kept() == set(map(str, made))


def test_a_platform_that_refuses_is_asked_again(platform: GatewayClient, main: Source) -> None:
    platform.control("channel", refuse=True)
    with listening_to(main):
        eventually(lambda: platform.control("channel")["refused"] >= 2)
        assert eventually(lambda: MessageListener.objects.values_list("error", flat=True).first()) == "channel_closed"
        platform.control("channel", refuse=False)
        eventually(is_connected(platform))


def test_what_was_not_committed_is_not_confirmed(
    platform: GatewayClient, main: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The listener dies between the commit and the confirmation, or before the commit: the message comes again."""
    monkeypatch.setattr(listening, "PULL_SECONDS", 0.2)
    deaths = iter(["before", "after"])

    def dying(*arguments: Any) -> int:
        how = next(deaths, None)
        if how == "before":
            raise RuntimeError("killed")
        new = keep(*arguments)
        if how == "after":
            raise RuntimeError("killed")
        return new

    monkeypatch.setattr(listening, "keep", dying)
    with listening_to(main):
        eventually(is_connected(platform))
        made = platform.control("push", count=1)["ids"]
        eventually(lambda: confirmed(platform) == 1)
    assert next(deaths, None) is None
    assert kept() == {str(made[0])}


def test_of_many_listeners_one_listens_and_another_takes_over(platform: GatewayClient, main: Source) -> None:
    with listening_to(main, count=3):
        eventually(is_connected(platform))
        platform.control("push", count=5)
        eventually(lambda: confirmed(platform) == 5)
        with connection.cursor() as cursor:
            cursor.execute(END_HOLDER, [listening.LISTEN_LOCK])
        eventually(lambda: platform.control("channel")["connects"] >= 2)
        eventually(is_connected(platform))
        platform.control("push", count=5)
        eventually(lambda: confirmed(platform) == 10)
    assert len(kept()) == 10


def test_a_message_that_is_none_is_confirmed_and_left(platform: GatewayClient, main: Source) -> None:
    with listening_to(main):
        eventually(is_connected(platform))
        platform.control("push", data={"productIds": ",".join(str(10**11 + number) for number in range(1001))})
        platform.control("push", count=1)
        eventually(lambda: confirmed(platform) == 2)
    assert len(kept()) == 1


def test_a_source_that_is_switched_off_is_left(platform: GatewayClient, main: Source) -> None:
    with listening_to(main):
        eventually(is_connected(platform))
        Source.objects.update(is_enabled=False)
        eventually(lambda: platform.control("channel")["connected"] == 0)


def test_an_address_that_may_not_be_called_is_not(main: Source, settings: Settings) -> None:
    settings.OUTBOUND_ALLOWED_HOSTS = ()
    with listening_to(main):
        assert eventually(lambda: MessageListener.objects.values_list("error", flat=True).first()) == "url_refused"


def test_the_command_ends_cleanly_on_sigterm_and_a_kill_loses_nothing(platform: GatewayClient, main: Source) -> None:
    with command() as process:
        eventually(is_connected(platform))
        platform.control("push", count=200)
        eventually(lambda: ChangeMessage.objects.count() > 20)
        process.kill()
        process.wait()
    eventually(lambda: platform.control("channel")["connected"] == 0)
    with command() as process:
        eventually(lambda: confirmed(platform) == 200)
        process.terminate()
        assert process.wait(HANG_SECONDS) == 0
    assert len(kept()) == 200


@contextmanager
def command() -> Iterator["subprocess.Popen[bytes]"]:
    """`manage.py listen` as a process of its own."""
    root = Path(__file__).resolve().parents[2]
    process = subprocess.Popen(
        [sys.executable, "manage.py", "listen", "--source", "main"],
        cwd=root,
        env=environment(0, OUTBOUND_ALLOWED_HOSTS="127.0.0.1"),
        preexec_fn=processes.die_with_parent(signal.SIGKILL),
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            os.kill(process.pid, signal.SIGKILL)
        process.wait()
