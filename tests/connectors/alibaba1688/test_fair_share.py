"""Jobs of one app key share its calls: what each gets while they compete, and when they do not."""

from collections import Counter
from collections.abc import Iterator
from functools import partial
from typing import NamedTuple
from uuid import uuid4

import pytest
import redis

from syncjobs.connectors.alibaba1688.quota import Asker, Pace, RedisCallGate
from tests.connectors.alibaba1688.virtual_time import VirtualTime

QPS = 50
SECONDS = 6.0


class Worker(NamedTuple):
    """Workers of one job, and how long each of their calls takes."""

    job: str
    workers: int
    priority: str = "default"
    call_seconds: float = 0.01


@pytest.fixture
def client(redis_url: str) -> Iterator[redis.Redis]:
    with redis.Redis.from_url(redis_url) as connection:
        yield connection


@pytest.fixture
def time(client: redis.Redis, monkeypatch: pytest.MonkeyPatch) -> VirtualTime:
    return VirtualTime(client, monkeypatch)


@pytest.fixture
def key() -> str:
    return f"test:{uuid4()}"


class Market:
    """Jobs that compete for the calls of one app key."""

    def __init__(self, client: redis.Redis, key: str, time: VirtualTime) -> None:
        self._client, self._key, self._time = client, key, time

    def calls_of(self, *jobs: Worker) -> Counter[str]:
        """How many calls each job makes in six seconds."""
        made, ends_at = Counter[str](), self._time.now + SECONDS
        self._time.run(*(partial(self._work, job, made, ends_at) for job in jobs for _ in range(job.workers)))
        return made

    def _work(self, job: Worker, made: Counter[str], ends_at: float) -> None:
        asker = Asker(job=job.job, priority=job.priority)
        gate = RedisCallGate(self._client, self._key, Pace(qps=QPS), self._time.sleep, longest_wait=60, asker=asker)
        while True:
            gate.acquire("api")
            if self._time.now > ends_at:
                return
            made[job.job] += 1
            self._time.sleep(job.call_seconds)


@pytest.fixture
def market(client: redis.Redis, key: str, time: VirtualTime) -> Market:
    return Market(client, key, time)


def is_as_fast_as_one_job(made: Counter[str]) -> bool:
    """Whether sharing loses next to nothing."""
    return made.total() >= 0.8 * SECONDS * QPS


def test_a_job_with_many_workers_does_not_starve_one_with_a_single_worker(market: Market) -> None:
    made = market.calls_of(Worker("big", 32), Worker("small", 1))
    assert made["small"] >= 0.3 * made.total()
    assert is_as_fast_as_one_job(made)


def test_two_equal_jobs_get_equal_shares(market: Market) -> None:
    made = market.calls_of(Worker("one", 5), Worker("other", 5))
    assert 0.4 < made["one"] / made.total() < 0.6


def test_what_a_job_does_not_use_the_others_have(market: Market) -> None:
    made = market.calls_of(Worker("big", 8), Worker("slow", 1, call_seconds=0.5))
    assert 10 <= made["slow"] <= 12
    assert is_as_fast_as_one_job(made)


def test_critical_goes_before_default_and_default_before_low_and_nobody_starves(market: Market) -> None:
    made = market.calls_of(Worker("low", 8, "low"), Worker("usual", 8), Worker("urgent", 8, "critical"))
    assert made["urgent"] > made["usual"] > made["low"] > 0
    assert made["urgent"] > made.total() / 2


def test_who_died_waiting_does_not_hold_up_the_others(client: redis.Redis, key: str, time: VirtualTime) -> None:
    pace = Pace(qps=20)

    def die(_seconds: float) -> None:
        raise SystemExit

    alive = RedisCallGate(client, key, pace, time.sleep, asker=Asker(job="alive", priority="low"))
    alive.acquire("api")
    with pytest.raises(SystemExit):
        RedisCallGate(client, key, pace, die, asker=Asker(job="dead")).acquire("api")
    began = time.now
    for _ in range(5):
        alive.acquire("api")
    assert time.now - began < 1
