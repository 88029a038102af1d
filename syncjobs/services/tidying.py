"""What nobody asks for any more: old deliveries, change messages and slots."""

from datetime import timedelta

from django.db.models import Model, Q
from django.utils import timezone

from syncjobs.models import ChangeMessage, ScheduledRun, WebhookDelivery

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


def tidy() -> int:
    """Delete what is old and done with, a few thousand rows a statement; returns how many rows went."""
    removed = 0
    for model, days, is_done in OLD:
        old = model._default_manager.filter(is_done, created_at__lt=timezone.now() - timedelta(days=days))
        while rows := list(old.order_by("pk").values_list("pk", flat=True)[:ROWS_AT_ONCE]):
            removed += model._default_manager.filter(pk__in=rows).delete()[0]
    return removed
