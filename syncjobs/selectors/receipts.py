"""What a run came to beyond its counters: fields, reasons of rejects, calls by API."""

from datetime import datetime
from typing import TypedDict

from syncjobs.models import JobCalls, JobReceipt, SyncJob
from system import sql

_FIELDS = """
SELECT f.key AS name, sum(f.value::bigint)::bigint AS n
FROM syncjobs_syncbatch b, jsonb_each_text(coalesce(b.counters -> 'fields', '{}')) AS f
WHERE b.job_id = %s AND b.state = 'done' GROUP BY 1 ORDER BY 2 DESC, 1
"""
_REASONS = """
SELECT step, code, field, count(*) AS records, count(*) FILTER (WHERE resolved_at IS NULL) AS waiting
FROM syncjobs_rejectedrecord WHERE job_id = %s GROUP BY 1, 2, 3 ORDER BY 4 DESC, 1, 2, 3 LIMIT %s::int
"""
# So many reasons are told apart.
MOST_REASONS = 100


class Reason(TypedDict):
    """Why records were rejected: how many, and how many of them no retry has resolved."""

    step: str
    code: str
    field: str
    records: int
    waiting: int


class ApiCalls(TypedDict):
    """Calls to one API, also those of the plan and those that failed."""

    api: str
    calls: int


class ReceiptParts(TypedDict):
    """What a run came to beyond its counters. `superseded`: unchanged, for a later sync had stored them."""

    seconds: float | None
    fields_changed: dict[str, int]
    superseded: int
    rejected_by: list[Reason]
    calls_by_api: list[ApiCalls]


def receipt_parts(row: SyncJob) -> ReceiptParts:
    """All of it for one job."""
    kept = _kept(row)
    calls = JobCalls.objects.filter(job_id=row.pk).order_by("-calls", "api").values_list("api", "calls")
    return {
        "seconds": seconds(row.started_at, row.finished_at),
        "fields_changed": _sorted(kept.fields_changed) if kept else _of_batches(row.pk),
        "superseded": kept.superseded if kept else 0,
        "rejected_by": [
            Reason(step=each[0], code=each[1], field=each[2], records=each[3], waiting=each[4])
            for each in sql.fetch_all(_REASONS, [row.pk, MOST_REASONS])
        ],
        "calls_by_api": [{"api": api, "calls": count} for api, count in calls],
    }


def fields_changed(row: SyncJob) -> dict[str, int]:
    """How often each field changed, the most frequent first; a dry run tells what would have changed."""
    kept = _kept(row)
    return _sorted(kept.fields_changed) if kept else _of_batches(row.pk)


def seconds(started_at: datetime | None, finished_at: datetime | None) -> float | None:
    """How long a run took; None while it runs. Two machines' clocks need not agree."""
    return max(0.0, (finished_at - started_at).total_seconds()) if finished_at and started_at else None


def _kept(row: SyncJob) -> JobReceipt | None:
    """What was kept when the job ended; while it is open its batches know more."""
    return None if row.state in SyncJob.OPEN_STATES else JobReceipt.objects.filter(pk=row.pk).first()


def _of_batches(job_id: int) -> dict[str, int]:
    return {row["name"]: row["n"] for row in sql.rows(_FIELDS, [job_id])}


def _sorted(fields: dict[str, int]) -> dict[str, int]:
    return dict(sorted(fields.items(), key=lambda item: (-item[1], item[0])))
