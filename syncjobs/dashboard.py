"""What the dashboard and monitors are told of the synchronization."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any

from django.db import Error as DatabaseProblem
from django.db.models import Count
from django.db.models.functions import TruncDate
from django.urls import reverse
from django.utils import timezone

from syncjobs import selectors
from syncjobs.models import SyncJob
from syncjobs.selectors.alerts import alerts
from syncjobs.selectors.quota import quota_views
from system.metrics import Gauge, Values
from system.models import Task

DAYS = 7
SHOWN_JOBS = 5
CHART_HEIGHT, COLUMN_WIDTH, BAR_WIDTH = 120, 48, 28
# From the bottom of a column up: how runs ended, or that they have not yet.
OUTCOMES: dict[str, tuple[str, ...]] = {
    "success": (SyncJob.State.SUCCEEDED,),
    "warning": (SyncJob.State.PARTIAL, SyncJob.State.STOPPED, SyncJob.State.HELD),
    "danger": (SyncJob.State.FAILED,),
    "info": SyncJob.OPEN_STATES,
}


def week_card() -> dict[str, Any]:
    """Runs of the last seven days by day and outcome, as columns of a chart."""
    today = timezone.localdate()
    days = [today - timedelta(days=back) for back in reversed(range(DAYS))]
    began = timezone.make_aware(datetime.combine(days[0], datetime.min.time()))
    rows = (
        SyncJob.objects.filter(created_at__gte=began)
        .order_by()
        .values_list(TruncDate("created_at"), "state")
        .annotate(n=Count("id"))
    )
    counts = {(day, state): n for day, state, n in rows}
    totals = [
        {tone: sum(counts.get((day, state), 0) for state in states) for tone, states in OUTCOMES.items()}
        for day in days
    ]
    highest = max(1, *(sum(total.values()) for total in totals))
    return {
        "columns": [_column(i, day, total, highest) for i, (day, total) in enumerate(zip(days, totals, strict=True))],
        "width": DAYS * COLUMN_WIDTH,
        "height": CHART_HEIGHT,
        "runs": sum(sum(total.values()) for total in totals),
    }


def _column(index: int, day: Any, total: dict[str, int], highest: int) -> dict[str, Any]:
    left = index * COLUMN_WIDTH + (COLUMN_WIDTH - BAR_WIDTH) // 2
    bars, top = [], CHART_HEIGHT
    for tone, count in total.items():
        height = round(count * CHART_HEIGHT / highest)
        top -= height
        if count:
            bars.append({"tone": tone, "x": left, "y": top, "height": height, "count": count})
    return {"day": day, "bars": bars, "x": left, "middle": left + BAR_WIDTH // 2, "total": sum(total.values())}


def activity_card() -> dict[str, Any]:
    """What runs now, and how the last run ended."""
    active = selectors.jobs().filter(state__in=SyncJob.OPEN_STATES)[:SHOWN_JOBS]
    last = selectors.jobs().exclude(state__in=SyncJob.OPEN_STATES).first()
    return {"active": [_entry(job) for job in active], "last": _entry(last) if last else None}


def _entry(job: SyncJob) -> dict[str, Any]:
    return {
        "row": job,
        "progress": selectors.job_view(job)["progress"],
        "url": reverse("admin:syncjobs_syncjob_change", args=[job.pk]),
        "rejects": reverse("admin:syncjobs_rejectedrecord_changelist", query={"job": job.task_id}),
    }


def workers_card() -> dict[str, Any]:
    """Workers that consume, and what waits for them."""
    labels = dict(Task.Queue.choices)
    queues = selectors.queues_view()
    return {
        "workers": selectors.workers_view(),
        "queues": [{"name": labels[name], **counts} for name, counts in queues.items()],
    }


def quota_card() -> dict[str, Any]:
    """The calls of each app key today."""
    return {"keys": [view | {"name": view["app_key"] or view["sources"][0]} for view in quota_views()]}


def alerts_card() -> dict[str, Any]:
    """What somebody should look at."""
    return {"alerts": alerts()}


def quota_gauges() -> Iterable[Gauge]:
    """Calls of each app key today, and how many it may make, for monitors."""
    try:
        views = quota_views()
    except DatabaseProblem:
        return []
    names = {view["app_key"] or view["sources"][0]: view for view in views}
    used: Values = {(name,): float(view["used_today"]) for name, view in names.items()}
    refused: Values = {(name,): float(view["refused_today"]) for name, view in names.items()}
    limits: Values = {(name,): float(view["limit"]) for name, view in names.items() if view["limit"]}
    return [
        Gauge("source_calls_today", "Calls since midnight in China", ("app_key",), used),
        Gauge("source_calls_refused_today", "Of them, refused by the platform", ("app_key",), refused),
        Gauge("source_calls_limit", "Calls a day", ("app_key",), limits),
    ]


def jobs_gauges() -> Iterable[Gauge]:
    """How many jobs are in each state, for monitors."""
    try:
        counted = dict(SyncJob.objects.order_by().values_list("state").annotate(n=Count("id")))
    except DatabaseProblem:
        return []
    values: Values = {(state,): float(counted.get(state, 0)) for state in SyncJob.State.values}
    return [Gauge("sync_jobs", "Sync jobs by status", ("status",), values)]
