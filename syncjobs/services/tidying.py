"""What nobody asks for any more: old deliveries, change messages, slots, kept answers, memories of walks, and
snapshots of feeds."""

from datetime import timedelta

from django.conf import settings
from django.db.models import Model, Q
from django.utils import timezone

from syncjobs.connectors.feed.snapshots import remove_unused
from syncjobs.models import ChangeMessage, ScheduledRun, WebhookDelivery
from syncjobs.services import drift, raw_answers
from system import sql

# 1688 repeats a message for days at most, so a message id this old does not come back.
MESSAGE_DAYS = 30
DELIVERY_DAYS = 30
# The change feed still has what these said.
CHANGES_DAYS = 3
SLOT_DAYS = 90
ROWS_AT_ONCE = 5_000

OLD: tuple[tuple[type[Model], int, Q], ...] = (
    (ChangeMessage, MESSAGE_DAYS, Q(handled_at__isnull=False)),
    (WebhookDelivery, DELIVERY_DAYS, ~Q(state=WebhookDelivery.State.PENDING)),
    (
        WebhookDelivery,
        CHANGES_DAYS,
        Q(state=WebhookDelivery.State.SUCCEEDED, event=WebhookDelivery.CHANGES),
    ),
    (ScheduledRun, SLOT_DAYS, Q()),
)


RESTING = "state IN ('stopped', 'failed', 'held') AND finished_at < now() - make_interval(days => %s::int)"
FORGET_SQL = f"""
DELETE FROM syncjobs_seenproduct WHERE ctid IN (
    SELECT s.ctid FROM syncjobs_seenproduct s JOIN syncjobs_syncjob j ON s.job_id = ANY (ARRAY[j.id, -j.id])
    WHERE j.{RESTING} LIMIT %s::int)
"""  # noqa: S608 (a constant of ours)


def forget_resting_walks() -> int:
    """Remove what walks saw that nobody goes on with; one that is resumed later proves nothing, and delists nothing."""
    sql.execute(
        f"UPDATE syncjobs_syncjob SET provable = false WHERE provable AND {RESTING}",  # noqa: S608 (a constant of ours)
        [settings.SYNC_SEEN_DAYS],
    )
    removed = 0
    while gone := sql.execute(FORGET_SQL, [settings.SYNC_SEEN_DAYS, ROWS_AT_ONCE]):
        removed += gone
    return removed


def tidy() -> int:
    """Delete what is old and done with, a few thousand rows a statement; returns how many rows and files went."""
    removed = forget_resting_walks() + remove_unused(settings.FEED_CACHE_FOLDER, settings.FEED_CACHE_HOURS * 3600)
    for model, days, is_done in OLD:
        old = model._default_manager.filter(is_done, created_at__lt=timezone.now() - timedelta(days=days))
        while rows := list(old.order_by("pk").values_list("pk", flat=True)[:ROWS_AT_ONCE]):
            removed += model._default_manager.filter(pk__in=rows).delete()[0]
    return removed + raw_answers.tidy() + drift.tidy()
