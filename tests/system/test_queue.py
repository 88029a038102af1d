"""The task queue: one claim a delivery, lost bells rung again, lost workers noticed, deadly tasks stopped."""

import uuid
from typing import Any
from unittest.mock import Mock

import pytest
from celery import current_app
from kombu.exceptions import OperationalError as BrokerUnavailable
from redis.exceptions import RedisError

from system import queue, sql
from system.models import Task, WorkerPulse
from system.queue import TaskContext, TaskGone
from system.task_claims import claim
from system.task_kinds import handlers, register_handler
from tests.system.conftest import CLAIMED, REDELIVERED

pytestmark = pytest.mark.django_db(transaction=True)

SHOWN = {"started_at", "worker", "bell", "try", "finished_at", "error", "again"}

Calls = list[tuple[dict[str, Any], TaskContext]]


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> Calls:
    """What the handler of `test.echo` was called with."""
    seen: Calls = []

    def echo(payload: dict[str, Any], context: TaskContext) -> str:
        seen.append((payload, context))
        return "done"

    monkeypatch.setitem(handlers, "test.echo", echo)
    return seen


@pytest.fixture(autouse=True)
def bells(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The tasks rung for, instead of a broker."""
    rung: list[str] = []

    def send(_name: str, *, kwargs: dict[str, str], **_options: object) -> None:
        rung.append(kwargs["task_id"])

    monkeypatch.setattr("system.queue.current_app.send_task", send)
    monkeypatch.setattr("system.queue._broker_down_until", 0.0)
    return rung


def age_leases() -> None:
    sql.execute("UPDATE system_task SET lease_until = now() - interval '1 second', rung_at = now() - interval '1 hour'")


def test_a_task_runs_once_however_often_its_bell_rings(calls: Calls) -> None:
    task = queue.enqueue("test.echo", {"n": 1})
    queue.run(task.pk)
    queue.run(task.pk)
    task.refresh_from_db()
    assert [payload for payload, _ in calls] == [{"n": 1}]
    assert (task.state, task.result) == ("succeeded", "done")
    assert [set(attempt) for attempt in task.attempts] == [SHOWN]


def test_the_bell_rings_only_after_the_commit(bells: list[str]) -> None:
    from django.db import transaction

    with transaction.atomic():
        task = queue.enqueue("test.echo", {})
        assert bells == []
    assert bells == [str(task.pk)]


def test_a_task_outlives_a_broker_that_is_down(calls: Calls, monkeypatch: pytest.MonkeyPatch) -> None:
    attempts = []

    def refuse(*_arguments: object, **_options: object) -> None:
        attempts.append(1)
        raise BrokerUnavailable("down")

    with monkeypatch.context() as patched:
        patched.setattr("system.queue.current_app.send_task", refuse)
        queue.enqueue("test.echo", {})
        queue.enqueue("test.echo", {})
    assert len(attempts) == 1  # the second caller does not wait for a broker known to be down
    assert Task.objects.filter(state="pending").count() == 2


def test_the_sweeper_rings_for_tasks_nobody_heard_of(bells: list[str]) -> None:
    task = queue.enqueue("test.echo", {})
    queue.sweep()
    assert bells == [str(task.pk)]  # only the first bell: it may still be on its way
    age_leases()
    queue.sweep()
    queue.sweep()
    assert bells == [str(task.pk)] * 2


def test_behind_a_backlog_of_bells_few_are_rung_again_the_longest_silent_first(
    bells: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    tasks = [queue.enqueue("test.echo", {}) for _ in range(8)]
    bells.clear()
    with_backlog = {each: queue.ENOUGH_BELLS if each == Task.Queue.DEFAULT else 0 for each in Task.Queue}
    monkeypatch.setattr("system.queue._bells_waiting", lambda: with_backlog)
    age_leases()
    sql.execute("UPDATE system_task SET rung_at = NULL WHERE id = %s", [tasks[-1].pk])
    queue.sweep()
    assert len(bells) == queue.FEW_BELLS
    assert str(tasks[-1].pk) in bells
    queue.sweep()
    assert sorted(bells) == sorted(str(task.pk) for task in tasks)


def test_bells_are_counted_where_they_wait(redis_url: str) -> None:
    with current_app.connection_or_acquire() as connection:
        connection.Producer().publish("a bell", routing_key="low")
    assert queue._bells_waiting() == {Task.Queue.CRITICAL: 0, Task.Queue.DEFAULT: 0, Task.Queue.LOW: 1}


def test_a_broker_that_is_away_is_asked_once_and_the_tasks_are_rung_for_later(
    bells: list[str], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    queue.enqueue("test.echo", {})
    bells.clear()
    age_leases()
    with monkeypatch.context() as away:
        away.setattr("system.queue.current_app.connection_or_acquire", Mock(side_effect=RedisError("away")))
        queue.sweep()
        queue.sweep()
    assert (bells, caplog.text.count("nobody is rung for")) == ([], 1)
    monkeypatch.setattr("system.queue._broker_down_until", 0.0)
    queue.sweep()
    assert len(bells) == 1


def test_a_task_whose_worker_vanished_goes_back_and_runs_again(calls: Calls) -> None:
    task = queue.enqueue("test.echo", {})
    sql.execute("UPDATE system_task SET state = 'running', fence = 1")
    age_leases()
    queue.sweep()
    queue.run(task.pk)
    task.refresh_from_db()
    assert (task.state, task.fence) == ("succeeded", 2)


def test_a_worker_may_die_before_its_handler_begins_and_the_lease_is_the_kinds_already(calls: Calls) -> None:
    register_handler("test.brief", lambda *_: _lease_left(), lease_seconds=7)
    task, lasting = queue.enqueue("test.brief", {}), queue.enqueue("test.echo", {})
    queue.run(task.pk)
    task.refresh_from_db()
    assert task.result is not None
    assert 0 < task.result <= 7
    assert claim(lasting.pk, queue.Bell(name="a"))
    assert _lease_left() > queue.LEASE_SECONDS - 60


def _lease_left() -> float:
    """Seconds that the only claimed task may be silent."""
    (row,) = sql.rows(
        "SELECT extract(epoch FROM lease_until - now())::float8 AS left FROM system_task WHERE state = 'running'"
    )
    return float(row["left"])


def test_a_delivery_after_a_dead_process_does_not_wait_for_the_lease(calls: Calls) -> None:
    task = queue.enqueue("test.echo", {})
    sql.execute(
        "UPDATE system_task SET state = 'running', fence = 1, lease_until = now() + interval '1 minute',"
        " attempts = %s::jsonb",
        [f"[{CLAIMED}]"],
    )
    queue.run(task.pk)
    assert calls == []
    queue.run(task.pk, bell=REDELIVERED)
    assert len(calls) == 1


def test_a_task_that_takes_its_worker_down_three_times_has_failed(calls: Calls) -> None:
    task = queue.enqueue("test.echo", {})
    sql.execute("UPDATE system_task SET state = 'running', attempts = %s::jsonb", [f"[{{}}, {{}}, {CLAIMED}]"])
    queue.run(task.pk, bell=REDELIVERED)
    task.refresh_from_db()
    assert (calls, task.state, (task.error or {})["code"]) == ([], "failed", "crash_loop")


def test_a_handler_that_raises_leaves_its_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    def explode(_payload: dict[str, Any], _context: TaskContext) -> None:
        raise ValueError("no such thing")

    monkeypatch.setitem(handlers, "test.explode", explode)
    task = queue.enqueue("test.explode", {})
    queue.run(task.pk)
    task.refresh_from_db()
    assert (task.state, task.error) == ("failed", {"code": "ValueError", "message": "no such thing"})


def test_a_worker_that_lost_its_task_cannot_extend_or_finish_it(calls: Calls) -> None:
    task = queue.enqueue("test.echo", {})
    sql.execute("UPDATE system_task SET state = 'running', fence = 5")
    stale = TaskContext(task.pk, 4, None)
    with pytest.raises(TaskGone):
        stale.heartbeat(30)


def test_a_task_for_later_waits_even_when_its_bell_rings(calls: Calls) -> None:
    task = queue.enqueue("test.echo", {}, delay_seconds=60)
    queue.run(task.pk)
    assert calls == []
    task.refresh_from_db()
    assert task.state == "pending"


def test_an_unknown_task_is_nobodys_error(calls: Calls) -> None:
    queue.run(uuid.uuid4())
    assert calls == []


def test_consuming_a_message_is_the_workers_proof_of_life() -> None:
    queue.sweep()
    assert WorkerPulse.objects.count() == 1


def test_the_request_id_travels_with_the_task(monkeypatch: pytest.MonkeyPatch) -> None:
    from system.request_id import current_request_id, request_scope

    seen: list[str] = []
    monkeypatch.setitem(handlers, "test.id", lambda _payload, _context: seen.append(current_request_id()))
    with request_scope("abc-123"):
        task = queue.enqueue("test.id", {})
    queue.run(task.pk)
    assert seen == ["abc-123"]
