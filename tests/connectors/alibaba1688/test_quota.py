"""The shared call gate on a real Redis."""

import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from uuid import uuid4

import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from syncjobs.connectors.alibaba1688.dates import next_china_midnight
from syncjobs.connectors.alibaba1688.quota import RedisCallGate
from syncjobs.engine.errors import QuotaExhausted, RetryableSourceError


@pytest.fixture
def client(redis_url: str) -> Iterator[redis.Redis]:
    with redis.Redis.from_url(redis_url) as connection:
        yield connection


@pytest.fixture
def key() -> str:
    return f"test:{uuid4()}"


class Clock:
    """Sleeps by noting it, so that a test sees the waits without waiting."""

    def __init__(self) -> None:
        self.slept: list[float] = []

    def __call__(self, seconds: float) -> None:
        self.slept.append(seconds)


def test_calls_of_all_workers_keep_one_pace(client: redis.Redis, key: str) -> None:
    clocks = [Clock(), Clock()]
    gates = [RedisCallGate(client, key, 2, None, clock) for clock in clocks]
    for number in range(6):
        gates[number % 2].acquire("api")
    waits = sorted(wait for clock in clocks for wait in clock.slept)
    assert len(waits) == 5
    assert all(later - earlier > 0.4 for earlier, later in pairwise(waits))
    assert waits[-1] == pytest.approx(2.5, rel=0.2)


def test_many_threads_never_exceed_the_pace(client: redis.Redis, key: str) -> None:
    called: list[float] = []

    def work() -> None:
        gate = RedisCallGate(client, key, 50, None)
        for _ in range(5):
            gate.acquire("api")
            called.append(time.monotonic())

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(called) == 40
    assert max(called) - min(called) >= 39 / 50


def test_another_app_key_has_its_own_pace(client: redis.Redis, key: str) -> None:
    clock = Clock()
    for number in range(3):
        RedisCallGate(client, f"{key}:{number}", 0.5, None, clock).acquire("api")
    assert clock.slept == []


def test_a_long_wait_goes_back_to_the_engine(client: redis.Redis, key: str) -> None:
    gate = RedisCallGate(client, key, 0.02, None, Clock())
    gate.acquire("api")
    with pytest.raises(RetryableSourceError) as refusal:
        gate.acquire("api")
    assert refusal.value.code == "rate_limited"
    assert refusal.value.retry_after == pytest.approx(50, rel=0.1)


def test_a_refused_call_is_not_counted(client: redis.Redis, key: str) -> None:
    gate = RedisCallGate(client, key, 0.02, 2, Clock())
    gate.acquire("api")
    for _ in range(3):
        with pytest.raises(RetryableSourceError):
            gate.acquire("api")
    (ledger,) = client.scan_iter(f"*{key}*calls*")
    assert client.get(ledger) == b"1"
    assert 0 < client.ttl(ledger) <= 8 * 86_400


def test_a_full_ledger_holds_until_midnight_in_china(client: redis.Redis, key: str) -> None:
    gate = RedisCallGate(client, key, 1000, 3, Clock())
    for _ in range(3):
        gate.acquire("api")
    with pytest.raises(QuotaExhausted) as refusal:
        RedisCallGate(client, key, 1000, 3, Clock()).acquire("api")
    seconds, _ = client.time()
    assert refusal.value.until == next_china_midnight(datetime.fromtimestamp(seconds, UTC))


def test_every_day_has_its_own_ledger(client: redis.Redis, key: str) -> None:
    gate = RedisCallGate(client, key, 1000, 1, Clock())
    gate.acquire("api")
    (ledger,) = client.scan_iter(f"*{key}*calls*")
    day = int(ledger.rpartition(b":")[2])
    seconds, _ = client.time()
    assert datetime(1970, 1, 1, tzinfo=UTC) + timedelta(days=day) <= datetime.fromtimestamp(seconds + 8 * 3600, UTC)
    client.rename(ledger, ledger.replace(str(day).encode(), str(day - 1).encode()))
    gate.acquire("api")


def test_slowing_down_holds_every_worker(client: redis.Redis, key: str) -> None:
    RedisCallGate(client, key, 1000, None, Clock()).slow_down(60)
    with pytest.raises(RetryableSourceError) as refusal:
        RedisCallGate(client, key, 1000, None, Clock()).acquire("api")
    assert refusal.value.retry_after == pytest.approx(60, rel=0.05)


def test_a_shorter_pause_does_not_end_a_longer_one(client: redis.Redis, key: str) -> None:
    gate = RedisCallGate(client, key, 1000, None, Clock())
    gate.slow_down(60)
    gate.slow_down(1)
    with pytest.raises(RetryableSourceError) as refusal:
        gate.acquire("api")
    assert refusal.value.retry_after == pytest.approx(60, rel=0.05)


def test_who_waits_for_his_turn_is_held_too(client: redis.Redis, key: str) -> None:
    other = RedisCallGate(client, key, 1, None, Clock())
    other.acquire("api")
    with pytest.raises(RetryableSourceError) as refusal:
        RedisCallGate(client, key, 1, None, lambda _: other.slow_down(60)).acquire("api")
    assert refusal.value.retry_after == pytest.approx(60, rel=0.05)


def test_without_redis_nobody_calls(key: str, caplog: pytest.LogCaptureFixture) -> None:
    with redis.Redis(port=1, retry=Retry(NoBackoff(), 0)) as nowhere:
        gate = RedisCallGate(nowhere, key, 1000, None, Clock())
        for _ in range(3):
            with pytest.raises(RetryableSourceError) as refusal:
                gate.acquire("api")
            assert refusal.value.code == "limiter_unavailable"
            assert refusal.value.retry_after
    assert len(caplog.records) == 1
