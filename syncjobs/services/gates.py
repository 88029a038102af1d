"""The right to call a source: one gate for all sources with the same app key, with a ledger that survives Redis."""

import logging
from collections.abc import Collection
from datetime import timedelta
from math import ceil

import redis

from syncjobs.connectors.alibaba1688.quota import LONGEST_WAIT_SECONDS, Asker, Pace, RedisCallGate
from syncjobs.models import Source, SyncJob
from syncjobs.services.ledger import StoredLedger
from system.redis import key, redis_client

logger = logging.getLogger(__name__)


def bucket_of(source: Source) -> str:
    """Which sources share a pace and a ledger: those of one kind and app key."""
    return f"{source.kind}:{source.app_key or source.name}"


def call_gate(
    source: Source, *, longest_wait: float = LONGEST_WAIT_SECONDS, job: SyncJob | None = None
) -> RedisCallGate:
    """The right to call this source, shared by all who do.

    Args:
        job: on whose behalf; left out, somebody waits at a screen, and may use the reserve.
    """
    asker = Asker(job=str(job.pk), priority=job.priority) if job else None
    return gate_of(bucket_of(source), pace_of(source), longest_wait, asker)


def gate_of(
    bucket: str, pace: Pace, longest_wait: float = LONGEST_WAIT_SECONDS, asker: Asker | None = None
) -> RedisCallGate:
    """The gate of an app key, by what is known of it."""
    return RedisCallGate(
        redis_client("cache"),
        key("calls", bucket),
        pace,
        longest_wait=longest_wait,
        ledger=StoredLedger(bucket),
        asker=asker,
    )


def pace_of(source: Source) -> Pace:
    """What the app key may do. Sources that share one are held to the strictest of what is set."""
    return strictest([source, *_sharing(source)])


def strictest(sharing: Collection[Source]) -> Pace:
    """The pace of sources that share an app key."""
    limits = [row.daily_call_limit for row in sharing if row.daily_call_limit]
    holds = [hold for hold in map(hold_at, sharing) if hold is not None]
    return Pace(
        qps=min(row.calls_per_second for row in sharing),
        daily_limit=min(limits, default=None),
        hold_at=min(holds, default=None),
    )


def hold_at(source: Source) -> int | None:
    """From how many calls on only critical jobs call; None without a limit or a reserve."""
    if not source.daily_call_limit or source.hold_at_percent >= 100:
        return None
    return ceil(source.daily_call_limit * source.hold_at_percent / 100)


def _sharing(source: Source) -> list[Source]:
    if not source.app_key:
        return []
    others = Source.objects.filter(kind=source.kind, app_key=source.app_key, is_enabled=True).exclude(pk=source.pk)
    return list(others.only("calls_per_second", "daily_call_limit", "hold_at_percent"))


def by_bucket() -> dict[str, list[Source]]:
    """The sources of each app key, in order of their names; one query."""
    found: dict[str, list[Source]] = {}
    for source in Source.objects.order_by("name"):
        found.setdefault(bucket_of(source), []).append(source)
    return found


def write_ledgers_through() -> None:
    """Bring what Redis has counted to the database, also the rest of yesterday. For the sweeper; no harm done twice."""
    for bucket, sharing in by_bucket().items():
        gate = gate_of(bucket, strictest(sharing))
        try:
            today = gate.today()
            for day in (today - timedelta(days=1), today):
                gate.write_through(day, only_news=True)
        except redis.RedisError as error:
            logger.warning("ledgers of calls not written through: %s", type(error).__name__)
            return
