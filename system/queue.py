"""The task queue: rows in our own table, rung by Celery messages.

`enqueue` writes a row and rings on commit. A worker's `run` claims the row by compare-and-swap and calls the handler
that an application registered for its kind. A lost bell is rung again by `sweep`; a lost worker's lease expires and
`sweep` gives the row back. A row that took its worker down three times has failed (crash_loop); a worker that was told
to stop, or had no database, is not down. A handler may ask for another attempt later (`RetryLater`); a row that was
cancelled meanwhile ends as cancelled, whatever its handler says.
"""

import logging
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

import msgspec
from celery import current_app
from django.conf import settings
from django.db import InterfaceError, OperationalError, transaction
from django.db.models.functions import Now
from kombu.exceptions import OperationalError as BrokerUnavailable
from redis.exceptions import RedisError

from system import sql, task_claims, turns
from system.database.frozen import end_frozen_copies
from system.models import Task
from system.redaction import redact
from system.request_id import current_request_id, request_scope
from system.task_claims import LEASE_SECONDS, MAX_ATTEMPTS
from system.task_context import Bell, RetryLater, TaskContext, TaskFailed, TaskGone, WorkerStopping
from system.task_kinds import handlers, register_handler, traits

__all__ = [
    "LEASE_SECONDS",
    "MAX_ATTEMPTS",
    "Bell",
    "RetryLater",
    "TaskContext",
    "TaskFailed",
    "TaskGone",
    "WorkerStopping",
    "busy",
    "enqueue",
    "give_back",
    "register_handler",
    "register_sweeper",
    "ring",
    "run",
    "sweep",
]

logger = logging.getLogger(__name__)

RUN_TASK = "system.run_task"
# While so many bells of a queue wait at the broker, none of it was lost that is missed yet: others would only be in the
# way of those that are to be heard. A few are rung nevertheless, so that a lost one is made good behind any backlog.
ENOUGH_BELLS, FEW_BELLS = 500, 5
# Of an error's text; the rest is in the log.
LONGEST_ERROR = 500
# After a failed send nobody else waits for the broker this long; the sweeper rings what was missed.
BREAKER_SECONDS = 5
# Celery keeps delayed messages in worker memory; longer delays wait in the row and are rung by the sweeper.
LONGEST_COUNTDOWN_SECONDS = 60
# A bell must not ring before the database agrees that it is time.
CLOCK_SLACK_SECONDS = 0.2

_broker_down_until = 0.0
# What this process works on; more than one only where a handler runs another task.
_in_hand: list[TaskContext] = []


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
    if delay_seconds > LONGEST_COUNTDOWN_SECONDS or time.monotonic() < _broker_down_until:
        return False
    try:
        countdown = delay_seconds + CLOCK_SLACK_SECONDS if delay_seconds else None
        current_app.send_task(RUN_TASK, kwargs={"task_id": str(task_id)}, queue=queue, countdown=countdown)
    except BrokerUnavailable as error:
        _leave_broker_alone(f"task {task_id} waits for the sweeper", error)
        return False
    return True


def _leave_broker_alone(consequence: str, error: Exception) -> None:
    global _broker_down_until
    _broker_down_until = time.monotonic() + BREAKER_SECONDS
    logger.warning("broker unavailable, %s: %s", consequence, error)


def run(task_id: uuid.UUID, *, bell: Bell | None = None) -> None:
    """Claim a row and work on it; a second delivery of the same bell finds a live lease and returns.

    Args:
        bell: the message that is answered; what it claimed before, in a process that died, is claimed again.

    Raises:
        OperationalError, InterfaceError: the database is away; the caller tries again later.
    """
    bell = bell or Bell(name=str(uuid.uuid4()))
    _pulse()
    claimed = task_claims.claim(task_id, bell)
    if claimed is None:
        task_claims.end_cancelled(task_id, bell=bell)
        task_claims.plead_without_database(task_id, bell)
        return
    before = _series(msgspec.json.decode(claimed["attempts"])[:-1])
    context = TaskContext(
        task_id,
        claimed["fence"],
        claimed["job_id"],
        attempt=sum(not entry.get("cut") for entry in before) + 1,
        follows_crash=bool(before) and _lost_worker(before[-1]),
        bell=bell,
    )
    with request_scope(claimed["request_id"]), _holding(context):
        if sum(map(_lost_worker, before)) >= MAX_ATTEMPTS:
            _give_up(claimed["kind"], context, since=before[0].get("started_at"))
        else:
            _work(claimed["kind"], msgspec.json.decode(claimed["payload"]), context)


