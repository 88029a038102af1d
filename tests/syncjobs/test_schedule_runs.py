"""P12: every slot of a schedule once, however often it is rung for, and whoever rings."""

import threading
from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import OperationalError, connection
from django_celery_beat.models import PeriodicTask

from syncjobs.models import ScheduleClock, ScheduledRun, Source, SyncJob
from syncjobs.services import jobs, schedule_runs
from syncjobs.services.schedule_runs import run_due
from syncjobs.services.schedules import create_schedule, update_schedule, wind
from syncjobs.tasks import run_schedule
from system.models import Task

pytestmark = pytest.mark.django_db(transaction=True)

NOON = datetime(2026, 11, 18, 12, 0, 30, tzinfo=UTC)


@pytest.fixture(autouse=True)
def bells(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody hears the workers' bells."""
    monkeypatch.setattr("system.queue.current_app.send_task", lambda *_, **__: None)


@pytest.fixture
def source() -> Source:
    """A default source; no job of these tests is worked on."""
    return Source.objects.create(name="shop", kind="alibaba1688", is_default=True)


def scheduled(**fields: Any) -> PeriodicTask:
    """A schedule of every minute, its clock wound at NOON."""
    task = create_schedule({"name": "minutely", "cron": "* * * * *", **fields})
    wind(task, NOON)
    return task


def end_jobs() -> None:
    """All jobs have ended."""
    SyncJob.objects.update(state="succeeded")


def states() -> list[str]:
    """What became of the slots, oldest first."""
    return list(ScheduledRun.objects.order_by("slot").values_list("state", flat=True))


def at_once(count: int, work: Any) -> None:
    """Do `work` in so many threads at the same moment."""
    barrier = threading.Barrier(count)

    def run() -> None:
        try:
            barrier.wait()
            work()
        finally:
            connection.close()

    threads = [threading.Thread(target=run) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_a_slot_starts_one_job_that_says_where_it_comes_from(source: Source) -> None:
    scheduled(sync={"type": "full", "priority": "low", "config": {"batch_size": 7}})
    run_due(NOON + timedelta(minutes=1))
    job = SyncJob.objects.get()
    assert (job.trigger, job.requested_by, job.type, job.priority, job.batch_size) == (
        ("schedule", "minutely", "full", "low", 7)
    )
    run = ScheduledRun.objects.get()
    assert (run.slot, run.state, run.task_id) == (NOON.replace(minute=1, second=0), "started", job.task_id)


def test_nothing_runs_before_its_time(source: Source) -> None:
    scheduled()
    assert run_due(NOON + timedelta(seconds=20)) == 0


def test_a_bell_that_rings_again_changes_nothing(source: Source) -> None:
    scheduled()
    for _ in range(3):
        run_due(NOON + timedelta(minutes=1))
        end_jobs()
    assert SyncJob.objects.count() == 1


def test_a_hundred_slots_with_three_beats_are_a_hundred_runs(source: Source) -> None:
    scheduled()
    for minute in range(1, 101):
        at_once(3, lambda now=NOON + timedelta(minutes=minute): run_due(now))
        end_jobs()
    slots = Counter(ScheduledRun.objects.values_list("slot", flat=True))
    assert (len(slots), set(slots.values()), set(states())) == (100, {1}, {"started"})
    assert SyncJob.objects.count() == 100


def test_a_worker_that_dies_before_the_commit_leaves_the_slot_to_the_next(
    source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    scheduled()

    def die(*_: object) -> None:
        raise RuntimeError("killed")

    with monkeypatch.context() as patched:
        patched.setattr(schedule_runs, "wind", die)
        run_due(NOON + timedelta(minutes=1))
    assert (SyncJob.objects.count(), Task.objects.count(), states()) == (0, 0, [])
    run_due(NOON + timedelta(minutes=1))
    assert (SyncJob.objects.count(), states()) == (1, ["started"])


def test_of_slots_nobody_was_there_for_the_last_runs_and_the_others_are_missed(source: Source) -> None:
    scheduled()
    run_due(NOON + timedelta(minutes=4))
    assert states() == ["missed", "missed", "missed", "started"]


def test_a_long_absence_is_one_run(source: Source) -> None:
    scheduled()
    run_due(NOON + timedelta(days=400))
    assert (states().count("started"), SyncJob.objects.count()) == (1, 1)
    assert len(states()) <= schedule_runs.MISSED_KEPT + 1


def test_a_slot_during_the_job_before_is_skipped_and_says_why(source: Source) -> None:
    scheduled()
    run_due(NOON + timedelta(minutes=1))
    run_due(NOON + timedelta(minutes=2))
    run = ScheduledRun.objects.latest("slot")
    assert (run.state, run.task_id, run.reason) == ("skipped", SyncJob.objects.get().task_id, {"code": "E02001"})


def test_a_source_that_is_off_refuses_the_slot(source: Source) -> None:
    scheduled()
    Source.objects.update(is_enabled=False)
    run_due(NOON + timedelta(minutes=1))
    assert (states(), ScheduledRun.objects.get().reason) == (["refused"], {"code": "E02004"})


def test_arguments_edited_into_nonsense_refuse_the_slot(source: Source) -> None:
    task = scheduled()
    PeriodicTask.objects.filter(pk=task.pk).update(kwargs='{"config": 5}')
    run_due(NOON + timedelta(minutes=1))
    assert states() == ["refused"]


def test_one_bad_schedule_does_not_keep_the_others(source: Source, monkeypatch: pytest.MonkeyPatch) -> None:
    scheduled(name="first")
    scheduled(name="second", sync={"type": "full", "category_id": 5})
    once = iter([True])
    start = jobs.start_sync

    def failing(request: Any) -> SyncJob:
        if next(once, False):
            raise RuntimeError("bug")
        return start(request)

    monkeypatch.setattr(schedule_runs, "start_sync", failing)
    run_due(NOON + timedelta(minutes=1))
    assert SyncJob.objects.count() == 1


def test_a_schedule_switched_on_again_does_not_make_up_for_its_rest(source: Source) -> None:
    task = scheduled()
    update_schedule(task.pk, {"is_enabled": False})
    run_due(NOON + timedelta(minutes=5))
    assert not ScheduleClock.objects.exists()
    update_schedule(task.pk, {"is_enabled": True})
    assert ScheduleClock.objects.filter(next_slot__gt=datetime.now(UTC)).count() == 1


def test_a_schedule_made_or_changed_in_the_back_office_begins_with_its_next_slot(source: Source) -> None:
    task = scheduled()
    PeriodicTask.objects.filter(pk=task.pk).update(start_time=NOON + timedelta(minutes=5))
    run_due(NOON + timedelta(minutes=2))
    assert (states(), ScheduleClock.objects.get().next_slot) == ([], NOON.replace(minute=6, second=0))
    ScheduleClock.objects.all().delete()
    run_due(NOON + timedelta(minutes=8))
    assert (states(), ScheduleClock.objects.get().next_slot) == ([], NOON.replace(minute=9, second=0))


def test_beats_bell_looks_at_all_clocks(source: Source) -> None:
    task = scheduled()
    ScheduleClock.objects.filter(pk=task.pk).update(next_slot=datetime.now(UTC) - timedelta(seconds=5))
    run_schedule(**{"type": "full", "source": None})
    assert states() == ["started"]


def test_a_queued_slot_starts_when_the_job_before_has_ended(source: Source) -> None:
    scheduled(sync={"overlap": "queue"})
    for minute in (1, 2, 3):
        run_due(NOON + timedelta(minutes=minute))
    assert states() == ["started", "waiting", "skipped"]
    end_jobs()
    at_once(3, lambda: run_due(NOON + timedelta(minutes=3, seconds=10)))
    assert (states(), SyncJob.objects.count()) == (["started", "started", "skipped"], 2)


def test_a_waiting_slot_says_which_job_it_waits_for_and_then_which_it_became(source: Source) -> None:
    scheduled(sync={"overlap": "queue"})
    run_due(NOON + timedelta(minutes=1))
    first = SyncJob.objects.get()
    run_due(NOON + timedelta(minutes=2))
    assert ScheduledRun.objects.get(state="waiting").task_id == first.task_id
    end_jobs()
    run_due(NOON + timedelta(minutes=2, seconds=10))
    second = ScheduledRun.objects.order_by("slot").last()
    assert second is not None
    assert (second.task_id, second.reason) == (SyncJob.objects.latest("id").task_id, None)


def test_a_schedule_that_is_switched_off_lets_its_waiting_slot_go(source: Source) -> None:
    task = scheduled(sync={"overlap": "queue"})
    run_due(NOON + timedelta(minutes=1))
    run_due(NOON + timedelta(minutes=2))
    update_schedule(task.pk, {"is_enabled": False})
    end_jobs()
    run_due(NOON + timedelta(minutes=2, seconds=10))
    assert (states(), SyncJob.objects.count()) == (["started", "skipped"], 1)


def test_a_source_that_is_switched_off_refuses_the_waiting_slot(source: Source) -> None:
    scheduled(sync={"overlap": "queue"})
    run_due(NOON + timedelta(minutes=1))
    run_due(NOON + timedelta(minutes=2))
    Source.objects.update(is_enabled=False)
    end_jobs()
    run_due(NOON + timedelta(minutes=2, seconds=10))
    assert states() == ["started", "refused"]


def test_missed_slots_are_not_caught_up_where_the_schedule_says_so(source: Source) -> None:
    scheduled(cron="0 * * * *", sync={"missed": "skip"})
    run_due(NOON + timedelta(hours=3, minutes=30))
    assert (states(), SyncJob.objects.count()) == (["missed", "missed", "missed"], 0)
    run_due(NOON.replace(hour=16, second=1))
    assert (states()[-1], SyncJob.objects.count()) == ("started", 1)


def test_a_slot_that_fell_due_while_the_database_was_away_runs_once_afterwards(
    source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    scheduled(cron="1 * * * *")

    def away(*_: object) -> None:
        raise OperationalError("the database is away")

    with monkeypatch.context() as patched:
        patched.setattr(schedule_runs, "start_sync", away)
        for seconds in (0, 10, 20):
            with pytest.raises(OperationalError):
                run_due(NOON + timedelta(minutes=1, seconds=seconds))
    at_once(3, lambda: run_due(NOON + timedelta(minutes=1, seconds=40)))
    assert (states(), SyncJob.objects.count()) == (["started"], 1)
