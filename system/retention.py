"""What is kept for a time only, and how it goes: in short transactions that block nobody."""

from datetime import timedelta

from django.utils import timezone

from system import runtime, sql

DELETE_AT_ONCE = 5_000

# Each table's oldest rows are found along an index, never by reading the table.
_ANSWERS = """
DELETE FROM system_idempotencykey WHERE id IN
    (SELECT id FROM system_idempotencykey WHERE created_at <= %s ORDER BY created_at LIMIT %s::int)
"""
_LOG_LINES = """
DELETE FROM system_systemlog WHERE id IN (SELECT id FROM system_systemlog ORDER BY id LIMIT %s::int) AND at < %s
"""
# What still waits or runs has no end, however old it is.
_TASKS = """
DELETE FROM system_task WHERE id IN
    (SELECT id FROM system_task WHERE finished_at < %s ORDER BY finished_at LIMIT %s::int FOR UPDATE SKIP LOCKED)
"""
_EMAILS = """
DELETE FROM system_email WHERE id IN
    (SELECT id FROM system_email WHERE created_at < %s ORDER BY created_at LIMIT %s::int FOR UPDATE SKIP LOCKED)
"""


def forget_answers() -> int:
    """Delete remembered answers whose time is over; returns how many."""
    oldest = timezone.now() - timedelta(hours=runtime.integer("idempotency.hours"))
    return _in_chunks(_ANSWERS, [oldest, DELETE_AT_ONCE])


def forget_log_lines() -> int:
    """Delete lines of the system log that are older than the setting logs.retention_days; returns how many."""
    oldest = timezone.now() - timedelta(days=runtime.integer("logs.retention_days"))
    return _in_chunks(_LOG_LINES, [DELETE_AT_ONCE, oldest])


def forget_tasks() -> int:
    """Delete tasks that ended, and letters, before the time the setting tasks.retention_days says; returns how many."""
    oldest = timezone.now() - timedelta(days=runtime.integer("tasks.retention_days"))
    return sum(_in_chunks(statement, [oldest, DELETE_AT_ONCE]) for statement in (_TASKS, _EMAILS))


def _in_chunks(statement: str, parameters: list[object]) -> int:
    total = 0
    while True:
        deleted = sql.execute(statement, parameters)
        total += deleted
        if deleted < DELETE_AT_ONCE:
            return total
