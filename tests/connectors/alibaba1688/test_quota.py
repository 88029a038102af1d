"""The shared call gate on a real Redis: pace, ledger, pauses."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from unittest.mock import Mock
from uuid import uuid4

import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from syncjobs.connectors.alibaba1688.dates import next_china_midnight
from syncjobs.connectors.alibaba1688.quota import Asker, Pace, RedisCallGate
from syncjobs.engine.errors import QuotaExhausted, RetryableSourceError
from tests.connectors.alibaba1688.virtual_time import VirtualTime


@pytest.fixture
def client(redis_url: str) -> Iterator[redis.Redis]:
    with redis.Redis.from_url(redis_url) as connection:
        yield connection


@pytest.fixture
def key() -> str:
    return f"test:{uuid4()}"


def busiest_second(moments: list[float]) -> int:
    """The most calls in any second."""
    return max(sum(begin <= moment < begin + 1 for moment in moments) for begin in moments)


class Callers:
    """Workers that call as often as they may.

    Attributes:
        called: when each call was made.
    """

    def __init__(self, client: redis.Redis, key: str, time: VirtualTime) -> None:
        self._client, self._key, self._time = client, key, time
        self.called: list[float] = []

    def work(self, pace: Pace, calls: int) -> None:
        """One worker."""
        gate = RedisCallGate(self._client, self._key, pace, self._time.sleep)
        for _ in range(calls):
            gate.acquire("api")
            self.called.append(self._time.now)


@pytest.fixture
def time_(client: redis.Redis, monkeypatch: pytest.MonkeyPatch) -> VirtualTime:
    return VirtualTime(client, monkeypatch)


@pytest.fixture
def callers(client: redis.Redis, key: str, time_: VirtualTime) -> Callers:
    return Callers(client, key, time_)


def test_many_workers_never_exceed_the_pace_and_use_it(callers: Callers, time_: VirtualTime) -> None:
    time_.run(*[lambda: callers.work(Pace(qps=50), calls=25)] * 8)
    assert len(callers.called) == 200
    assert callers.called == sorted(callers.called)
    assert busiest_second(callers.called) in range(46, 51)
    assert 199 / 50 <= callers.called[-1] - callers.called[0] < 199 / 46


def test_a_redis_that_forgets_everything_does_not_quicken_the_pace(
    client: redis.Redis, callers: Callers, time_: VirtualTime
) -> None:
    def flush() -> None:
        while len(callers.called) < 48:
            time_.sleep(0.15)
            client.flushdb()
            time_.set(time_.now)

    time_.run(*[lambda: callers.work(Pace(qps=30), calls=8)] * 6, flush)
    # After every flush the next call waits as long as after any other.
    assert busiest_second(callers.called) <= 30


def test_a_call_that_need_not_wait_is_one_round_trip(
    client: redis.Redis, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = RedisCallGate(client, key, Pace(qps=1000))
    gate.acquire("api")
    # Redis' own statistics would count the calls of every other test as well.
    sent = Mock(wraps=client.execute_command)
    monkeypatch.setattr(client, "execute_command", sent)
    for _ in range(10):
        time.sleep(0.01)
        gate.acquire("api")
    assert [call.args[0] for call in sent.call_args_list] == ["EVALSHA"] * 10


def test_another_app_key_has_its_own_pace(client: redis.Redis, key: str, time_: VirtualTime) -> None:
    gates = [
        RedisCallGate(client, f"{key}:{number}", Pace(qps=2), time_.sleep, longest_wait=0.6) for number in range(2)
    ]
    for gate in gates:
        gate.acquire("api")
    began = time_.now
    for gate in gates:
        gate.acquire("api")
    assert time_.now - began < 1


def test_a_long_wait_goes_back_to_the_engine(client: redis.Redis, key: str) -> None:
    gate = RedisCallGate(client, key, Pace(qps=0.02))
    with pytest.raises(RetryableSourceError) as refusal:
        gate.acquire("api")
    assert (refusal.value.code, refusal.value.waits) == ("rate_limited", True)
    assert refusal.value.retry_after == pytest.approx(51, rel=0.1)


def test_a_refused_call_is_not_counted(client: redis.Redis, key: str) -> None:
    RedisCallGate(client, key, Pace(qps=1000)).acquire("api")
    gate = RedisCallGate(client, key, Pace(qps=1000, daily_limit=2))
    gate.slow_down(60)
    for _ in range(3):
        with pytest.raises(RetryableSourceError):
            gate.acquire("api")
    assert gate.used_today() == 1
    (ledger,) = client.scan_iter(f"*{key}*calls*")
    assert 0 < client.ttl(ledger) <= 8 * 86_400


def test_a_full_ledger_holds_until_midnight_in_china(client: redis.Redis, key: str) -> None:
    gate = RedisCallGate(client, key, Pace(qps=1000, daily_limit=3))
    for _ in range(3):
        gate.acquire("api")
    with pytest.raises(QuotaExhausted) as refusal:
        RedisCallGate(client, key, Pace(qps=1000, daily_limit=3)).acquire("api")
    seconds, _ = client.time()
    assert refusal.value.until == next_china_midnight(datetime.fromtimestamp(seconds, UTC))


def test_the_reserve_is_for_critical_jobs(client: redis.Redis, key: str) -> None:
    pace = Pace(qps=1000, daily_limit=5, hold_at=3)
    usual = RedisCallGate(client, key, pace, asker=Asker(job="1", priority="default"))
    for _ in range(3):
        usual.acquire("api")
    with pytest.raises(QuotaExhausted, match="3 of 5 calls of the day"):
        usual.acquire("api")
    urgent = RedisCallGate(client, key, pace, asker=Asker(job="2", priority="critical"))
    for _ in range(2):
        urgent.acquire("api")
    with pytest.raises(QuotaExhausted):
        urgent.acquire("api")


def test_every_day_and_every_api_has_its_own_count(client: redis.Redis, key: str) -> None:
    gate = RedisCallGate(client, key, Pace(qps=1000, daily_limit=2))
    gate.acquire("list")
    gate.acquire("get")
    gate.refused("get")
    assert {api: (line.calls, line.refused) for api, line in gate.counted().items()} == {"get": (1, 1), "list": (1, 0)}
    (ledger,) = client.scan_iter(f"*{key}*calls*")
    day = int(ledger.rpartition(b":")[2])
    client.rename(ledger, ledger.replace(str(day).encode(), str(day - 1).encode()))
    gate.acquire("list")
    assert gate.used_today() == 1
    assert sum(line.calls for line in gate.counted(gate.today() - timedelta(days=1)).values()) == 2


def test_slowing_down_holds_every_worker(client: redis.Redis, key: str) -> None:
    RedisCallGate(client, key, Pace(qps=1000)).acquire("api")
    RedisCallGate(client, key, Pace(qps=1000)).slow_down(60)
    with pytest.raises(RetryableSourceError) as refusal:
        RedisCallGate(client, key, Pace(qps=1000)).acquire("api")
    assert refusal.value.retry_after == pytest.approx(60, rel=0.05)


def test_a_shorter_pause_does_not_end_a_longer_one(client: redis.Redis, key: str) -> None:
    gate = RedisCallGate(client, key, Pace(qps=1000))
    gate.acquire("api")
    gate.slow_down(60)
    gate.slow_down(1)
    with pytest.raises(RetryableSourceError) as refusal:
        gate.acquire("api")
    assert refusal.value.retry_after == pytest.approx(60, rel=0.05)


def test_who_waits_for_his_turn_is_held_too(client: redis.Redis, key: str) -> None:
    other = RedisCallGate(client, key, Pace(qps=1))
    with pytest.raises(RetryableSourceError) as refusal:
        RedisCallGate(client, key, Pace(qps=1), lambda _: other.slow_down(60)).acquire("api")
    assert refusal.value.retry_after == pytest.approx(60, rel=0.05)


def test_without_redis_nobody_calls(key: str, caplog: pytest.LogCaptureFixture) -> None:
    with redis.Redis(port=1, retry=Retry(NoBackoff(), 0)) as nowhere:
        gate = RedisCallGate(nowhere, key, Pace(qps=1000))
        for _ in range(3):
            with pytest.raises(RetryableSourceError) as refusal:
                gate.acquire("api")
            assert refusal.value.code == "limiter_unavailable"
            assert refusal.value.retry_after
    assert len(caplog.records) == 1
