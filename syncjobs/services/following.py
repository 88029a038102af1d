"""Product events: each webhook follows the change feed by itself, a run of changes at a time, one after the other.

The feed is the record of what happened, so nothing is written when it happens: a sync costs the same with a hundred
webhooks and with none. A run that is written and the place behind it commit together.
"""

from typing import Any

import orjson
from django.db import transaction
from django.utils import timezone

from products.selectors.changes import FeedPage, Position, StalePosition
from products.selectors.following import changes_in_order, feed_end, is_forgotten, lags
from syncjobs.models import Webhook, WebhookDelivery
from syncjobs.services.webhook_ends import may_be_told, switch_off
from system.api.renderers import dumps

MOST_CHANGES = 100
MOST_BYTES = 256 * 1024
# The values of a change that is larger are left out; its receiver reads the product.
LARGEST_CHANGE = 32 * 1024
# So many times a turn looks for a change that its filters let through.
SCANS = 20
# Who was switched off for longer than this many changes reads the catalogue instead.
LONGEST_WAY = 1_000_000

PLACE = ("feed_cluster", "feed_xact", "feed_line", "heard_xact", "heard_line", "feed_delivery_id", "has_gap")
_TOLD = ("id", "product_id", "sku", "source", "shop_id", "reason", "task_id", "at")
_NAMES = {kind.value: event.value for event, kind in Webhook.KINDS.items()}


def begin(webhook: Webhook) -> None:
    """Let product events begin now, or end, as the webhook's events say; the caller saves `PLACE`."""
    webhook.has_gap, webhook.feed_delivery_id = False, None
    if webhook.kinds:
        _stand_at(webhook, feed_end())
        _hear(webhook)
    else:
        webhook.feed_cluster = ""


def go_on(webhook: Webhook) -> None:
    """Go back to what was heard last, after a time of being switched off; the caller saves `PLACE`.

    Where the feed does not reach back that far, or too far, events begin now and the first says that there is a gap.
    """
    if not webhook.kinds:
        return
    heard = Position(webhook.feed_cluster, webhook.heard_xact, webhook.heard_line)
    lines = lags({webhook.pk: heard}, LONGEST_WAY + 1)[webhook.pk].lines
    if lines > LONGEST_WAY or is_forgotten(heard):
        begin(webhook)
        webhook.has_gap = True
    else:
        _stand_at(webhook, heard)


def followers() -> list[int]:
    """The webhooks that have something to be told of and wait for nothing."""
    idle = Webhook.objects.filter(is_enabled=True, feed_delivery_id=None).exclude(feed_cluster="")
    places = {webhook.pk: webhook for webhook in idle}
    here = feed_end() if places else None
    behind = lags({number: place_of(webhook) for number, webhook in places.items()}, 1)
    return [
        number
        for number, webhook in places.items()
        if behind[number].lines or webhook.has_gap or (here and _is_elsewhere(webhook, here))
    ]


def write_next(webhook_id: int) -> None:
    """Write the next run of changes as a delivery, unless one is still under way or nothing has happened."""
    for _ in range(SCANS):
        with transaction.atomic():
            webhook = Webhook.objects.select_for_update().filter(pk=webhook_id, is_enabled=True).first()
            if webhook is None or not webhook.kinds or webhook.feed_delivery_id:
                return
            if not may_be_told(webhook):
                switch_off(webhook, Webhook.Disabled.OWNER_MAY_NOT)
                return
            if not _write_run(webhook):
                return


def ended(webhook: Webhook, delivery: WebhookDelivery, *, heard: bool) -> None:
    """Note that a delivery was heard or given up, so that the next can follow; the caller saves `PLACE`."""
    if webhook.feed_delivery_id == delivery.pk:
        webhook.feed_delivery_id, webhook.has_gap = None, not heard
        if heard:
            _hear(webhook)


def place_of(webhook: Webhook) -> Position:
    """Behind which line of the change feed a webhook stands."""
    return Position(webhook.feed_cluster, webhook.feed_xact, webhook.feed_line)


def _write_run(webhook: Webhook) -> bool:
    """Write a run of changes; returns whether there was none although there is more to look at."""
    page, changes = _next_changes(webhook)
    all_heard = (webhook.heard_xact, webhook.heard_line) == (webhook.feed_xact, webhook.feed_line)
    stays = page.position == place_of(webhook)
    _stand_at(webhook, page.position)
    if changes or webhook.has_gap:
        webhook.feed_delivery_id = _write(webhook, changes).pk
    elif all_heard:
        _hear(webhook)
    if webhook.feed_delivery_id or not stays:
        webhook.save(update_fields=PLACE)
    return page.has_more and not webhook.feed_delivery_id


def _next_changes(webhook: Webhook) -> tuple[FeedPage, list[dict[str, Any]]]:
    """The next changes, as many as may be sent at once."""
    filters = {
        "kind": webhook.kinds,
        "sources": webhook.sources or None,
        "updates_of": webhook.changed_fields or None,
    }
    limit = MOST_CHANGES
    while True:
        try:
            page = changes_in_order(filters, after=place_of(webhook), limit=limit)
        except StalePosition:
            webhook.has_gap = True
            return FeedPage([], feed_end(), has_more=False), []
        changes = [_told(line) for line in page.items]
        if limit == 1 or len(dumps(changes)) <= MOST_BYTES:
            return page, changes
        limit //= 2


def _told(line: dict[str, Any]) -> dict[str, Any]:
    """A change as it is told; `fields` is null where the values are too large."""
    fields = line["fields"]
    is_small = len(orjson.dumps(fields)) <= LARGEST_CHANGE
    told = {"type": _NAMES[line["kind"]], **{name: line[name] for name in _TOLD}}
    return told | {"changed": sorted(fields), "fields": fields if is_small else None}


def _write(webhook: Webhook, changes: list[dict[str, Any]]) -> WebhookDelivery:
    now = timezone.now()
    told = {"type": WebhookDelivery.CHANGES, "timestamp": now, "data": {"gap": webhook.has_gap, "changes": changes}}
    return WebhookDelivery.objects.create(
        webhook=webhook, event=WebhookDelivery.CHANGES, body=dumps(told).decode(), next_attempt_at=now
    )


def _stand_at(webhook: Webhook, place: Position) -> None:
    webhook.feed_cluster, webhook.feed_xact, webhook.feed_line = place


def _hear(webhook: Webhook) -> None:
    webhook.heard_xact, webhook.heard_line = webhook.feed_xact, webhook.feed_line


def _is_elsewhere(webhook: Webhook, here: Position) -> bool:
    """Whether its place is one of another database, from which this one was restored."""
    return webhook.feed_cluster != here.cluster
