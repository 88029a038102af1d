"""What the kernel's own tables show."""

from typing import Any

from system import runtime, sql
from system.models import AuditLog, Setting, SystemLog, Task

QUEUES_SQL = """
SELECT queue, count(*) FILTER (WHERE state = 'pending') AS pending,
       count(*) FILTER (WHERE state <> 'pending') AS running,
       extract(epoch FROM now() - min(coalesce(not_before, created_at)) FILTER (
           WHERE state = 'pending' AND coalesce(not_before <= now(), true)))::float8 AS oldest
FROM system_task WHERE state IN ('pending', 'running', 'cancelling') GROUP BY queue
"""


def settings_view() -> dict[str, Any]:
    """All runtime settings with their bounds, who changed them last, and the facts that only the environment sets."""
    stored = {row.key: row for row in Setting.objects.all()}
    return {
        "settings": [_setting_view(known, stored.get(known.key)) for known in runtime.definitions().values()],
        "facts": [
            {"key": fact.key, "value": fact.value, "description": str(fact.description)} for fact in runtime.facts()
        ],
    }


def _setting_view(known: runtime.Definition, row: Setting | None) -> dict[str, Any]:
    return {
        "key": known.key,
        "value": known.default if row is None or known.refusal(row.value) else row.value,
        "default": known.default,
        "type": known.kind,
        "minimum": known.minimum,
        "maximum": known.maximum,
        "choices": list(known.choices),
        "group": str(known.group),
        "description": str(known.description),
        "changed_by": row.updated_by if row else None,
        "changed_at": row.updated_at if row else None,
    }


def queues_view() -> list[dict[str, Any]]:
    """What waits and runs in each queue, and how long the oldest due task has waited."""
    found = {row["queue"]: row for row in sql.rows(QUEUES_SQL)}
    return [_queue_view(name, found.get(name)) for name in Task.Queue.values]


def _queue_view(name: str, row: dict[str, Any] | None) -> dict[str, Any]:
    oldest = row["oldest"] if row else None
    return {
        "name": name,
        "pending": row["pending"] if row else 0,
        "running": row["running"] if row else 0,
        "oldest_pending_seconds": None if oldest is None else int(oldest),
    }


def audit_view(row: AuditLog) -> dict[str, Any]:
    """Show one line of the audit log."""
    return {
        "id": row.pk,
        "at": row.at,
        "via": row.via,
        "user_id": row.user_id,
        "actor": row.actor,
        "key_id": row.key_id,
        "ip": row.ip,
        "request_id": row.request_id,
        "action": row.action,
        "target_type": row.target_type,
        "target_id": row.target_id,
        "before": row.before,
        "after": row.after,
    }


def log_view(row: SystemLog) -> dict[str, Any]:
    """Show one line of the system log."""
    return {
        "id": row.pk,
        "at": row.at,
        "level": row.level,
        "logger": row.logger,
        "message": row.message,
        "process": row.process,
        "request_id": row.request_id,
        "context": row.context,
    }
