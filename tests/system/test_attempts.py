"""Attempts of a task: tried again later, given up after a few, counted anew when somebody wants another."""

from collections.abc import Callable
from typing import Any

import pytest

from system import queue, sql
from system.queue import RetryLater, TaskContext, TaskFailed
from system.services.tasks import retry_task
from tests.system.conftest import due_now, fresh

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("bells")]


class Flaky:
    """Wants another attempt `failures` times, then succeeds; `seen` are the attempt numbers it was given."""

    def __init__(self, failures: int) -> None:
        self.failures, self.seen = failures, list[int]()

    def __call__(self, _payload: dict[str, Any], context: TaskContext) -> str:
        self.seen.append(context.attempt)
        if len(self.seen) <= self.failures:
            raise RetryLater("not_yet", "come back later")
        return "done"


@pytest.mark.shows("003/FR-008")
def test_a_task_is_tried_again_later_and_keeps_its_attempts(handle: Callable[..., None], bells: list[str]) -> None:
    handle("test.flaky", flaky := Flaky(1), backoff=(30,))
    task = queue.enqueue("test.flaky", {})
    queue.run(task.pk)
    waiting = fresh(task)
    assert (waiting.state, waiting.error, waiting.finished_at) == ("pending", None, None)
    assert waiting.attempts[0]["error"] == {"code": "not_yet", "message": "come back later"}
    assert bells == [str(task.pk)] * 2
    queue.run(task.pk)
    assert flaky.seen == [1]  # its time has not come
    due_now()
    queue.run(task.pk)
    done = fresh(task)
    assert (done.state, done.result, flaky.seen) == ("succeeded", "done", [1, 2])
    assert [(attempt["error"] or {}).get("code") for attempt in done.attempts] == ["not_yet", None]


@pytest.mark.shows("003/FR-008")
def test_after_its_last_wait_a_task_has_failed(handle: Callable[..., None]) -> None:
    handle("test.flaky", flaky := Flaky(9), backoff=(1, 2))
    task = queue.enqueue("test.flaky", {})
    for _ in range(5):
        queue.run(task.pk)
        due_now()
    failed = fresh(task)
    assert (failed.state, flaky.seen) == ("failed", [1, 2, 3])
    assert (failed.error or {})["code"] == "not_yet"


def test_a_retry_by_hand_begins_the_count_anew(handle: Callable[..., None]) -> None:
    handle("test.flaky", flaky := Flaky(4), backoff=(1,))
    task = queue.enqueue("test.flaky", {})
    for _ in range(2):
        queue.run(task.pk)
        due_now()
    retry_task(str(task.pk))
    for _ in range(2):
        queue.run(task.pk)
        due_now()
    assert (flaky.seen, fresh(task).state) == ([1, 2, 1, 2], "failed")


def test_a_handler_may_end_its_task_for_good(handle: Callable[..., None]) -> None:
    def refuse(_payload: dict[str, Any], _context: TaskContext) -> None:
        raise TaskFailed("refused", "password=hunter2 is wrong\0")

    handle("test.refuse", refuse, backoff=(1, 1, 1))
    task = queue.enqueue("test.refuse", {})
    queue.run(task.pk)
    assert fresh(task).error == {"code": "refused", "message": "password=*** is wrong"}


def test_a_task_that_kills_its_workers_fails_after_exactly_three_attempts(handle: Callable[..., None]) -> None:
    calls: list[int] = []
    handle("test.deadly", lambda _payload, context: calls.append(context.attempt))
    task = queue.enqueue("test.deadly", {})
    sql.execute("UPDATE system_task SET state = 'running', attempts = '[{}, {}, {}]'")
    queue.run(task.pk, worker_lost=True)
    failed = fresh(task)
    assert (failed.state, len(failed.attempts), calls) == ("failed", 3, [])
    retry_task(str(task.pk))
    queue.run(task.pk)
    again = fresh(task)
    assert (again.state, len(again.attempts), calls) == ("succeeded", 4, [1])


def test_waiting_for_another_attempt_is_no_lost_worker(handle: Callable[..., None]) -> None:
    handle("test.flaky", flaky := Flaky(6), backoff=(1,) * 6)
    task = queue.enqueue("test.flaky", {})
    for _ in range(7):
        queue.run(task.pk)
        due_now()
    assert (fresh(task).state, flaky.seen) == ("succeeded", [1, 2, 3, 4, 5, 6, 7])
