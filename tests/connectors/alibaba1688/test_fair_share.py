"""Jobs of one app key share its calls: what each gets while they compete, and when they do not."""

import threading
import time
from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple
from uuid import uuid4

import pytest
import redis

from syncjobs.connectors.alibaba1688.quota import Asker, Pace, RedisCallGate

QPS = 50
SECONDS = 3.0


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


def calls_of(client: redis.Redis, *jobs: Worker) -> Counter[str]:
    """How many calls each job makes in three seconds."""
    made: Counter[str] = Counter()
    key, ends_at = f"test:{uuid4()}", time.monotonic() + SECONDS

    def work(job: Worker) -> None:
        asker = Asker(job=job.job, priority=job.priority)
        gate = RedisCallGate(client, key, Pace(qps=QPS), longest_wait=60, asker=asker)
        while True:
            gate.acquire("api")
            if time.monotonic() > ends_at:
                return
            made[job.job] += 1
            time.sleep(job.call_seconds)

    threads = [threading.Thread(target=work, args=(job,)) for job in jobs for _ in range(job.workers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return made


def is_as_fast_as_one_job(client: redis.Redis, made: Counter[str]) -> bool:
    """Whether sharing loses next to nothing, measured against this very machine at this very moment."""
    return made.total() >= 0.7 * calls_of(client, Worker("alone", 8)).total()


def test_a_job_with_many_workers_does_not_starve_one_with_a_single_worker(client: redis.Redis) -> None:
    made = calls_of(client, Worker("big", 32), Worker("small", 1))
    assert made["small"] >= 0.3 * made.total()
    assert is_as_fast_as_one_job(client, made)


def test_two_equal_jobs_get_equal_shares(client: redis.Redis) -> None:
    made = calls_of(client, Worker("one", 5), Worker("other", 5))
    assert 0.4 < made["one"] / made.total() < 0.6


def test_what_a_job_does_not_use_the_others_have(client: redis.Redis) -> None:
    made = calls_of(client, Worker("big", 8), Worker("slow", 1, call_seconds=0.5))
    assert 1 <= made["slow"] <= 7
    assert is_as_fast_as_one_job(client, made)


def test_critical_goes_before_default_and_default_before_low_and_nobody_starves(client: redis.Redis) -> None:
    made = calls_of(client, Worker("low", 8, "low"), Worker("usual", 8), Worker("urgent", 8, "critical"))
    assert made["urgent"] > made["usual"] > made["low"] > 0
    assert made["urgent"] > made.total() / 2


def test_who_died_waiting_does_not_hold_up_the_others(client: redis.Redis) -> None:
    key = f"test:{uuid4()}"
    pace = Pace(qps=20)

    def die(_seconds: float) -> None:
        raise SystemExit

    RedisCallGate(client, key, pace, asker=Asker(job="alive", priority="low")).acquire("api")
    with pytest.raises(SystemExit):
        RedisCallGate(client, key, pace, die, asker=Asker(job="dead")).acquire("api")
    began = time.monotonic()
    for _ in range(5):
        RedisCallGate(client, key, pace, asker=Asker(job="alive", priority="low")).acquire("api")
    assert time.monotonic() - began < 1
