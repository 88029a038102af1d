"""Reads of sources, jobs and logs. Times leave as aware datetimes; renderers write them."""

from collections.abc import Collection
from datetime import datetime
from statistics import median
from typing import Any, TypedDict

from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext

from syncjobs.models import SyncJob, SyncLog
from syncjobs.selectors.alerts import Alert, alerts
from syncjobs.selectors.messages import channels_view
from system import sql
from system.models import Task, WorkerPulse

WORKER_ONLINE_SECONDS = 60
ACTIVE_SHOWN = 50


class Progress(TypedDict):
    """Products unless said otherwise. `percent` and `eta_seconds` are null while the total is unknown."""

    percent: float | None
    processed: int
    total: int | None
    created: int
    updated: int
    unchanged: int
    rejected: int
    held: int
    delisted: int
    missing: int
    hidden: int
    rate_per_second: float
    eta_seconds: int | None


class JobView(TypedDict):
    """A job as REST, WebSocket and commands show it."""

    task_id: str
    type: str
    status: str
    source: str
    category_id: int | None
    sku_list: list[str]
    config: dict[str, int]
    priority: str
    dry_run: bool
    trigger: str
    requested_by: str
    progress: Progress
    calls: int
    forecast: dict[str, Any] | None
    started_at: datetime | None
    finished_at: datetime | None
    error: dict[str, Any] | None


class LogView(TypedDict):
    """A line of a job's log, in the reader's language."""

    id: int
    task_id: str
    level: str
    message: str
    context: dict[str, Any]
    created_at: datetime


class StatusView(TypedDict):
    """What is going on: active jobs, the last ended one, workers, queues and change messages."""

    active: list[JobView]
    last: JobView | None
    workers: dict[str, Any]
    queues: dict[str, dict[str, int]]
    messages: list[dict[str, Any]]
    alerts: list[Alert]


def jobs() -> "QuerySet[SyncJob]":
    """All jobs, newest first, their source joined."""
    return SyncJob.objects.select_related("source").order_by("-created_at", "-id")


def job(job_id: int) -> SyncJob:
    """One job by its row id, its source joined.

    Raises:
        SyncJob.DoesNotExist: it was deleted.
    """
    row = SyncJob.objects.select_related("source").filter(pk=job_id).first()
    if row is None:
        raise SyncJob.DoesNotExist
    return row


def job_names(numbers: Collection[int]) -> dict[int, str]:
    """Public ids of jobs by their row ids."""
    return dict(SyncJob.objects.filter(pk__in=numbers).values_list("pk", "task_id"))


def job_number(task_id: str) -> int | None:
    """The row id of a job by its public id; None for an unknown one."""
    return SyncJob.objects.filter(task_id=task_id).values_list("pk", flat=True).first()


def first_task(row: SyncJob) -> Task:
    """The task a job began with."""
    return Task.objects.filter(job_id=row.pk).order_by("created_at")[0]


def usual_seconds(kind: str) -> float | None:
    """The median duration of the last 20 jobs of a type that ended well; None before the first."""
    ended = SyncJob.objects.filter(type=kind, state__in=(SyncJob.State.SUCCEEDED, SyncJob.State.PARTIAL))
    took = [
        (finished - started).total_seconds()
        for started, finished in ended.order_by("-id").values_list("started_at", "finished_at")[:20]
        if started and finished
    ]
    return median(took) if took else None


def job_view(row: SyncJob) -> JobView:
    """Show one job; its source must be joined."""
    return {
        "task_id": row.task_id,
        "type": row.type,
        "status": row.state,
        "source": row.source.name,
        "category_id": row.category_id,
        "sku_list": row.sku_list,
        "config": {"batch_size": row.batch_size, "max_workers": row.max_workers},
        "priority": row.priority,
        "dry_run": row.dry_run,
        "trigger": row.trigger,
        "requested_by": row.requested_by,
        "progress": _progress(row),
        "calls": row.calls,
        "forecast": row.forecast,
        "started_at": row.started_at,
        "finished_at": row.finished_at,
        "error": row.error,
    }


def _progress(row: SyncJob) -> Progress:
    rate = _rate(row)
    return {
        "percent": _percent(row),
        "processed": row.processed,
        "total": row.total,
        "created": row.created,
        "updated": row.updated,
        "unchanged": row.unchanged,
        "rejected": row.rejected,
        "held": row.held,
        "delisted": row.delisted,
        "missing": row.missing,
        "hidden": row.hidden,
        "rate_per_second": round(rate, 1),
        "eta_seconds": _eta(row, rate),
    }


def _percent(row: SyncJob) -> float | None:
    if row.state in (SyncJob.State.SUCCEEDED, SyncJob.State.PARTIAL):
        return 100.0
    if not row.total:
        return None
    return round(min(100.0, row.processed * 100 / row.total), 1)


def _rate(row: SyncJob) -> float:
    if row.started_at is None:
        return 0.0
    seconds = ((row.finished_at or timezone.now()) - row.started_at).total_seconds()
    return row.processed / seconds if seconds > 0 else 0.0


def _eta(row: SyncJob, rate: float) -> int | None:
    if row.finished_at or not row.total or not rate:
        return None
    return max(0, round((row.total - row.processed) / rate))


def logs(task_id: str | None = None) -> "QuerySet[SyncLog]":
    """Log lines, newest first, their job joined."""
    found = SyncLog.objects.select_related("job").order_by("-id")
    return found.filter(job__task_id=task_id) if task_id else found


def log_view(line: SyncLog) -> LogView:
    """Show one line in the active language; its job must be joined."""
    return {
        "id": line.pk,
        "task_id": line.job.task_id,
        "level": line.level,
        "message": gettext(line.message),
        "context": line.context,
        "created_at": line.created_at,
    }


def status_view(task_id: str | None = None) -> StatusView:
    """What is going on now; with a task id, only that job, under `active` or `last`."""
    found = jobs().filter(task_id=task_id) if task_id else jobs()
    active = found.filter(state__in=SyncJob.OPEN_STATES)[:ACTIVE_SHOWN]
    last = found.exclude(state__in=SyncJob.OPEN_STATES).first()
    return {
        "active": [job_view(row) for row in active],
        "last": job_view(last) if last else None,
        "workers": workers_view(),
        "queues": queues_view(),
        "messages": channels_view(),
        "alerts": alerts(),
    }


def workers_view() -> dict[str, Any]:
    """How many workers consumed something lately, and when one last did."""
    seen = list(WorkerPulse.objects.values_list("seen_at", flat=True))
    recent = [moment for moment in seen if (timezone.now() - moment).total_seconds() < WORKER_ONLINE_SECONDS]
    return {"online": len(recent), "last_seen": max(seen, default=None)}


def queues_view() -> dict[str, dict[str, int]]:
    """Pending and running tasks by queue; every queue is named."""
    counts: dict[str, dict[str, int]] = {name: {"pending": 0, "running": 0} for name in Task.Queue.values}
    for row in sql.rows(
        "SELECT queue, state, count(*) AS n FROM system_task WHERE state IN ('pending', 'running') GROUP BY 1, 2"
    ):
        counts[row["queue"]][row["state"]] = row["n"]
    return counts
