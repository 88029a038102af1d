"""Two at once: commits in flight, stale walks, slices that find nothing to do. Committed for real."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.utils import timezone
from pytest_django import Settings

from products import catalog
from products.models import Product
from syncjobs.engine.contracts import BatchSpec
from syncjobs.engine.errors import FatalSourceError, RetryableSourceError, SyncCancelled
from syncjobs.engine.pipeline import BatchResult, Counters
from syncjobs.models import Source, SyncBatch, SyncJob, SyncLog
from syncjobs.services import announce, batches, delisting, kept_answers, pulse, slices
from syncjobs.services.batches import Claim
from syncjobs.services.jobs import resume_sync, stop_sync
from syncjobs.services.sweep import sweep_jobs
from system import queue, sql
from system.models import Task
from tests.conftest import HANG_SECONDS, eventually, somebody_waits
from tests.syncjobs.conftest import claimed_task, error_code, new_task_id, start, work
from tests.syncjobs.scripted import World
from tests.syncjobs.test_claims import expire_leases, planned

pytestmark = pytest.mark.django_db(transaction=True)

DONE = BatchResult(counters=Counters(unchanged=10))


@pytest.fixture(autouse=True)
def no_bells(monkeypatch: pytest.MonkeyPatch) -> None:
    """No broker is needed here."""
    monkeypatch.setattr("system.queue.current_app.send_task", lambda *_arguments, **_options: None)


@contextmanager
def commit_in_flight(claim: Claim) -> Iterator[None]:
    """Another worker inside the batch's transaction, until the block is over or somebody waits for it."""
    inside, over = threading.Event(), threading.Event()

    def commit() -> None:
        with batches.commit_batch(claim) as unit:
            inside.set()
            eventually(lambda: over.is_set() or somebody_waits())
            unit.finish(DONE)
        connection.close()

    worker = threading.Thread(target=commit)
    worker.start()
    assert inside.wait(HANG_SECONDS)
    try:
        yield
    finally:
        over.set()
        worker.join()


def claimed(job: SyncJob) -> Claim:
    claim = batches.claim(job.pk, new_task_id())
    assert claim
    return claim


@pytest.mark.parametrize("rival", [lambda job: batches.claim(job.pk, new_task_id()), lambda _job: sweep_jobs()])
def test_a_batch_whose_commit_is_in_flight_stays_done_when_its_lease_ends(
    source: Source, world: World, rival: Callable[[SyncJob], object]
) -> None:
    job = planned(world, offers=10)
    claim = claimed(job)
    expire_leases()
    with commit_in_flight(claim):
        rival(job)
    batch = SyncBatch.objects.get(pk=claim.id)
    job.refresh_from_db()
    assert (batch.state, batch.fence, batch.crashes, job.processed) == ("done", claim.fence, 0, 10)


def test_the_sweeper_waits_for_nobody(source: Source, world: World) -> None:
    """A worker frozen inside its transaction must not keep the sweeper from the other jobs."""
    job = planned(world, offers=20)
    frozen, lost = claimed(job), claimed(job)
    expire_leases()
    with commit_in_flight(frozen):
        sweep_jobs()
        assert SyncBatch.objects.get(pk=frozen.id).state == "running"  # still not committed
        assert SyncBatch.objects.get(pk=lost.id).state == "pending"


def test_a_batch_claimed_while_the_job_was_stopped_is_not_committed(source: Source, world: World) -> None:
    job = planned(world, offers=10)
    claim = claimed(job)
    SyncJob.objects.filter(pk=job.pk).update(state="stopped")
    with pytest.raises(SyncCancelled), batches.commit_batch(claim) as unit:
        unit.finish(DONE)
    job.refresh_from_db()
    assert (SyncBatch.objects.get(pk=claim.id).state, job.processed) == ("running", 0)


