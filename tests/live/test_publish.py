"""The publishing side, against a real Redis and against none."""

import socket
from collections.abc import Iterator
from typing import Any

import pytest
from pytest_django import Settings

from syncjobs import live
from system.redis import redis_client
from tests.conftest import eventually

JOB = 1688


@pytest.fixture
def other_redis(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Settings]:
    """Lets a test point the publisher elsewhere, where it does not wait longer than a sync would."""
    monkeypatch.setattr(live, "ANSWER_SECONDS", 0.08)
    live._script.cache_clear()
    yield settings
    live._script.cache_clear()


def test_numbers_continue_above_the_old_ones_when_redis_lost_everything() -> None:
    live.publish(JOB, "log", {})
    before = newest()
    redis_client("live").flushdb()
    # Only a test has it lose everything within the millisecond of an event.
    eventually(lambda: milliseconds() > before)
    live.publish(JOB, "log", {})
    assert newest() > before


def milliseconds() -> int:
    """The clock of Redis."""
    seconds, microseconds = redis_client("live").time()
    return seconds * 1000 + microseconds // 1000


def test_history_keeps_the_last_events(settings: Settings) -> None:
    settings.LIVE_HISTORY_EVENTS = 3
    for number in range(5):
        live.publish(JOB, "log", {"number": number})
    kept: Any = redis_client("live").lrange(live.channel(f"{live.job_stream(JOB)}:events"), 0, -1)
    assert [event.partition(b" ")[0] for event in kept] == [str(newest() - back).encode() for back in (2, 1, 0)]


@pytest.mark.parametrize("listening", [False, True])
def test_publishing_survives_a_redis_that_is_away_or_silent(other_redis: Settings, listening: bool) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        if not listening:
            silent.close()
        other_redis.REDIS_LIVE_URL = f"redis://127.0.0.1:{port}/0"
        live.publish(JOB, "finished", {"status": "succeeded"})


def test_trouble_is_logged_once_a_minute_and_pauses_publishing() -> None:
    now = [100.0]
    troubles = live.Troubles(lambda: now[0])
    assert not troubles.pausing()
    troubles.note(ConnectionError("away"))
    assert troubles.pausing()
    now[0] += live.PAUSE_SECONDS
    assert not troubles.pausing()


def newest() -> int:
    """The number of the job's newest event."""
    return int(live._script()(args=live.script_arguments("seq", live.job_stream(JOB))))
