"""The task queue: rows in our own table, rung by Celery messages.

`enqueue` writes a row and rings on commit. A worker's `run` claims the row by compare-and-swap and calls the handler
that an application registered for its kind. A lost bell is rung again by `sweep`; a lost worker's lease expires and
`sweep` gives the row back. A row that took its worker down three times has failed (crash_loop).
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
from django.utils import timezone
from kombu.exceptions import OperationalError as BrokerUnavailable

from system import sql
from system.models import Task
from system.request_id import current_request_id, request_scope

logger = logging.getLogger(__name__)

RUN_TASK = "system.run_task"
LEASE_SECONDS = settings.CELERY_TASK_TIME_LIMIT + 10
MAX_ATTEMPTS = 3
SWEEP_LIMIT = 500
# After a failed send nobody else waits for the broker this long; the sweeper rings what was missed.
BREAKER_SECONDS = 5
# Celery keeps delayed messages in worker memory; longer delays wait in the row and are rung by the sweeper.
LONGEST_COUNTDOWN_SECONDS = 60
# A bell must not ring before the database agrees that it is time.
CLOCK_SLACK_SECONDS = 0.2

_broker_down_until = 0.0


class TaskGone(Exception):
    """The row is no longer ours: cancelled, or claimed by another worker."""


class TaskContext:
    """What a handler gets beside its payload: the claimed row, and the means to keep it."""

    def __init__(self, task_id: uuid.UUID, fence: int, job_id: int | None) -> None:
        self.task_id = task_id
        self.fence = fence
        self.job_id = job_id

    def heartbeat(self, seconds: int) -> None:
        """Make the lease end `seconds` from now.

        Raises:
            TaskGone: the row was cancelled or belongs to another worker.
        """
        kept = sql.execute(
            "UPDATE system_task SET lease_until = now() + make_interval(secs => %s::int)"
            " WHERE id = %s AND fence = %s AND state = 'running'",
            [seconds, self.task_id, self.fence],
        )
        if not kept:
            raise TaskGone(str(self.task_id))


Handler = Callable[[dict[str, Any], TaskContext], Any]
_handlers: dict[str, Handler] = {}
_sweepers: list[Callable[[], None]] = []


def register_handler(kind: str, handler: Handler) -> None:
    """Say who works on tasks of this kind; called from `AppConfig.ready()`."""
    _handlers[kind] = handler


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
        return
    context = TaskContext(task_id, claimed["fence"], claimed["job_id"])
    with request_scope(claimed["request_id"]):
        if claimed["attempt"] > MAX_ATTEMPTS:
            _finish(context, Task.State.FAILED, error={"code": "crash_loop", "message": "took its worker down 3 times"})
            return
        _work(claimed["kind"], msgspec.json.decode(claimed["payload"]), context)


def _work(kind: str, payload: dict[str, Any], context: TaskContext) -> None:
    try:
        result = _handlers[kind](payload, context)
    except TaskGone:
        logger.warning("task %s is no longer ours", context.task_id)
    except (OperationalError, InterfaceError):
        raise
    except Exception as error:
        logger.exception("task %s (%s) failed", context.task_id, kind)
        _finish(context, Task.State.FAILED, error={"code": type(error).__name__, "message": str(error)[:500]})
    else:
        _finish(context, Task.State.SUCCEEDED, result=result)


def _claim(task_id: uuid.UUID, *, worker_lost: bool) -> dict[str, Any] | None:
    return sql.one(
        """
        UPDATE system_task
        SET state = 'running', fence = fence + 1, started_at = coalesce(started_at, now()),
            lease_until = now() + make_interval(secs => %(lease)s::int),
            attempts = attempts || jsonb_build_object('started_at', now(), 'worker', %(worker)s::text)
        WHERE id = %(id)s::uuid AND coalesce(not_before <= now(), true)
          AND (state = 'pending' OR (state = 'running' AND (lease_until < now() OR %(lost)s::bool)))
        RETURNING fence, job_id, kind, payload, request_id, jsonb_array_length(attempts) AS attempt
        """,
        {"id": task_id, "lease": LEASE_SECONDS, "worker": _worker_name(), "lost": worker_lost},
    )


def _finish(context: TaskContext, state: str, *, result: Any = None, error: dict[str, str] | None = None) -> None:
    Task.objects.filter(pk=context.task_id, fence=context.fence, state="running").update(
        state=state, result=result, error=error, finished_at=timezone.now(), lease_until=None
    )
    sql.execute(
        """
        UPDATE system_task SET attempts = jsonb_set(attempts, '{-1}', (attempts -> -1)
            || jsonb_build_object('finished_at', finished_at, 'error', error))
        WHERE id = %s AND fence = %s AND finished_at IS NOT NULL
        """,
        [context.task_id, context.fence],
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
