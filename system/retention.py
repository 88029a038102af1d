"""What is kept for a time only, and how it goes: in short transactions that block nobody."""

from datetime import timedelta

from django.utils import timezone

from system import runtime, sql, usage
from system.mail import EMAIL_KIND

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
# Nor may a letter go before the task that is to send it.
_EMAILS = """
DELETE FROM system_email WHERE id IN
    (SELECT id FROM system_email WHERE created_at < %s AND NOT EXISTS (
        SELECT 1 FROM system_task WHERE state IN ('pending', 'running', 'cancelling') AND kind = %s::text
            AND payload ->> 'email_id' = system_email.id::text)
     ORDER BY created_at LIMIT %s::int FOR UPDATE SKIP LOCKED)
"""
_USAGE = """
DELETE FROM system_apiusage WHERE id IN (SELECT id FROM system_apiusage WHERE day < %s::date ORDER BY day LIMIT %s::int)
"""
# Every container has a name of its own; of those that are gone the latest still says when somebody last worked.
_WORKERS = """
DELETE FROM system_workerpulse WHERE seen_at < least(%s::timestamptz, (SELECT max(seen_at) FROM system_workerpulse))
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
    """Delete tasks that ended, letters, and workers, before the time the setting tasks.retention_days says.

    Returns:
        How many rows.
    """
    oldest = timezone.now() - timedelta(days=runtime.integer("tasks.retention_days"))
    ended = _in_chunks(_TASKS, [oldest, DELETE_AT_ONCE])
    letters = _in_chunks(_EMAILS, [oldest, EMAIL_KIND, DELETE_AT_ONCE])
    return ended + letters + sql.execute(_WORKERS, [oldest])


def forget_usage() -> int:
    """Delete counts of API calls that are older than any report can ask for; returns how many."""
    oldest = timezone.now().date() - timedelta(days=usage.KEPT_DAYS)
    return _in_chunks(_USAGE, [oldest, DELETE_AT_ONCE])


def _in_chunks(statement: str, parameters: list[object]) -> int:
    total = 0
    while True:
        deleted = sql.execute(statement, parameters)
        total += deleted
        if deleted < DELETE_AT_ONCE:
            return total
