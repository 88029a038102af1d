"""Held for its calls, back by itself after the reset; and what a start says of the calls it will need."""

import threading
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from products.models import Product
from syncjobs.engine.errors import QuotaExhausted, RetryableSourceError
from syncjobs.models import CallLedger, Source, SyncBatch, SyncJob, SyncLog
from syncjobs.services import gates
from syncjobs.services.quota_holds import RESUMED, resume_after_reset
from syncjobs.services.sweep import sweep_jobs
from system.models import AuditLog, WorkerPulse
from tests.client import ApiClient
from tests.syncjobs.conftest import error_code, start, work
from tests.syncjobs.scripted import World

SHORT = "the calls that are left today will not be enough"


@pytest.fixture
def held(source: Source, world: World) -> SyncJob:
    """A job that has done one batch of three when its calls were used up; the new day has begun."""
    return hold(world)


def hold(world: World, **changes: Any) -> SyncJob:
    world.offer(30)

    def use_up(_spec: object) -> None:
        if world.fetches == 2:
            raise QuotaExhausted("no calls left", until=timezone.now() + timedelta(hours=1))

    world.fetches, world.before_fetch = 0, use_up
    job = work(start(**changes))
    assert (job.state, error_code(job)) == ("held", "quota_exhausted")
    return job


def begin_new_day() -> None:
    """The calls of those who are held are back; to the database it is as late as when its transaction began."""
    past = (timezone.now() - timedelta(hours=1)).isoformat()
    for job in SyncJob.objects.filter(state="held"):
        SyncJob.objects.filter(pk=job.pk).update(error={**(job.error or {}), "until": past})


@pytest.mark.django_db
def test_a_held_job_says_when_it_goes_on_and_waits_until_then(held: SyncJob) -> None:
    assert (held.error or {})["until"]
    sweep_jobs()
    held.refresh_from_db()
    assert held.state == "held"


@pytest.mark.django_db
def test_after_the_reset_it_goes_on_by_itself_and_ends_well(held: SyncJob) -> None:
    begin_new_day()
    sweep_jobs()
    assert work(held).state == "succeeded"
    assert Product.objects.count() == 30
    assert SyncLog.objects.filter(job=held, message=RESUMED).count() == 1
    assert AuditLog.objects.filter(action="sync.resume", target_id=held.task_id).count() == 1
    held.refresh_from_db()
    assert not held.provable


@pytest.mark.django_db
@pytest.mark.parametrize("obstacle", ["another job of the scope", "a source that is off", "another reason"])
def test_it_stays_held_where_it_must_not_go_on(held: SyncJob, obstacle: str) -> None:
    begin_new_day()
    if obstacle == "another job of the scope":
        start()
    elif obstacle == "a source that is off":
        Source.objects.update(is_enabled=False)
    else:
        SyncJob.objects.update(error={"code": "delist_limit", "until": timezone.now().isoformat()})
    assert resume_after_reset() == []
    held.refresh_from_db()
    assert held.state == "held"


@pytest.mark.django_db
def test_held_jobs_of_one_app_key_come_back_one_after_the_other_urgent_ones_first(source: Source, world: World) -> None:
    world.offer(30)
    low = hold(world, priority="low", sku_list=("100001", "100002", "100003"), batch_size=1)
    urgent = hold(world, priority="critical", sku_list=("100004", "100005", "100006"), batch_size=1)
    begin_new_day()
    assert [resume_after_reset(), resume_after_reset(), resume_after_reset()] == [[urgent.pk], [low.pk], []]


@pytest.mark.django_db(transaction=True)
def test_of_many_sweepers_one_resumes_it(source: Source, world: World, redis_url: str) -> None:
    held = hold(world)
    begin_new_day()
    resumed: list[int] = []
    together = threading.Barrier(6)

    def sweep() -> None:
        try:
            together.wait()
            resumed.extend(resume_after_reset())
        finally:
            connection.close()

    threads = [threading.Thread(target=sweep) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert resumed == [held.pk]
    assert SyncLog.objects.filter(job=held, message=RESUMED).count() == 1


def use_today(source: Source, calls: int) -> None:
    today = gates.call_gate(source).today()
    CallLedger.objects.create(bucket=gates.bucket_of(source), day=today, api="get", calls=calls)


@pytest.mark.django_db
def test_a_start_says_from_the_last_run_whether_its_calls_are_enough(
    source: Source, world: World, operate: ApiClient, redis_url: str
) -> None:
    world.offer(30)
    work(start())
    SyncJob.objects.update(calls=500)
    Source.objects.update(daily_call_limit=1000, hold_at_percent=90)
    use_today(source, 600)
    job = operate.post("sync/start", {"type": "full"})
    told = job["forecast"]
    assert told.pop("resets_at").endswith("Z")
    assert told == {"calls": 500, "basis": "last_run", "left": 300, "limit": 900, "fits": False}
    assert SyncLog.objects.filter(job__task_id=job["task_id"], message=SHORT).count() == 1


@pytest.mark.django_db
def test_a_critical_job_counts_with_the_reserve(source: Source, world: World, redis_url: str) -> None:
    Source.objects.update(daily_call_limit=1000, hold_at_percent=90)
    use_today(source, 600)
    assert (start(priority="critical").forecast or {})["left"] == 400


@pytest.mark.django_db
def test_the_plan_says_it_again_and_asks_the_source_nothing(source: Source, world: World, redis_url: str) -> None:
    world.offer(30)
    Source.objects.update(daily_call_limit=1000)
    job = start()
    assert (job.forecast or {})["calls"] is None
    assert world.fetches == 0
    job = work(job)
    assert (job.forecast or {})["basis"] == "plan"
    assert (job.forecast or {})["fits"] is True


@pytest.mark.django_db
def test_waiting_for_a_turn_is_nobodys_failure(source: Source, world: World) -> None:
    world.offer(10)

    def wait(_spec: object) -> None:
        if world.fetches == 1:
            raise RetryableSourceError("not yet", code="rate_limited", retry_after=1, waits=True)

    world.before_fetch = wait
    job = work(start())
    batch = SyncBatch.objects.get(job=job, stage=SyncBatch.Stage.FETCH)
    assert (job.state, batch.state, batch.failures) == ("running", "pending", 0)
    assert SyncLog.objects.filter(message="no call is free, trying again").count() == 1


@pytest.mark.django_db
def test_a_start_without_any_worker_says_so(source: Source, operate: ApiClient) -> None:
    WorkerPulse.objects.all().delete()
    operate.post("sync/start", {"type": "full"})
    assert SyncLog.objects.filter(message__startswith="no worker is alive").count() == 1
    WorkerPulse.objects.create(worker="w1", seen_at=timezone.now())
    SyncJob.objects.all().delete()
    operate.post("sync/start", {"type": "full"})
    assert SyncLog.objects.filter(message__startswith="no worker is alive").count() == 1
