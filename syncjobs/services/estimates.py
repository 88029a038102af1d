"""What a planned sync will take: records, calls, time, and how much of today's quota."""

from collections.abc import Sequence

import msgspec
from django.db.models import F, Sum

from products.models import FIRST_OWN_CATEGORY_ID, Category
from syncjobs.engine.contracts import BatchSpec, Plan
from syncjobs.models import Source, SyncJob
from syncjobs.services.gates import call_gate
from syncjobs.services.planning import wants_categories

# What one machine does when a source has never been synced.
USUAL_RECORDS_PER_SECOND = 500.0
LAST_JOBS = 5


class Quota(msgspec.Struct, frozen=True, kw_only=True):
    """Today's calls (days are China's). `share_percent`: what the sync takes of the limit; null without one."""

    limit: int | None
    used_today: int
    share_percent: float | None


class Estimate(msgspec.Struct, frozen=True, kw_only=True):
    """`records` is null while the source does not say how many there are."""

    records: int | None
    calls: int
    seconds: int
    quota: Quota


def estimate(job: SyncJob, plan: Plan, specs: Sequence[BatchSpec]) -> Estimate:
    """Add up a plan.

    Raises:
        RetryableSourceError: the ledger of calls cannot be read.
    """
    records = plan.total
    calls = sum(spec.calls for spec in specs)
    if calls and wants_categories(job):
        calls += _category_calls()
    return Estimate(
        records=records,
        calls=calls,
        seconds=round(max(calls / job.source.calls_per_second, (records or 0) / _records_per_second(job.source))),
        quota=_quota(job.source, calls),
    )


def _category_calls() -> int:
    """One call for the root, and one for each known category that has others below it."""
    return 1 + Category.objects.filter(pk__lt=FIRST_OWN_CATEGORY_ID, is_leaf=False).count()


def _records_per_second(source: Source) -> float:
    """How fast the source's last full jobs went, waiting included."""
    ended = SyncJob.objects.filter(source=source, state__in=("succeeded", "partial"), processed__gt=0)
    last = ended.exclude(started_at=None).exclude(finished_at=None).order_by("-id")[:LAST_JOBS]
    took = SyncJob.objects.filter(pk__in=[job.pk for job in last]).aggregate(
        records=Sum("processed"), time=Sum(F("finished_at") - F("started_at"))
    )
    seconds = took["time"].total_seconds() if took["time"] else 0.0
    return float(took["records"] / seconds) if seconds > 0 else USUAL_RECORDS_PER_SECOND


def _quota(source: Source, calls: int) -> Quota:
    limit = source.daily_call_limit
    share = round(calls * 100 / limit, 1) if limit else None
    return Quota(limit=limit, used_today=call_gate(source).used_today() if calls else 0, share_percent=share)
