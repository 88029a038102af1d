"""Retry and cancel: who may be first is decided by the row, and what was cancelled stays so."""

import uuid
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connection

from system import queue, sql
from system.errors import ApplicationError, ErrorCode
from system.models import AuditLog, Task
from system.queue import TaskContext
from system.services.tasks import cancel_task, find_task, retry_task
from tests.system.conftest import CLAIMED, REDELIVERED, fresh

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("bells")]

PARALLEL = 100


def a_task(state: str, **fields: Any) -> Task:
    """A row in this state; a running one belongs to a live worker."""
    task = Task.objects.create(kind="test.echo", state=state, **fields)
    if state in ("running", "cancelling"):
        sql.execute(
            "UPDATE system_task SET fence = 1, lease_until = now() + interval '10 minutes', attempts = %s::jsonb"
            " WHERE id = %s",
            [f"[{CLAIMED}]", task.pk],
        )
    return task


def refusal(act: Callable[[str], object], task_id: object) -> ErrorCode:
    """Why this is refused."""
    with pytest.raises(ApplicationError) as refused:
        act(str(task_id))
    return refused.value.code


@pytest.mark.parametrize("state", ["failed", "cancelled"])
def test_what_ended_badly_can_be_tried_again(state: str, bells: list[str]) -> None:
    task = a_task(state, error={"code": "boom"}, attempts=[{"worker": "w", "finished_at": "2026-01-01T00:00:00+00:00"}])
    again = retry_task(str(task.pk))
    assert (again.state, again.error, again.finished_at, bells) == ("pending", None, None, [str(task.pk)])
    assert [attempt["worker"] for attempt in again.attempts] == ["w"]
    line = AuditLog.objects.get()
    assert (line.action, line.target_id, line.before, line.after) == (
        "task.retry",
        str(task.pk),
        {"status": state},
        {"status": "pending"},
    )


@pytest.mark.parametrize("state", ["pending", "running", "cancelling", "succeeded"])
def test_anything_else_is_not_tried_again(state: str, bells: list[str]) -> None:
    assert refusal(retry_task, a_task(state).pk) == ErrorCode.TASK_STATE
    assert bells == []


@pytest.mark.parametrize(
    "task_id", [uuid.uuid4(), "1", "", "{550e8400-e29b-41d4-a716-446655440000}", "550e8400e29b41d4a716446655440000"]
)
@pytest.mark.parametrize("act", [find_task, retry_task, cancel_task])
def test_what_does_not_exist_is_not_found(act: Callable[[str], Task], task_id: object) -> None:
    assert refusal(act, task_id) == ErrorCode.NOT_FOUND


def in_parallel(act: Callable[[str], Task], task: Task) -> Counter[str]:
    """How a hundred calls at once end."""

    def call(_number: int) -> str:
        try:
            return act(str(task.pk)).state
        except ApplicationError as error:
            return error.code
        finally:
            connection.close()

    with ThreadPoolExecutor(20) as pool:
        return Counter(pool.map(call, range(PARALLEL)))


def test_of_a_hundred_retries_at_once_one_wins(bells: list[str]) -> None:
    task = a_task("failed")
    assert in_parallel(retry_task, task) == {"pending": 1, ErrorCode.TASK_STATE: PARALLEL - 1}
    assert (bells, AuditLog.objects.count()) == ([str(task.pk)], 1)


def test_a_hundred_cancels_at_once_are_one() -> None:
    assert in_parallel(cancel_task, a_task("running")) == {"cancelling": PARALLEL}
    assert AuditLog.objects.count() == 1


def test_a_waiting_task_is_cancelled_at_once_and_its_bell_does_nothing(handle: Callable[..., None]) -> None:
    calls: list[object] = []
    handle("test.echo", lambda *_: calls.append(1))
    task = queue.enqueue("test.echo", {})
    assert cancel_task(str(task.pk)).state == "cancelled"
    queue.run(task.pk)
    queue.run(task.pk, bell=REDELIVERED)
    queue.sweep()
    assert (fresh(task).state, calls) == ("cancelled", [])
    assert fresh(task).finished_at is not None


def test_a_running_task_ends_as_cancelled_when_its_handler_looks(handle: Callable[..., None]) -> None:
    steps: list[int] = []

    def work(_payload: dict[str, Any], context: TaskContext) -> None:
        for step in range(3):
            context.check()
            context._look_at = 0.0  # as if a second had passed
            steps.append(step)
            if step == 0:
                assert cancel_task(str(context.task_id)).state == "cancelling"

    handle("test.steps", work)
    task = queue.enqueue("test.steps", {})
    queue.run(task.pk)
    ended = fresh(task)
    assert (ended.state, steps) == ("cancelled", [0])
    assert ended.attempts[0]["error"] == {"code": "cancelled"}


@pytest.mark.parametrize("outcome", ["succeeds", "fails", "retries"])
def test_whatever_the_handler_says_a_cancelled_task_is_cancelled(handle: Callable[..., None], outcome: str) -> None:
    def work(_payload: dict[str, Any], context: TaskContext) -> str:
        cancel_task(str(context.task_id))
        if outcome == "fails":
            raise ValueError("boom")
        if outcome == "retries":
            raise queue.RetryLater("later", "later")
        return "done"

    handle("test.late", work, backoff=(1,))
    task = queue.enqueue("test.late", {})
    queue.run(task.pk)
    queue.run(task.pk)
    ended = fresh(task)
    assert (ended.state, len(ended.attempts), ended.finished_at is None) == ("cancelled", 1, False)


def test_a_worker_that_died_cannot_keep_a_cancelled_task(handle: Callable[..., None]) -> None:
    task = a_task("running")
    cancel_task(str(task.pk))
    queue.sweep()
    assert fresh(task).state == "cancelling"  # its worker may be alive, and has five seconds
    sql.execute("UPDATE system_task SET lease_until = lease_until - interval '6 seconds'")
    queue.sweep()
    assert fresh(task).state == "cancelled"


def test_the_broker_says_that_its_worker_died() -> None:
    task = a_task("running")
    cancel_task(str(task.pk))
    queue.run(task.pk, bell=REDELIVERED)
    assert fresh(task).state == "cancelled"


@pytest.mark.parametrize("state", ["cancelled", "cancelling"])
def test_cancelling_twice_is_the_same_as_once(state: str) -> None:
    assert cancel_task(str(a_task(state).pk)).state == state
    assert not AuditLog.objects.exists()


@pytest.mark.parametrize("state", ["succeeded", "failed"])
def test_what_has_ended_cannot_be_cancelled(state: str) -> None:
    assert refusal(cancel_task, a_task(state).pk) == ErrorCode.TASK_STATE
