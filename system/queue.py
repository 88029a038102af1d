"""The task queue: rows in our own table, rung by Celery messages.

`enqueue` writes a row and rings on commit. A worker's `run` claims the row by compare-and-swap and calls the handler
that an application registered for its kind. A lost bell is rung again by `sweep`; a lost worker's lease expires and
`sweep` gives the row back. A row that took its worker down three times has failed (crash_loop). A handler may ask for
another attempt later (`RetryLater`); a row that was cancelled meanwhile ends as cancelled, whatever its handler says.
"""

import logging
import socket
import time
import uuid
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import msgspec
from celery import current_app
from django.conf import settings
from django.db import InterfaceError, OperationalError, transaction
from django.db.models.functions import Now
from kombu.exceptions import OperationalError as BrokerUnavailable

from system import sql
from system.models import Task
from system.redaction import redact
from system.request_id import current_request_id, request_scope
from system.task_context import RetryLater, TaskContext, TaskFailed, TaskGone
from system.task_kinds import handlers, register_handler, traits

__all__ = [
    "RetryLater",
    "TaskContext",
    "TaskFailed",
    "TaskGone",
    "enqueue",
    "register_handler",
    "register_sweeper",
    "ring",
    "run",
    "sweep",
]

logger = logging.getLogger(__name__)

RUN_TASK = "system.run_task"
LEASE_SECONDS = settings.CELERY_TASK_TIME_LIMIT + 10
MAX_ATTEMPTS = 3
SWEEP_LIMIT = 500
# Of an error's text; the rest is in the log.
LONGEST_ERROR = 500
# After a failed send nobody else waits for the broker this long; the sweeper rings what was missed.
BREAKER_SECONDS = 5
# Celery keeps delayed messages in worker memory; longer delays wait in the row and are rung by the sweeper.
LONGEST_COUNTDOWN_SECONDS = 60
# A bell must not ring before the database agrees that it is time.
CLOCK_SLACK_SECONDS = 0.2

_broker_down_until = 0.0


_sweepers: list[Callable[[], None]] = []


def register_sweeper(sweeper: Callable[[], None]) -> None:
    """Add a function that repairs an application's own rows; run every ten seconds, safe to run twice at once."""
    _sweepers.append(sweeper)


def enqueue(
    kind: str,
    payload: dict[str, Any],
    *,
    queue: str = Task.Queue.DEFAULT,
    job_id: int | None = None,
    delay_seconds: float = 0,
) -> Task:
    """Write a task inside the caller's transaction and ring once it is committed.

    Args:
        kind: a registered handler's name.
        payload: JSON values, ids rather than data, never secrets.
        delay_seconds: not run before this much time has passed.
    """
    task = Task.objects.create(
        kind=kind,
        payload=payload,
        queue=queue,
        job_id=job_id,
        request_id=current_request_id(),
        not_before=Now() + timedelta(seconds=delay_seconds) if delay_seconds else None,
        rung_at=Now(),
    )
    transaction.on_commit(lambda: ring(task.id, queue, delay_seconds))
    return task


def ring(task_id: uuid.UUID, queue: str, delay_seconds: float = 0) -> bool:
    """Tell the workers that a row waits. A broker that is down costs one caller under a second; the row is kept."""
    global _broker_down_until
    if delay_seconds > LONGEST_COUNTDOWN_SECONDS or time.monotonic() < _broker_down_until:
        return False
    try:
        countdown = delay_seconds + CLOCK_SLACK_SECONDS if delay_seconds else None
        current_app.send_task(RUN_TASK, kwargs={"task_id": str(task_id)}, queue=queue, countdown=countdown)
    except BrokerUnavailable as error:
        _broker_down_until = time.monotonic() + BREAKER_SECONDS
        logger.warning("broker unavailable, task %s waits for the sweeper: %s", task_id, error)
        return False
    return True


