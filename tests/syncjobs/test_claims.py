"""Leases, fences, stopping and crashes: nobody writes for a batch that is not theirs."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import Settings

from products.models import Product
from syncjobs.engine.contracts import BatchSpec
from syncjobs.engine.errors import LeaseLost
from syncjobs.models import SeenProduct, Source, SyncBatch, SyncJob
from syncjobs.services import batches
from syncjobs.services.jobs import StartSync, resume_sync, start_sync, stop_sync
from syncjobs.services.slices import end_crash_loop
from syncjobs.services.sweep import sweep_jobs
from syncjobs.services.tidying import tidy
from system import sql
from system.errors import ApplicationError
from system.models import Task
from tests.syncjobs import scripted
from tests.syncjobs.conftest import claimed_task, error_code, new_task_id, start, work
from tests.syncjobs.scripted import World


def expire_leases() -> None:
    sql.execute("UPDATE syncjobs_syncbatch SET lease_until = now() - interval '1 second' WHERE state = 'running'")


def planned(world: World, offers: int = 30, **changes: object) -> SyncJob:
    """A running job whose batches are written and not begun."""
    world.offer(offers)
    job = start(**changes)

    def stop_here(_spec: object) -> None:
        raise KeyboardInterrupt

    before, world.before_fetch = world.before_fetch, stop_here
    with pytest.raises(KeyboardInterrupt):
        work(job)
    world.before_fetch = before
    SyncBatch.objects.filter(state="running").update(state="pending", task_id=None, lease_until=None)
    return job


def test_two_workers_never_get_the_same_batch(source: Source, world: World) -> None:
    job = planned(world)
    claims = [batches.claim(job.pk, new_task_id()) for _ in range(4)]
    numbers = [claim.number for claim in claims if claim]
    assert sorted(numbers) == [1, 2, 3]


def test_no_more_batches_are_in_flight_than_max_workers(source: Source, world: World) -> None:
    job = planned(world, max_workers=2)
    assert [bool(batches.claim(job.pk, new_task_id())) for _ in range(3)] == [True, True, False]


@pytest.fixture
def old_database(settings: Settings) -> None:
    """Leases reach back no further than this database runs, which the tests have just started."""
    settings.SYNC_LEASE_SECONDS = 0


def test_an_expired_lease_goes_to_the_next_worker_with_a_higher_fence(
    source: Source, world: World, old_database: None
) -> None:
    job = planned(world, offers=5)
    first = batches.claim(job.pk, new_task_id())
    expire_leases()
    second = batches.claim(job.pk, new_task_id())
    assert first
    assert second
    assert (second.number, second.fence, second.crashes) == (first.number, first.fence + 1, 1)


def blamed() -> list[int]:
    """How many workers each batch of the walk is said to have lost."""
    return list(SyncBatch.objects.filter(stage=1).order_by("number").values_list("crashes", flat=True))


def test_a_lease_that_ends_counts_as_a_lost_worker_until_that_speaks_up(
    source: Source, world: World, old_database: None
) -> None:
    job = planned(world, offers=5)
    sleeper = batches.claim(job.pk, new_task_id())
    assert sleeper
    expire_leases()
    sweep_jobs()
    assert blamed() == [1]
    assert batches.plead(sleeper)
    assert not batches.plead(sleeper)
    assert blamed() == [0]


def test_nobody_is_cleared_of_what_another_did(source: Source, world: World, old_database: None) -> None:
    job = planned(world, offers=5)
    first = batches.claim(job.pk, new_task_id())
    expire_leases()
    batches.claim(job.pk, new_task_id())
    expire_leases()
    sweep_jobs()
    assert first
    assert not batches.plead(first)
    assert blamed() == [2]


def test_a_database_that_began_anew_explains_a_lease_that_ended(
    source: Source, world: World, settings: Settings
) -> None:
    settings.SYNC_LEASE_SECONDS = 10_000_000
    job = planned(world, offers=5)
    batches.claim(job.pk, new_task_id())
    expire_leases()
    sweep_jobs()
    assert blamed() == [0]


def test_an_attempt_that_only_had_to_end_takes_no_blame(source: Source, world: World) -> None:
    job = planned(world, offers=5)
    context = claimed_task(job)
    for crashed in (False, True):
        batches.claim(job.pk, context.task_id)
        batches.release_held_by(context.task_id, crashed=crashed)
        assert blamed() == [int(crashed)]


def test_a_batch_is_set_aside_after_exactly_three_lost_workers(source: Source, world: World) -> None:
    job = planned(world, offers=20)
    deadly = new_task_id()
    for lost in (1, 2, 3):
        SyncBatch.objects.filter(number=2).update(not_before="2100-01-01T00:00:00Z")
        assert batches.set_aside_deadly(job.pk) == 0
        assert batches.claim(job.pk, deadly)
        batches.release_held_by(deadly, crashed=True)
        assert blamed() == [lost, 0]
    SyncBatch.objects.filter(number=2).update(not_before=None)
    assert work(job).state == "partial"
    aside = SyncBatch.objects.get(state="failed")
    assert (aside.number, aside.error, job.processed) == (1, {"code": "crash_loop"}, 10)


def lost_slice(job: SyncJob, *, held: bool) -> Task:
    """A slice that is given up."""
    context = claimed_task(job)
    if held:
        batches.claim(job.pk, context.task_id)
    end_crash_loop(job.pk, context.task_id, timezone.now())
    return Task.objects.get(pk=context.task_id)


def test_a_slice_that_is_given_up_is_replaced_at_once(source: Source, world: World) -> None:
    job = planned(world, max_workers=1)
    Task.objects.all().delete()
    lost = lost_slice(job, held=True)
    assert Task.objects.filter(job_id=job.pk, state="pending").exclude(pk=lost.pk).count() == 1
    assert sum(blamed()) == 1


def test_a_job_whose_slices_die_before_they_begin_has_failed(source: Source, world: World) -> None:
    job = planned(world)
    lost_slice(job, held=False)
    job.refresh_from_db()
    assert (job.state, error_code(job)) == ("failed", "crash_loop")


def test_a_worker_that_slept_through_its_lease_writes_nothing(source: Source, world: World) -> None:
    job = planned(world, offers=5)
    sleeper = batches.claim(job.pk, new_task_id())
    expire_leases()
    batches.claim(job.pk, new_task_id())
    assert sleeper
    with pytest.raises(LeaseLost), batches.commit_batch(sleeper) as unit:
        unit.apply(())
    with pytest.raises(LeaseLost):
        batches.extend_lease(sleeper)
    assert not Product.objects.exists()


def test_a_batch_that_fails_on_its_last_step_leaves_no_trace(
    source: Source, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = planned(world, offers=5)

    def fail(*_arguments: object) -> None:
        raise RuntimeError("boom")

    monkeypatch.setattr(batches, "mark_done", fail)
    work(job)
    assert (Product.objects.count(), job.processed, job.state) == (0, 0, "partial")


def test_a_batch_that_keeps_killing_its_workers_is_set_aside_and_the_job_goes_on(
    source: Source, world: World, settings: Settings
) -> None:
    settings.SYNC_MAX_BATCH_CRASHES = 2
    world.offer(30)

    def die_on_the_second(spec: BatchSpec) -> None:
        if "100011" in spec.params["ids"]:
            raise RuntimeError("boom")

    world.before_fetch = die_on_the_second
    job = work(start())
    assert (job.state, job.processed, error_code(job)) == ("partial", 20, "batches_set_aside")
    assert SyncBatch.objects.get(state="failed").error == {"code": "RuntimeError", "message": "boom"}


def test_a_resumed_job_tries_the_batches_it_had_set_aside(source: Source, world: World, settings: Settings) -> None:
    settings.SYNC_MAX_BATCH_CRASHES = 1
    world.offer(10)
    job = planned(world, offers=10)
    SyncBatch.objects.filter(stage=1).update(state="failed")
    SyncJob.objects.update(state="stopped")
    assert work(resume_sync(job.task_id)).state == "succeeded"


def test_stop_takes_effect_between_batches_and_resume_goes_on(source: Source, world: World) -> None:
    world.offer(30)
    job = start()

    def stop_at_the_second(_spec: object) -> None:
        if world.fetches == 2:
            stop_sync(job.task_id)

    world.before_fetch = stop_at_the_second
    work(job)
    assert job.state == "stopped"
    assert job.processed < 30
    world.before_fetch = scripted.quiet
    resumed = work(resume_sync(job.task_id))
    assert (resumed.state, resumed.processed, Product.objects.count()) == ("succeeded", 30, 30)


def test_a_job_nobody_works_on_any_more_is_stopped_by_the_sweeper(source: Source, world: World) -> None:
    job = planned(world)
    batches.claim(job.pk, new_task_id())
    stop_sync(job.task_id)
    job.refresh_from_db()
    assert job.state == "stopping"
    expire_leases()
    sweep_jobs()
    job.refresh_from_db()
    assert job.state == "stopped"


def test_the_sweeper_rings_again_for_a_job_whose_slices_are_gone(source: Source, world: World) -> None:
    job = planned(world)
    Task.objects.all().delete()
    sweep_jobs()
    assert Task.objects.filter(job_id=job.pk, state="pending").count() == 3


def test_the_next_attempt_of_a_task_frees_what_the_dead_one_held(source: Source, world: World) -> None:
    job = planned(world, offers=5)
    context = claimed_task(job)
    batches.claim(job.pk, context.task_id)
    assert work(job, context).state == "succeeded"


def test_a_second_start_of_the_same_scope_names_the_running_job(source: Source, world: World) -> None:
    job = start()
    with pytest.raises(ApplicationError) as refused:
        start(type="incremental")
    assert refused.value.status == 409
    assert refused.value.details == {"task_id": job.task_id}


def test_another_scope_may_run_beside_it(source: Source, world: World) -> None:
    start()
    assert start(sku_list=("610947572360",)).state == "running"


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        ({"source": "nowhere"}, 422),
        ({"sku_list": ("https://item.taobao.com/item.htm?id=1",)}, 400),
    ],
)
def test_a_start_that_makes_no_sense_is_refused_and_leaves_nothing(
    source: Source, world: World, request_: dict[str, Any], status: int
) -> None:
    with pytest.raises(ApplicationError) as refused:
        start(**request_)
    assert refused.value.status == status
    assert not SyncJob.objects.exists()


def test_a_category_is_refused_once_the_tree_is_known_and_lacks_it(source: Source, world: World) -> None:
    world.offer(5)
    assert start(category_id=999).state == "running"
    work(start(category_id=1))
    with pytest.raises(ApplicationError) as refused:
        start(category_id=998)
    assert refused.value.status == 422


def test_without_any_source_the_refusal_says_so(db: None) -> None:
    with pytest.raises(ApplicationError) as refused:
        start_sync(StartSync(type="full"))
    assert refused.value.code == "E02002"


@pytest.mark.parametrize(("days", "kept"), [(13, 10), (15, 0)])
def test_what_an_abandoned_walk_saw_is_removed_and_it_delists_nothing_then(
    source: Source, world: World, days: int, kept: int
) -> None:
    world.offer(10)
    work(start())
    rested = timezone.now() - timedelta(days=days)
    SyncJob.objects.update(state="stopped", provable=True, finished_at=rested)
    tidy()
    assert (SeenProduct.objects.filter(job_id__gt=0).count(), SyncJob.objects.get().provable) == (kept, bool(kept))
