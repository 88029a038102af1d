"""The rows of the task table as workers hold them: claimed, closed, given up. Every write is a compare-and-swap.

An attempt is an entry {started_at, worker, bell, try} to which its end is added: {finished_at, error, again}, and `cut`
when it ended through no fault of the task. One without an end lost its worker.
"""

import socket
import uuid
from typing import Any

import msgspec
from django.conf import settings

from system import sql
from system.models import Task
from system.task_context import Bell, TaskContext
from system.task_kinds import leases

LEASE_SECONDS = settings.CELERY_TASK_TIME_LIMIT + 10
MAX_ATTEMPTS = 3


def worker_name() -> str:
    """How this machine is called in the records."""
    return socket.gethostname()


# The last attempt ended by what its task cannot help: its process says so, or the database began anew after it.
_CUT = """
    attempts -> -1 -> 'finished_at' IS NULL AND (
        attempts -> -1 ->> 'bell' = %(bell)s::text AND (attempts -> -1 ->> 'try')::int <= %(alive)s::int
        OR (attempts -> -1 ->> 'started_at')::timestamptz < pg_postmaster_start_time())
"""
_END_AS_CUT = """
    jsonb_set(attempts, '{-1}', (attempts -> -1) || '{"error": {"code": "database_away"}, "again": true, "cut": true}'
        || jsonb_build_object('finished_at', now()))
"""
CLAIM_SQL = f"""
UPDATE system_task
SET state = 'running', fence = fence + 1, started_at = coalesce(started_at, now()),
    lease_until = now() + make_interval(secs => coalesce((%(leases)s::jsonb ->> kind)::int, %(lease)s::int)),
    attempts = CASE WHEN {_CUT} THEN {_END_AS_CUT} ELSE attempts END || jsonb_build_object(
        'started_at', now(), 'worker', %(worker)s::text, 'bell', %(bell)s::text, 'try', %(tries)s::int)
WHERE id = %(id)s::uuid AND coalesce(not_before <= now(), true)
  AND (state = 'pending' OR (state = 'running' AND (lease_until < now() OR (
    attempts -> -1 ->> 'bell' = %(bell)s::text AND (attempts -> -1 ->> 'try')::int < %(tries)s::int))))
RETURNING fence, job_id, kind, payload, request_id, attempts
"""  # noqa: S608 (constants of ours)


def claim(task_id: uuid.UUID, bell: Bell) -> dict[str, Any] | None:
    """Take a row that waits, or whose holder is gone: its lease has ended, or the broker saw its process die."""
    values = {"bell": bell.name, "tries": bell.tries, "alive": bell.alive, "worker": worker_name()}
    # From the first moment as short as the kind's: a worker may die before its handler begins.
    return sql.one(CLAIM_SQL, values | {"id": task_id, "lease": LEASE_SECONDS, "leases": _json(leases())})


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
        'finished_at', now(), 'error', %(error)s::jsonb, 'again', %(state)s::text = 'pending' AND state = 'running')
        || CASE WHEN %(cut)s::bool THEN '{"cut": true}'::jsonb ELSE '{}' END)
WHERE id = %(id)s::uuid AND fence = %(fence)s::bigint AND state IN ('running', 'cancelling')
RETURNING queue, state
"""


def close(
    context: TaskContext,
    state: str,
    *,
    result: Any = None,
    error: dict[str, str] | None = None,
    delay_seconds: float = 0,
    cut: bool = False,
) -> str | None:
    """Write how an attempt ended; returns its queue if it waits for another.

    Of a row that is no longer ours only the attempt is: it lost no worker.

    Args:
        cut: the attempt ended through no fault of the task and does not count.
    """
    values = {"state": state, "delay": delay_seconds, "id": context.task_id, "fence": context.fence, "cut": cut}
    closed = sql.one(CLOSE_SQL, values | {"result": _json(result), "error": _json(error)})
    if closed is None:
        plead(context)
        return None
    return str(closed["queue"]) if closed["state"] == Task.State.PENDING else None


def _json(value: Any) -> str | None:
    return None if value is None else msgspec.json.encode(value).decode()


def give_up(context: TaskContext) -> bool:
    """End a row that took its workers down; the claim that found this out was no attempt."""
    error = {"code": "crash_loop", "message": f"took its worker down {MAX_ATTEMPTS} times"}
    ended = sql.execute(
        "UPDATE system_task SET state = 'failed', finished_at = now(), lease_until = NULL, attempts = attempts - -1,"
        " error = %s::jsonb WHERE id = %s AND fence = %s AND state = 'running'",
        [_json(error), context.task_id, context.fence],
    )
    return bool(ended)


def end_cancelled(task_id: uuid.UUID, *, fence: int | None = None, bell: Bell | None = None) -> None:
    """Nobody works on this row any more; if that is because it was cancelled, say so.

    Args:
        fence, bell: who knows that, its holder or the broker; a row that somebody else holds is left alone.
    """
    sql.execute(
        """
        UPDATE system_task SET state = 'cancelled', finished_at = now(), lease_until = NULL,
            attempts = jsonb_set(attempts, '{-1}', (attempts -> -1)
                || '{"error": {"code": "cancelled"}, "again": false}' || jsonb_build_object('finished_at', now()))
        WHERE id = %(id)s::uuid AND state = 'cancelling' AND fence = coalesce(%(fence)s::bigint, fence)
          AND (%(bell)s::text IS NULL
               OR attempts -> -1 ->> 'bell' = %(bell)s::text AND (attempts -> -1 ->> 'try')::int < %(tries)s::int)
        """,
        {"id": task_id, "fence": fence, "bell": bell and bell.name, "tries": bell.tries if bell else 0},
    )


def plead(context: TaskContext) -> None:
    """Who finds its row in other hands is alive: its attempt lost no worker, and is not counted as if it had."""
    if context.bell is not None:
        _plead(context.task_id, context.bell.name, context.bell.tries, context.bell.tries)


def plead_without_database(task_id: uuid.UUID, bell: Bell) -> None:
    """The tries of a message that had no database lost no worker, whoever has the row by now."""
    if bell.alive >= 0:
        _plead(task_id, bell.name, 0, bell.alive)


def _plead(task_id: uuid.UUID, bell: str, first: int, last: int) -> None:
    sql.execute(
        """
        UPDATE system_task SET attempts = (
            SELECT jsonb_agg(CASE WHEN a ->> 'bell' = %(bell)s::text AND a -> 'finished_at' IS NULL
                    AND (a ->> 'try')::int BETWEEN %(first)s::int AND %(last)s::int
                THEN a || '{"error": {"code": "lease_lost"}, "again": true, "cut": true}'
                    || jsonb_build_object('finished_at', now()) ELSE a END ORDER BY place)
            FROM jsonb_array_elements(attempts) WITH ORDINALITY AS entry(a, place))
        WHERE id = %(id)s::uuid AND attempts <> '[]'
        """,
        {"id": task_id, "bell": bell, "first": first, "last": last},
    )


def free_expired() -> None:
    """Put rows back whose holder let its lease end, and end those that were being cancelled."""
    sql.execute(
        f"""
        UPDATE system_task SET state = CASE state WHEN 'running' THEN 'pending' ELSE 'cancelled' END,
            rung_at = NULL, lease_until = NULL, finished_at = CASE state WHEN 'running' THEN NULL ELSE now() END,
            attempts = CASE WHEN state = 'running' AND {_CUT} THEN {_END_AS_CUT} ELSE attempts END
        WHERE state IN ('running', 'cancelling') AND lease_until < now()
        """,  # noqa: S608 (constants of ours)
        {"bell": "", "alive": -1},
    )
