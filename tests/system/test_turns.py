"""Who waits beside a task: the question that a long task asks between two steps."""

import uuid

import pytest

from system import queue, sql, turns
from system.models import Task
from system.turns import Waiting

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("bells")]

NOBODY = Waiting(urgent=False, others=False, starved=False)
OUR_JOB, THEIR_JOB = 1, 2


def look(of_queue: str = "default") -> Waiting:
    """What a slice of our job sees."""
    return turns.waiting(uuid.uuid4(), of_queue, OUR_JOB)


def waits(of_queue: str, job_id: int | None = None, **fields: object) -> Task:
    """A task that nobody took for a second."""
    task = queue.enqueue("test.echo", {}, queue=of_queue, job_id=job_id)
    sql.execute("UPDATE system_task SET rung_at = now() - interval '1 second' WHERE id = %s", [task.pk])
    Task.objects.filter(pk=task.pk).update(**fields)
    return task


def test_a_task_that_has_just_come_is_taken_by_somebody_idle() -> None:
    queue.enqueue("test.echo", {}, queue="critical")
    assert look() == NOBODY


def test_a_more_urgent_task_is_seen_and_a_less_urgent_one_is_not() -> None:
    waits("default")
    assert (look("low").urgent, look("critical")) == (True, NOBODY)


def test_parts_of_our_own_job_do_not_wait_for_us() -> None:
    waits("default", OUR_JOB)
    assert look() == NOBODY
    waits("default", THEIR_JOB)
    assert look() == Waiting(urgent=False, others=True, starved=False)


def test_a_job_without_a_worker_is_starved_only_where_we_have_two() -> None:
    waits("default", THEIR_JOB)
    waits("default", OUR_JOB, state="running")
    assert look().starved
    waits("default", THEIR_JOB, state="running")
    assert not look().starved


def test_what_sleeps_does_not_wait() -> None:
    queue.enqueue("test.echo", {}, queue="critical", delay_seconds=60)
    assert look() == NOBODY


def test_what_waits_too_long_is_rung_among_the_urgent_one_of_each_queue(monkeypatch: pytest.MonkeyPatch) -> None:
    first = [waits(of_queue) for of_queue in ("default", "low", "critical")]
    waits("low")
    rung: list[tuple[uuid.UUID, str]] = []
    monkeypatch.setattr(queue, "ring", lambda task_id, of_queue, *_: rung.append((task_id, str(of_queue))))
    monkeypatch.setattr(turns, "PATIENCE_SECONDS", 0)
    queue.sweep()
    assert sorted(rung) == sorted((task.pk, "critical") for task in first[:2])