def _series(attempts: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The attempts since somebody last had the task tried: those that lost their worker or asked for another."""
    ended = [number for number, attempt in enumerate(attempts, 1) if attempt.get("again") is False]
    return attempts[ended[-1] if ended else 0 :]


def _lost_worker(attempt: dict[str, Any]) -> bool:
    return "finished_at" not in attempt


@contextmanager
def _holding(context: TaskContext) -> Iterator[None]:
    _in_hand.append(context)
    try:
        yield
    finally:
        _in_hand.remove(context)


def busy() -> bool:
    """Whether this process has a task in its hands."""
    return bool(_in_hand)


def give_back() -> None:
    """Put what this process has in its hands back into the queue: it was told to stop and did not come to an end.

    For a thread beside the one that works, in a process that ends at once.
    """
    for context in tuple(_in_hand):
        _return(context)


def _return(context: TaskContext) -> None:
    reason = _reason("worker_stopped", "its worker was told to stop")
    if queue := task_claims.close(context, Task.State.PENDING, error=reason, cut=True):
        transaction.on_commit(lambda: ring(context.task_id, queue))


def _work(kind: str, payload: dict[str, Any], context: TaskContext) -> None:
    try:
        result = handlers[kind](payload, context)
    except WorkerStopping:
        logger.info("task %s (%s) is left to another worker", context.task_id, kind)
        _return(context)
    except TaskGone:
        logger.warning("task %s is no longer ours", context.task_id)
        task_claims.end_cancelled(context.task_id, fence=context.fence)
        task_claims.plead(context)
    except (OperationalError, InterfaceError):
        raise
    except RetryLater as error:
        _again(kind, context, error)
    except TaskFailed as error:
        logger.warning("task %s (%s) failed: %s", context.task_id, kind, error)
        task_claims.close(context, Task.State.FAILED, error=_reason(error.code, error.message))
    except Exception as error:
        logger.exception("task %s (%s) failed", context.task_id, kind)
        task_claims.close(context, Task.State.FAILED, error=_reason(type(error).__name__, str(error)))
    else:
        task_claims.close(context, Task.State.SUCCEEDED, result=result)


def _again(kind: str, context: TaskContext, error: RetryLater) -> None:
    reason, backoff = _reason(error.code, error.message), traits(kind).backoff
    if context.attempt > len(backoff):
        logger.warning("task %s (%s) failed after %s attempts: %s", context.task_id, kind, context.attempt, error)
        task_claims.close(context, Task.State.FAILED, error=reason)
        return
    delay = backoff[context.attempt - 1] if error.seconds is None else error.seconds
    logger.info("task %s (%s) is tried again in %s s: %s", context.task_id, kind, delay, error)
    if queue := task_claims.close(context, Task.State.PENDING, error=reason, delay_seconds=delay):
        transaction.on_commit(lambda: ring(context.task_id, queue, delay))


def _reason(code: str, message: str) -> dict[str, str]:
    """An error as people may see it, in characters that JSON and PostgreSQL can hold."""
    text = redact(message).encode("utf-8", "replace").decode().replace("\0", "")
    return {"code": code, "message": text[:LONGEST_ERROR]}


def _give_up(kind: str, context: TaskContext, since: str | None) -> None:
    logger.error("task %s (%s) took its worker down %s times", context.task_id, kind, MAX_ATTEMPTS)
    on_crash_loop = traits(kind).on_crash_loop
    with transaction.atomic():
        if task_claims.give_up(context) and on_crash_loop and context.job_id is not None:
            on_crash_loop(context.job_id, context.task_id, datetime.fromisoformat(since) if since else None)


def sweep() -> None:
    """Repair what crashes left: give expired leases back, ring lost bells, run the applications' own sweepers."""
    end_frozen_copies()
    _pulse()
    task_claims.free_expired()
    for sweeper in _sweepers:
        sweeper()
    _ring_again()
    for task_id in turns.forgotten():
        ring(task_id, Task.Queue.CRITICAL)


RING_AGAIN_SQL = """
UPDATE system_task SET rung_at = now() WHERE id IN (
    SELECT missed.id FROM unnest(%s::text[], %s::int[]) AS room(queue, bells), LATERAL (
        SELECT id FROM system_task
        WHERE state = 'pending' AND queue = room.queue AND coalesce(not_before <= now(), true)
          AND (rung_at IS NULL OR rung_at < now() - make_interval(secs => %s::int))
        ORDER BY rung_at NULLS FIRST LIMIT room.bells FOR UPDATE SKIP LOCKED) AS missed)
RETURNING id, queue
"""


def _ring_again() -> None:
    """Ring for what waits without a bell as far as anybody can tell, the longest silence first."""
    room = {queue.value: max(ENOUGH_BELLS - waiting, FEW_BELLS) for queue, waiting in _bells_waiting().items()}
    values = [list(room), list(room.values()), settings.TASK_RING_AGAIN_SECONDS]
    for task in sql.rows(RING_AGAIN_SQL, values):
        ring(task["id"], task["queue"])


def _bells_waiting() -> dict[Task.Queue, int]:
    """How many messages of each queue the broker holds; nothing while it is away, when nobody could be rung for."""
    if time.monotonic() < _broker_down_until:
        return {}
    try:
        with current_app.connection_or_acquire() as connection:
            channel = connection.default_channel
            return {queue: channel.queue_declare(queue=queue.value).message_count for queue in Task.Queue}
    except (BrokerUnavailable, RedisError) as error:
        _leave_broker_alone("nobody is rung for", error)
        return {}


def _pulse() -> None:
    """Consuming a message is the proof of life that counts."""
    sql.execute(
        "INSERT INTO system_workerpulse (worker, seen_at) VALUES (%s, now())"
        " ON CONFLICT (worker) DO UPDATE SET seen_at = excluded.seen_at",
        [task_claims.worker_name()],
    )
