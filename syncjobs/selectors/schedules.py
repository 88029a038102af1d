"""Reads of schedules: what they start, when next, and what became of their last slot."""

from collections.abc import Collection
from datetime import datetime
from typing import Any

import msgspec
from django.db.models import QuerySet
from django.utils import timezone
from django_celery_beat.models import PeriodicTask

from syncjobs.services.schedules import RUN_TASK, SHOWN_SLOTS, described
from syncjobs.services.slots import next_slots
from system import sql
from system.errors import ErrorCode

LAST_RUNS_SQL = """
SELECT s.id AS schedule_id, r.slot, r.state AS status, r.task_id, r.reason, r.created_at
FROM unnest(%s::int[]) AS s (id), LATERAL (
    SELECT * FROM syncjobs_scheduledrun WHERE schedule_id = s.id ORDER BY slot DESC LIMIT 1) AS r
"""

BY_CODE = {code.value: code for code in ErrorCode}


def schedules() -> "QuerySet[PeriodicTask]":
    """Beat's rows that start syncs, their timing joined."""
    rows: QuerySet[PeriodicTask] = PeriodicTask.objects.filter(task=RUN_TASK).select_related("crontab", "interval")
    return rows


def schedule_views(rows: Collection[PeriodicTask]) -> list[dict[str, Any]]:
    """Show schedules, each with its last slot; one query for all."""
    now = timezone.now()
    runs = {found.pop("schedule_id"): _run_view(found) for found in sql.rows(LAST_RUNS_SQL, [[row.pk for row in rows]])}
    return [_view(row, now, runs.get(row.pk)) for row in rows]


def _view(row: PeriodicTask, now: datetime, last_run: dict[str, Any] | None) -> dict[str, Any]:
    schedule = described(row)
    upcoming = next_slots(row, now, SHOWN_SLOTS)
    return {
        "id": row.pk,
        "name": schedule.name,
        "source": schedule.sync.source,
        "type": schedule.sync.type,
        "category_id": schedule.sync.category_id,
        "config": msgspec.to_builtins(schedule.sync.config),
        "priority": schedule.sync.priority,
        "overlap": schedule.sync.overlap,
        "missed": schedule.sync.missed,
        "cron": schedule.cron,
        "every_seconds": schedule.every_seconds,
        "timezone": schedule.timezone,
        "start_time": schedule.start_time,
        "is_enabled": schedule.is_enabled,
        "next_run_at": upcoming[0] if upcoming else None,
        "next_runs": upcoming,
        "last_run_at": last_run["slot"] if last_run else None,
        "last_run": last_run,
    }


def _run_view(found: dict[str, Any]) -> dict[str, Any]:
    reason = msgspec.json.decode(found["reason"]) if found["reason"] else {}
    code = reason.get("code", "")
    known = BY_CODE.get(code)
    return {
        "slot": found["slot"],
        "status": found["status"],
        "task_id": found["task_id"] or None,
        "code": code or None,
        "reason": known.message if known else None,
    }
