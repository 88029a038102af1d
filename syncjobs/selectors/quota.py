"""Reads of the daily ledger: what each app key has used of its calls, and what the jobs at work still need."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from typing import Any

import redis
from django.utils import timezone

from syncjobs.connectors.alibaba1688.dates import next_china_midnight
from syncjobs.connectors.alibaba1688.quota import Counted, Pace
from syncjobs.connectors.coerce import CHINA
from syncjobs.models import CallLedger, Source, SyncJob
from syncjobs.services.gates import by_bucket, gate_of, strictest

DAYS = 7

Lines = dict[date, dict[str, Counted]]


def quota_views() -> list[dict[str, Any]]:
    """Every app key with its sources; today from Redis as well where it answers. Three queries."""
    now = timezone.now()
    today = now.astimezone(CHINA).date()
    sources = by_bucket()
    stored, jobs = _stored(today - timedelta(days=DAYS - 1)), _jobs(sources)
    return [
        _view(bucket, sharing, _with_redis(bucket, stored[bucket], today), jobs[bucket], now)
        for bucket, sharing in sources.items()
    ]


def _stored(since: date) -> dict[str, Lines]:
    found: dict[str, Lines] = defaultdict(lambda: defaultdict(dict))
    for line in CallLedger.objects.filter(day__gte=since):
        found[line.bucket][line.day][line.api] = Counted(line.calls, line.refused, line.used_up_at)
    return found


def _jobs(sources: Mapping[str, Sequence[Source]]) -> dict[str, list[SyncJob]]:
    found: dict[str, list[SyncJob]] = defaultdict(list)
    names = {source.pk: bucket for bucket, sharing in sources.items() for source in sharing}
    for job in SyncJob.objects.filter(state__in=SyncJob.OPEN_STATES).order_by("id"):
        found[names.get(job.source_id, "")].append(job)
    return found


def _with_redis(bucket: str, lines: Lines, today: date) -> Lines:
    """Redis is ahead of the table by a portion; while it is away the table is what we know."""
    try:
        ahead = gate_of(bucket, Pace(qps=1)).counted_here(today)
    except redis.RedisError:
        return lines
    known = lines[today]
    larger = {api: counted for api, counted in ahead.items() if counted.calls >= known.get(api, Counted()).calls}
    return {**lines, today: {**known, **larger}}


def _view(
    bucket: str, sharing: Sequence[Source], lines: Lines, jobs: Sequence[SyncJob], now: datetime
) -> dict[str, Any]:
    pace = strictest([source for source in sharing if source.is_enabled] or sharing)
    today = now.astimezone(CHINA).date()
    apis = lines.get(today, {})
    used = sum(counted.calls for counted in apis.values())
    limit, usual = pace.daily_limit, pace.hold_at or pace.daily_limit
    needed = [_needed(job) for job in jobs]
    still = sum(job["still_to_make"] or 0 for job in needed)
    left = None if usual is None else max(0, usual - used)
    return {
        "app_key": sharing[0].app_key or None,
        "kind": bucket.partition(":")[0],
        "sources": [source.name for source in sharing],
        "calls_per_second": pace.qps,
        "limit": limit,
        "used_today": used,
        "used_percent": round(used * 100 / limit, 1) if limit else None,
        "refused_today": sum(counted.refused for counted in apis.values()),
        "left": left,
        "reserve": None if limit is None or usual is None else limit - max(usual, min(used, limit)),
        "used_up_at": max((counted.used_up_at for counted in apis.values() if counted.used_up_at), default=None),
        "resets_at": next_china_midnight(now),
        "apis": [
            {"api": api, "calls": counted.calls, "refused": counted.refused} for api, counted in sorted(apis.items())
        ],
        "days": [_day(day, lines.get(day, {})) for day in (today - timedelta(days=back) for back in range(DAYS))],
        "jobs": needed,
        "fits": None if left is None else still <= left,
    }


def _day(day: date, apis: dict[str, Counted]) -> dict[str, Any]:
    return {
        "date": day,
        "calls": sum(counted.calls for counted in apis.values()),
        "refused": sum(counted.refused for counted in apis.values()),
    }


def _needed(job: SyncJob) -> dict[str, Any]:
    """`still_to_make` is null while nobody knows how many calls the job needs."""
    expected = (job.forecast or {}).get("calls")
    still = None if expected is None else max(0, expected - job.calls)
    return {"task_id": job.task_id, "calls": job.calls, "expected": expected, "still_to_make": still}
