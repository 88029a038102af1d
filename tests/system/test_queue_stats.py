"""Figures of the queues, and estimates that come from measurements."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone, translation

from system.models import Task, WorkerPulse
from system.queue_stats import estimated_time, queue_stats, within

pytestmark = pytest.mark.django_db


def ended(count: int, seconds: float, kind: str = "test.echo", ago: float = 7200, state: str = "succeeded") -> None:
    """Tasks whose last attempt took so long, and that ended `ago` seconds ago."""
    end = timezone.now() - timedelta(seconds=ago)
    began = (end - timedelta(seconds=seconds)).isoformat()
    for _ in range(count):
        Task.objects.create(kind=kind, state=state, finished_at=end, attempts=[{}, {"started_at": began}])


def waiting(count: int, queue: str = "default", kind: str = "test.echo", age: float = 0) -> None:
    """Tasks that could run."""
    created = timezone.now() - timedelta(seconds=age)
    for _ in range(count):
        Task.objects.create(kind=kind, queue=queue, created_at=created)


def about(seconds: int) -> Any:
    """The clock of the test's transaction stands still while its rows are made."""
    return pytest.approx(seconds, abs=5)


def test_every_queue_is_named_also_an_empty_one() -> None:
    empty = {"pending": 0, "running": 0, "oldest_pending_seconds": None}
    assert queue_stats() == {
        "queues": {"critical": empty, "default": empty, "low": empty},
        "workers": {"online": 0, "last_seen": None},
        "per_minute": 0,
        "failed_last_hour": 0,
    }


def test_the_figures() -> None:
    waiting(2, age=90)
    waiting(1, "low", age=30)
    Task.objects.create(kind="test.echo", not_before=timezone.now() + timedelta(hours=1), queue="critical")
    for state in ("running", "cancelling"):
        Task.objects.create(kind="test.echo", state=state)
    ended(3, 1, ago=30)
    ended(2, 1, ago=1800, state="failed")
    ended(1, 1, ago=30, state="failed")
    WorkerPulse.objects.create(worker="a", seen_at=timezone.now())
    WorkerPulse.objects.create(worker="b", seen_at=timezone.now() - timedelta(minutes=5))
    stats = queue_stats()
    assert stats["queues"]["default"] == {"pending": 2, "running": 2, "oldest_pending_seconds": about(90)}
    assert stats["queues"]["low"] == {"pending": 1, "running": 0, "oldest_pending_seconds": about(30)}
    # What is not due yet waits for its time, not for a worker.
    assert stats["queues"]["critical"] == {"pending": 1, "running": 0, "oldest_pending_seconds": None}
    assert (stats["per_minute"], stats["failed_last_hour"], stats["workers"]["online"]) == (4, 3, 1)


def estimate(queue: str = "default", own_seconds: float | None = None) -> str:
    """The estimate for a task just put into this queue."""
    waiting(1, queue)
    with translation.override("en"):
        return estimated_time("test.echo", queue, own_seconds)


def test_it_is_the_queue_before_it_times_what_such_tasks_took() -> None:
    ended(20, 60)
    waiting(4)
    assert estimate() == "within 5 minutes"


def test_more_workers_share_the_queue() -> None:
    ended(20, 60)
    for name in "abc":
        WorkerPulse.objects.create(worker=name, seen_at=timezone.now())
    waiting(8)
    assert estimate() == "within 3 minutes"


def test_a_critical_task_does_not_wait_for_the_others() -> None:
    ended(20, 60)
    waiting(50, "low")
    waiting(10)
    assert estimate("critical") == "within a minute"


def test_each_kind_counts_with_its_own_duration() -> None:
    ended(20, 60)
    ended(20, 600, kind="test.slow")
    waiting(2, kind="test.slow")
    assert estimate() == "within 21 minutes"


def test_only_the_last_twenty_count_and_of_them_the_middle() -> None:
    ended(30, 9000, ago=9999)
    ended(15, 120, ago=50)
    ended(5, 9000, ago=40)
    assert estimate() == "within 2 minutes"


def test_what_a_task_begins_is_added() -> None:
    ended(20, 60)
    assert estimate(own_seconds=7200) == "within 3 hours"


def test_without_measurements_there_is_no_number() -> None:
    assert estimate() == "as soon as a worker is free"


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "within a minute"), (60, "within a minute"), (61, "within 2 minutes"), (3600, "within 60 minutes"),
     (3601, "within 2 hours")],
)  # fmt: skip
def test_spans_are_upper_bounds(seconds: float, text: str) -> None:
    with translation.override("en"):
        assert within(seconds) == text
