"""Reads of webhooks and their deliveries. Never a secret."""

from collections.abc import Iterable
from typing import Any

import msgspec
from django.db.models import QuerySet

from products.selectors.following import Lag, lags
from syncjobs.models import Webhook, WebhookDelivery
from syncjobs.services.following import place_of
from syncjobs.services.webhooks import Owner

# Nobody needs to know more exactly how far behind a webhook is.
MOST_COUNTED = 10_000


def webhooks(owner: Owner) -> "QuerySet[Webhook]":
    """The webhooks that `owner` may see."""
    return Webhook.objects.all() if owner.sees_all else Webhook.objects.filter(owner_id=owner.user_id)


def webhook_view(row: Webhook) -> dict[str, Any]:
    """Show one webhook."""
    return webhook_views([row])[0]


def webhook_views(rows: Iterable[Webhook]) -> list[dict[str, Any]]:
    """Show webhooks; how far their product events are behind comes from one query for all."""
    shown = list(rows)
    behind = lags({row.pk: place_of(row) for row in shown if row.kinds and row.feed_cluster}, MOST_COUNTED)
    return [_view(row, behind.get(row.pk)) for row in shown]


def _view(row: Webhook, behind: Lag | None) -> dict[str, Any]:
    return {
        "id": row.pk,
        "owner_id": row.owner_id,
        "url": row.url,
        "description": row.description,
        "events": row.events,
        "sources": row.sources,
        "changed_fields": row.changed_fields,
        "is_enabled": row.is_enabled,
        "disabled_reason": row.disabled_reason,
        "disabled_at": row.disabled_at,
        "failures": row.failures,
        "lag": behind and {"changes": behind.lines, "oldest_at": behind.oldest_at, "waits_for": row.feed_delivery_id},
        "created_at": row.created_at,
        "updated_at": row.updated_at,
    }


def deliveries(webhook: Webhook) -> "QuerySet[WebhookDelivery]":
    """What was sent, or will be, to one webhook."""
    return WebhookDelivery.objects.filter(webhook=webhook)


def delivery_view(row: WebhookDelivery) -> dict[str, Any]:
    """Show one delivery with its attempts, and what it says as it is sent."""
    return {
        "id": row.pk,
        "event_id": f"evt_{row.event_id.hex}",
        "event": row.event,
        "status": row.state,
        "payload": msgspec.json.decode(row.body),
        "attempts": row.attempts,
        "response_status": row.response_status,
        "next_attempt_at": row.next_attempt_at,
        "created_at": row.created_at,
        "finished_at": row.finished_at,
    }