def test_slices_that_work_side_by_side_count_every_product_once(source: Source, world: World) -> None:
    job = planned(world, offers=120, max_workers=4)

    def slice_() -> None:
        slices.run_slice({"job_id": job.pk}, claimed_task(job))
        connection.close()

    workers = [threading.Thread(target=slice_) for _ in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    job.refresh_from_db()
    assert (job.state, job.processed, job.created) == ("succeeded", 120, 120)
    assert SyncLog.objects.filter(job=job, message="sync finished").count() == 1
    assert set(SyncBatch.objects.filter(job=job, stage=1).values_list("state", "crashes")) == {("done", 0)}


def due_slices(job: SyncJob) -> int:
    """Slices that workers would begin now."""
    sql.execute("UPDATE system_task SET not_before = NULL WHERE not_before <= now()")
    return Task.objects.filter(job_id=job.pk, state="pending", not_before=None).count()


def test_a_slice_that_finds_nothing_to_do_does_not_ring_for_another_at_once(source: Source, world: World) -> None:
    job = planned(world, offers=40)
    busy = claimed_task(job)
    batches.claim(job.pk, busy.task_id)
    SyncBatch.objects.filter(job=job, stage=1, state="pending").update(not_before=timezone.now() + timedelta(minutes=1))
    Task.objects.exclude(pk=busy.task_id).delete()
    work(job)
    assert due_slices(job) == 0


def test_a_slice_that_finds_all_places_taken_does_not_ring_for_another_at_once(source: Source, world: World) -> None:
    job = planned(world, offers=40, max_workers=1)
    claimed(job)  # by a task that has failed since
    Task.objects.all().delete()
    work(job)
    assert due_slices(job) == 0


def test_a_resumed_job_does_not_wait_for_slices_that_sleep(source: Source, world: World) -> None:
    world.offer(10)

    def busy(_spec: BatchSpec) -> None:
        raise RetryableSourceError("busy", retry_after=100)

    world.before_fetch = busy
    job = start()
    Task.objects.all().delete()
    work(job)
    Task.objects.filter(state="running").delete()
    stop_sync(job.task_id)
    assert (Task.objects.filter(state="pending").count(), due_slices(job)) == (1, 0)
    resume_sync(job.task_id)
    assert due_slices(job) == 1


def test_a_cancelled_slice_gives_its_batch_back_and_ends(
    source: Source, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pulse, "LOOK_SECONDS", 0)
    monkeypatch.setattr(pulse, "LEASE_SHARE", 10**6)
    job = planned(world, offers=30)
    context = claimed_task(job)
    world.before_fetch = lambda _spec: cancel(context)
    with pytest.raises(queue.TaskGone):
        work(job, context)
    assert not SyncBatch.objects.exclude(crashes=0, state__in=["pending", "done"]).exists()


def cancel(context: queue.TaskContext) -> None:
    Task.objects.filter(pk=context.task_id).update(state="cancelling")


def test_a_source_that_cannot_be_connected_ends_the_job(
    source: Source, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_source: Source, job: SyncJob) -> None:
        raise FatalSourceError("no such mapping", code="invalid_options")

    monkeypatch.setattr(kept_answers, "connect", refuse)
    job = work(start())
    assert (job.state, error_code(job)) == ("failed", "invalid_options")


def test_a_job_whose_plan_keeps_killing_workers_has_failed(
    source: Source, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def explode(*_arguments: object) -> None:
        raise ValueError("boom")

    monkeypatch.setattr("tests.syncjobs.scripted.ScriptedConnector.plan", explode)
    job = work(start())
    assert (job.state, error_code(job)) == ("failed", "batches_set_aside")
    monkeypatch.undo()
    assert resume_sync(job.task_id).state == "running"


def test_products_whose_status_an_operator_owns_do_not_hold_up_the_delisting(
    source: Source, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delisting, "CHUNK", 1)
    world.offer(25)
    work(start())
    for gone in ("100001", "100002"):
        world.prices.pop(gone)
    Product.objects.filter(source_id="100001").update(owned_fields=["status"])
    rounds = iter(range(10))
    monkeypatch.setattr(catalog, "delist", _counted(catalog.delist, rounds))
    job = work(start())
    assert (job.state, job.delisted) == ("succeeded", 1)
    assert Product.objects.get(source_id="100001").status == "published"


def _counted(function: Callable[..., Any], rounds: Iterator[int]) -> Callable[..., Any]:
    def call(*arguments: Any) -> Any:
        next(rounds)
        return function(*arguments)

    return call


def held_walk(world: World) -> SyncJob:
    """A full walk that waits for the operator before it delists three of ten products."""
    world.offer(10)
    work(start())
    for gone in ("100001", "100002", "100003"):
        world.prices.pop(gone)
    job = work(start())
    assert job.state == "held"
    Source.objects.update(delist_limit_percent=100)
    return job


def test_a_walk_that_another_has_overtaken_delists_nothing(source: Source, world: World) -> None:
    job = held_walk(world)
    world.offer(10)  # all are back
    work(start(type="incremental"))
    job = work(resume_sync(job.task_id))
    assert (job.state, job.delisted, job.held) == ("succeeded", 0, 0)


def test_what_another_job_stored_since_the_walk_began_is_not_missing(source: Source, world: World) -> None:
    job = held_walk(world)
    world.prices["900001"] = "10.00"
    work(start(sku_list=("900001",)))
    job = work(resume_sync(job.task_id))
    assert (job.state, job.delisted) == ("succeeded", 3)
    assert Product.objects.get(source_id="900001").status == "published"


def test_a_walk_that_was_interrupted_proves_nothing(source: Source, world: World) -> None:
    """While it rests, as many products may come as go: the total agrees, and one that moved up a page was not seen."""
    world.offer(30)
    work(start())

    def stop_at_the_second(_spec: BatchSpec) -> None:
        stop_sync(job.task_id)

    job = planned(world, offers=30)
    world.before_fetch = stop_at_the_second
    assert work(job).state == "stopped"
    world.before_fetch = lambda _spec: None
    Product.objects.filter(source_id="100030").update(source_id="900001")
    job = work(resume_sync(job.task_id))
    assert (job.state, job.delisted) == ("succeeded", 0)


def test_a_source_slower_than_the_lease_keeps_its_batch(source: Source, world: World, settings: Settings) -> None:
    settings.SYNC_LEASE_SECONDS = 2

    def answer_late(spec: BatchSpec) -> None:
        before = lease()
        eventually(lambda: lease() > before)

    def lease() -> Any:
        return SyncBatch.objects.get(job=job, state="running").lease_until

    world.offer(10)
    job = start()
    world.before_fetch = answer_late
    assert work(job).state == "succeeded"


def test_lines_of_a_job_appear_in_the_order_of_their_ids(source: Source, world: World) -> None:
    """A reader who has seen a line has seen all before it, although transactions end when they like."""
    job = planned(world, offers=10)
    written, over = threading.Event(), threading.Event()

    def slow() -> None:
        with transaction.atomic():
            announce.log(job.pk, "sync resumed")
            written.set()
            assert over.wait(HANG_SECONDS)
        connection.close()

    def quick() -> None:
        announce.log(job.pk, "sync finished")
        connection.close()

    threads = [threading.Thread(target=slow), threading.Thread(target=quick)]
    threads[0].start()
    assert written.wait(HANG_SECONDS)
    threads[1].start()
    eventually(somebody_waits)
    assert not SyncLog.objects.filter(job=job, message__in=["sync resumed", "sync finished"]).exists()
    over.set()
    for thread in threads:
        thread.join()
    assert list(SyncLog.objects.filter(job=job).order_by("id").values_list("message", flat=True))[-2:] == [
        "sync resumed",
        "sync finished",
    ]


def test_a_statement_that_always_takes_too_long_does_not_keep_its_job_running_for_ever(
    source: Source, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def too_long(_job: SyncJob) -> None:
        with transaction.atomic():
            sql.execute("SET LOCAL statement_timeout = 20")
            sql.rows("SELECT pg_sleep(20)")

    world.offer(10)
    monkeypatch.setattr("syncjobs.services.delisting._count_missing", too_long)
    job = work(start())
    (batch,) = SyncBatch.objects.filter(job=job, state="failed")
    assert (job.state, batch.error and batch.error["code"]) == ("partial", "statement_timeout")
