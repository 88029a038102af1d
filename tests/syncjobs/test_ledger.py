"""The daily ledger of calls survives Redis."""

import threading
from collections.abc import Iterator
from datetime import timedelta

import pytest
import redis
from django.conf import settings
from django.db import connection, transaction

from syncjobs.connectors.alibaba1688.quota import LOST, Counted, portion
from syncjobs.engine.errors import QuotaExhausted
from syncjobs.models import CallLedger, Source, SyncJob
from syncjobs.services.gates import call_gate, pace_of, write_ledgers_through
from syncjobs.services.ledger import StoredLedger

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def cache(redis_url: str) -> Iterator[redis.Redis]:
    with redis.Redis.from_url(settings.REDIS_CACHE_URL) as client:
        yield client


@pytest.fixture
def source(cache: redis.Redis) -> Source:
    """A fast source with a small limit."""
    return Source.objects.create(
        name="main", kind="alibaba1688", app_key="77", calls_per_second=1000, daily_call_limit=1000
    )


def call(source: Source, times: int, api: str = "get") -> None:
    gate = call_gate(source)
    for _ in range(times):
        gate.acquire(api)


def is_granted(source: Source) -> bool:
    try:
        call(source, 1)
    except QuotaExhausted:
        return False
    return True


def stored() -> int:
    return sum(CallLedger.objects.values_list("calls", flat=True))


def test_calls_are_written_through_in_small_portions(source: Source) -> None:
    call(source, 23)
    assert 23 - portion(1000) < stored() <= 23
    write_ledgers_through()
    line = CallLedger.objects.get()
    assert (line.bucket, line.api, line.calls) == ("alibaba1688:77", "get", 23)


def test_redis_that_forgets_is_told_again_and_never_too_little(source: Source, cache: redis.Redis) -> None:
    call(source, 20, "list")
    call(source, 23, "get")
    cache.flushdb()
    call(source, 1)
    used = call_gate(source).counted()
    assert 44 <= sum(line.calls for line in used.values()) <= 44 + portion(1000)
    assert (used["list"].calls, used[LOST].calls) == (20, portion(1000))


def test_a_flush_does_not_make_the_limit_larger(source: Source, cache: redis.Redis) -> None:
    Source.objects.update(daily_call_limit=30)
    made = 0
    while made <= 30 and is_granted(Source.objects.get()):
        made += 1
        if made % 10 == 0:
            cache.flushdb()
    assert 25 <= made <= 30


def test_a_redis_that_comes_back_with_old_numbers_is_put_right(source: Source, cache: redis.Redis) -> None:
    call(source, 40)
    write_ledgers_through()
    (ledger,) = cache.scan_iter("*calls:[0-9]*")
    cache.hset(ledger, mapping={"total": 3, "c:get": 3, "claimed": 3, "written": 0})
    call(source, portion(1000))
    assert call_gate(source).used_today() >= 40


def test_the_first_call_of_a_day_loses_nothing(source: Source) -> None:
    call(source, 1)
    assert stored() == 1
    assert LOST not in call_gate(source).counted()


def test_yesterdays_rest_is_written_after_midnight(source: Source, cache: redis.Redis) -> None:
    call(source, 3)
    (ledger,) = cache.scan_iter("*calls:[0-9]*")
    day = int(ledger.rpartition(b":")[2])
    cache.hset(ledger, mapping={"c:get": 9, "total": 9})
    cache.rename(ledger, ledger.replace(str(day).encode(), str(day - 1).encode()))
    write_ledgers_through()
    yesterday = call_gate(source).today() - timedelta(days=1)
    assert CallLedger.objects.get(day=yesterday).calls == 9


def test_writing_again_or_late_changes_nothing(source: Source) -> None:
    ledger, today = StoredLedger("b"), call_gate(source).today()
    ledger.save(today, {"get": Counted(9, 2)})
    assert ledger.save(today, {"get": Counted(5, 3), "list": Counted(1)})["get"] == Counted(9, 3)


def test_inside_a_transaction_nothing_is_locked(source: Source) -> None:
    with transaction.atomic():
        call(source, 10)
    assert stored() == 0


def test_sources_of_one_app_key_share_the_ledger_and_the_strictest_pace(source: Source) -> None:
    other = Source.objects.create(
        name="second", kind="alibaba1688", app_key="77", calls_per_second=5, daily_call_limit=500, hold_at_percent=90
    )
    call(source, 2)
    call(other, 1)
    assert call_gate(source).used_today() == 3
    assert (pace_of(source).qps, pace_of(source).daily_limit, pace_of(source).hold_at) == (5, 500, 450)
    Source.objects.filter(pk=other.pk).update(is_enabled=False)
    assert (pace_of(source).qps, pace_of(source).daily_limit, pace_of(source).hold_at) == (1000, 1000, None)


def test_many_workers_count_every_call_once(source: Source) -> None:
    def work() -> None:
        try:
            call(source, 25)
        finally:
            connection.close()

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    write_ledgers_through()
    assert stored() == 150


def test_a_job_is_told_apart_and_leaves_the_reserve_alone(source: Source) -> None:
    Source.objects.update(daily_call_limit=10, hold_at_percent=50)
    source.refresh_from_db()
    call(source, 5)
    low, urgent = (SyncJob(pk=number, priority=name) for number, name in enumerate(("low", "critical"), 1))
    with pytest.raises(QuotaExhausted):
        call_gate(source, job=low).acquire("get")
    call_gate(source, job=urgent).acquire("get")
