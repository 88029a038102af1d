"""Attempts of a task: tried again later, given up after a few, counted anew when somebody wants another."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.db import OperationalError

from system import leaving, queue, sql
from system.queue import Bell, RetryLater, TaskContext, TaskFailed
from system.services.tasks import retry_task
from tests.system.conftest import CLAIMED, REDELIVERED, due_now, fresh

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("bells")]


@pytest.fixture
def told(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """This worker was told to stop a while ago."""
    monkeypatch.setattr(leaving, "FINISH_SECONDS", 0.0)
    leaving.tell()
    yield
    leaving.forget()


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
    sql.execute("UPDATE system_task SET state = 'running', attempts = %s::jsonb", [f"[{{}}, {{}}, {CLAIMED}]"])
    queue.run(task.pk, bell=REDELIVERED)
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


def interrupted(handle: Callable[..., None], how: Exception | type[BaseException]) -> list[TaskContext]:
    """A handler whose first attempt ends like this, and what it was called with."""
    seen: list[TaskContext] = []

    def work(_payload: dict[str, Any], context: TaskContext) -> str:
        seen.append(context)
        if len(seen) == 1:
            raise how
        return "done"

    handle("test.interrupted", work)
    return seen


def test_a_copy_of_a_bell_does_not_take_the_work_from_who_is_at_it(handle: Callable[..., None]) -> None:
    seen = interrupted(handle, KeyboardInterrupt)
    task = queue.enqueue("test.interrupted", {})
    with pytest.raises(KeyboardInterrupt):
        queue.run(task.pk, bell=REDELIVERED)
    queue.run(task.pk, bell=REDELIVERED)
    queue.run(task.pk, bell=Bell(name="another", tries=2))
    assert (len(seen), fresh(task).state) == (1, "running")
    queue.run(task.pk, bell=Bell(name=REDELIVERED.name, tries=2))
    assert ([context.follows_crash for context in seen], fresh(task).state) == ([False, True], "succeeded")


def test_a_database_that_was_away_took_no_worker_down(handle: Callable[..., None]) -> None:
    seen = interrupted(handle, OperationalError("the connection is closed"))
    task = queue.enqueue("test.interrupted", {})
    with pytest.raises(OperationalError):
        queue.run(task.pk, bell=Bell(name="bell"))
    queue.run(task.pk, bell=Bell(name="bell", tries=2, alive=1))
    done = fresh(task)
    assert (done.state, [context.attempt for context in seen]) == ("succeeded", [1, 1])
    assert done.attempts[0]["error"] == {"code": "database_away"}
    assert not seen[1].follows_crash


def test_neither_did_it_where_another_has_done_the_work_meanwhile(handle: Callable[..., None]) -> None:
    interrupted(handle, OperationalError("the connection is closed"))
    task = queue.enqueue("test.interrupted", {})
    with pytest.raises(OperationalError):
        queue.run(task.pk, bell=Bell(name="bell"))
    sql.execute("UPDATE system_task SET state = 'succeeded'")
    queue.run(task.pk, bell=Bell(name="bell", tries=1, alive=0))
    assert ["finished_at" in attempt for attempt in fresh(task).attempts] == [True]


def test_a_lease_that_ended_while_the_database_began_anew_is_no_lost_worker(handle: Callable[..., None]) -> None:
    handle("test.interrupted", lambda _payload, context: context.follows_crash)
    task = queue.enqueue("test.interrupted", {})
    sql.execute(
        "UPDATE system_task SET state = 'running', lease_until = now() - interval '1 second',"
        """ attempts = '[{"started_at": "2026-01-01T00:00:00+00:00", "bell": "gone", "try": 0}]'"""
    )
    queue.sweep()
    queue.run(task.pk)
    assert (fresh(task).result, fresh(task).attempts[0]["error"]) == (False, {"code": "database_away"})


def test_who_finds_its_task_in_other_hands_was_no_lost_worker(handle: Callable[..., None]) -> None:
    task = queue.enqueue("test.slow", {})
    inner = Bell(name="inner")

    def work(_payload: dict[str, Any], context: TaskContext) -> str:
        if context.fence == 1:
            sql.execute("UPDATE system_task SET lease_until = now() - interval '1 second'")
            queue.run(task.pk, bell=inner)
            context.heartbeat(30)
        return "done"

    handle("test.slow", work)
    queue.run(task.pk, bell=Bell(name="outer"))
    first, second = fresh(task).attempts
    assert (first["error"], second["bell"], fresh(task).state) == ({"code": "lease_lost"}, "inner", "succeeded")


def test_a_worker_that_is_told_to_stop_leaves_its_task_to_another(
    handle: Callable[..., None], bells: list[str], told: None
) -> None:
    attempts: list[int] = []

    def work(_payload: dict[str, Any], context: TaskContext) -> str:
        attempts.append(context.attempt)
        context.check()
        return "done"

    handle("test.long", work)
    task = queue.enqueue("test.long", {})
    queue.run(task.pk)
    assert (fresh(task).state, bells) == ("pending", [str(task.pk)] * 2)
    leaving.forget()
    queue.run(task.pk)
    done = fresh(task)
    assert (done.state, attempts, done.attempts[0]["error"]["code"]) == ("succeeded", [1, 1], "worker_stopped")


def test_what_does_not_come_to_an_end_is_given_back_from_beside(handle: Callable[..., None]) -> None:
    task = queue.enqueue("test.stuck", {})
    handle("test.stuck", lambda _payload, _context: queue.give_back())
    queue.run(task.pk)
    given = fresh(task)
    assert (given.state, given.attempts[0]["cut"], queue.busy()) == ("pending", True, False)


def test_a_part_that_is_given_up_tells_its_whole(handle: Callable[..., None]) -> None:
    told: list[Any] = []
    handle("test.part", lambda *_: None, on_crash_loop=lambda *what: told.append(what))
    task = queue.enqueue("test.part", {}, job_id=7)
    began = '{"started_at": "2026-01-01T00:00:00+00:00"}'
    sql.execute("UPDATE system_task SET state = 'running', attempts = %s::jsonb", [f"[{began}, {{}}, {CLAIMED}]"])
    queue.run(task.pk, bell=REDELIVERED)
    assert [(job, part, since.year) for job, part, since in told] == [(7, task.pk, 2026)]