def run(task_id: uuid.UUID, *, worker_lost: bool = False) -> None:
    """Claim a row and work on it; a second delivery of the same bell finds a live lease and returns.

    Args:
        worker_lost: the broker says that the process that had this task is dead, so its lease is void.

    Raises:
        OperationalError, InterfaceError: the database is away; the caller tries again later.
    """
    _pulse()
    claimed = _claim(task_id, worker_lost=worker_lost)
    if claimed is None:
        if worker_lost:
            _end_cancelled(task_id)
        return
    before = _series(msgspec.json.decode(claimed["attempts"])[:-1])
    context = TaskContext(task_id, claimed["fence"], claimed["job_id"], attempt=len(before) + 1)
    with request_scope(claimed["request_id"]):
        if sum("finished_at" not in attempt for attempt in before) >= MAX_ATTEMPTS:
            _give_up(context)
        else:
            _work(claimed["kind"], msgspec.json.decode(claimed["payload"]), context)


def _series(attempts: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The attempts since somebody last had the task tried: those that lost their worker or asked for another."""
    ended = [number for number, attempt in enumerate(attempts, 1) if attempt.get("again") is False]
    return attempts[ended[-1] if ended else 0 :]


def _work(kind: str, payload: dict[str, Any], context: TaskContext) -> None:
    try:
        result = handlers[kind](payload, context)
    except TaskGone:
        logger.warning("task %s is no longer ours", context.task_id)
        _end_cancelled(context.task_id, context.fence)
    except (OperationalError, InterfaceError):
        raise
    except RetryLater as error:
        _again(kind, context, error)
    except TaskFailed as error:
        logger.warning("task %s (%s) failed: %s", context.task_id, kind, error)
        _close(context, Task.State.FAILED, error=_reason(error.code, error.message))
    except Exception as error:
        logger.exception("task %s (%s) failed", context.task_id, kind)
        _close(context, Task.State.FAILED, error=_reason(type(error).__name__, str(error)))
    else:
        _close(context, Task.State.SUCCEEDED, result=result)


def _again(kind: str, context: TaskContext, error: RetryLater) -> None:
    reason, backoff = _reason(error.code, error.message), traits(kind).backoff
    if context.attempt > len(backoff):
        logger.warning("task %s (%s) failed after %s attempts: %s", context.task_id, kind, context.attempt, error)
        _close(context, Task.State.FAILED, error=reason)
        return
    delay = backoff[context.attempt - 1] if error.seconds is None else error.seconds
    logger.info("task %s (%s) is tried again in %s s: %s", context.task_id, kind, delay, error)
    if queue := _close(context, Task.State.PENDING, error=reason, delay_seconds=delay):
        transaction.on_commit(lambda: ring(context.task_id, queue, delay))


def _reason(code: str, message: str) -> dict[str, str]:
    """An error as people may see it, in characters that JSON and PostgreSQL can hold."""
    text = redact(message).encode("utf-8", "replace").decode().replace("\0", "")
    return {"code": code, "message": text[:LONGEST_ERROR]}


def _claim(task_id: uuid.UUID, *, worker_lost: bool) -> dict[str, Any] | None:
    return sql.one(
        """
        UPDATE system_task
        SET state = 'running', fence = fence + 1, started_at = coalesce(started_at, now()),
            lease_until = now() + make_interval(secs => %(lease)s::int),
            attempts = attempts || jsonb_build_object('started_at', now(), 'worker', %(worker)s::text)
        WHERE id = %(id)s::uuid AND coalesce(not_before <= now(), true)
          AND (state = 'pending' OR (state = 'running' AND (lease_until < now() OR %(lost)s::bool)))
        RETURNING fence, job_id, kind, payload, request_id, attempts
        """,
        {"id": task_id, "lease": LEASE_SECONDS, "worker": _worker_name(), "lost": worker_lost},
    )


# A row that waits for another attempt keeps its reason in that attempt only.
CLOSE_SQL = """
UPDATE system_task SET
    state = CASE state WHEN 'cancelling' THEN 'cancelled' ELSE %(state)s::text END,
    result = %(result)s::jsonb, lease_until = NULL, rung_at = now(),
    error = CASE WHEN %(state)s::text <> 'pending' THEN %(error)s::jsonb END,
    not_before = CASE WHEN %(state)s::text = 'pending' THEN now() + %(delay)s::float8 * interval '1 second'
                 ELSE not_before END,
    finished_at = CASE WHEN %(state)s::text <> 'pending' OR state = 'cancelling' THEN now() END,
    attempts = jsonb_set(attempts, '{-1}', (attempts -> -1) || jsonb_build_object(
        'finished_at', now(), 'error', %(error)s::jsonb, 'again', %(state)s::text = 'pending' AND state = 'running'))
WHERE id = %(id)s::uuid AND fence = %(fence)s::bigint AND state IN ('running', 'cancelling')
RETURNING queue, state
"""


def _close(
    context: TaskContext,
    state: str,
    *,
    result: Any = None,
    error: dict[str, str] | None = None,
    delay_seconds: float = 0,
) -> str | None:
    """Write how an attempt ended, unless the row is no longer ours; returns its queue if it waits for another."""
    values = {"state": state, "delay": delay_seconds, "id": context.task_id, "fence": context.fence}
    closed = sql.one(CLOSE_SQL, values | {"result": _json(result), "error": _json(error)})
    return str(closed["queue"]) if closed and closed["state"] == Task.State.PENDING else None


def _json(value: Any) -> str | None:
    return None if value is None else msgspec.json.encode(value).decode()


def _give_up(context: TaskContext) -> None:
    """End a row that took its workers down; the claim that found this out was no attempt."""
    error = {"code": "crash_loop", "message": f"took its worker down {MAX_ATTEMPTS} times"}
    sql.execute(
        "UPDATE system_task SET state = 'failed', finished_at = now(), lease_until = NULL, attempts = attempts - -1,"
        " error = %s::jsonb WHERE id = %s AND fence = %s AND state = 'running'",
        [_json(error), context.task_id, context.fence],
    )


def _end_cancelled(task_id: uuid.UUID, fence: int | None = None) -> None:
    """Nobody works on this row any more; if that is because it was cancelled, say so."""
    sql.execute(
        """
        UPDATE system_task SET state = 'cancelled', finished_at = now(), lease_until = NULL,
            attempts = jsonb_set(attempts, '{-1}', (attempts -> -1)
                || '{"error": {"code": "cancelled"}, "again": false}' || jsonb_build_object('finished_at', now()))
        WHERE id = %(id)s::uuid AND state = 'cancelling' AND fence = coalesce(%(fence)s::bigint, fence)
        """,
        {"id": task_id, "fence": fence},
    )


def sweep() -> None:
    """Repair what crashes left: give expired leases back, ring lost bells, run the applications' own sweepers."""
    _pulse()
    sql.execute(
        "UPDATE system_task SET state = CASE state WHEN 'running' THEN 'pending' ELSE 'cancelled' END,"
        " rung_at = NULL, lease_until = NULL, finished_at = CASE state WHEN 'running' THEN NULL ELSE now() END"
        " WHERE state IN ('running', 'cancelling') AND lease_until < now()"
    )
    for sweeper in _sweepers:
        sweeper()
    unheard = sql.rows(
        """
        UPDATE system_task SET rung_at = now() WHERE id IN (
            SELECT id FROM system_task
            WHERE state = 'pending' AND coalesce(not_before <= now(), true)
              AND (rung_at IS NULL OR rung_at < now() - make_interval(secs => %s::int))
            ORDER BY not_before NULLS FIRST LIMIT %s::int FOR UPDATE SKIP LOCKED)
        RETURNING id, queue
        """,
        [settings.TASK_RING_AGAIN_SECONDS, SWEEP_LIMIT],
    )
    for task in unheard:
        ring(task["id"], task["queue"])


def _worker_name() -> str:
    return socket.gethostname()


def _pulse() -> None:
    """Consuming a message is the proof of life that counts."""
    sql.execute(
        "INSERT INTO system_workerpulse (worker, seen_at) VALUES (%s, now())"
        " ON CONFLICT (worker) DO UPDATE SET seen_at = excluded.seen_at",
        [_worker_name()],
    )
