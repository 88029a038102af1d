"""Reads of webhooks and their deliveries. Never a secret."""

from typing import Any

import msgspec
from django.db.models import QuerySet

from syncjobs.models import Webhook, WebhookDelivery
from syncjobs.services.webhooks import Owner


def webhooks(owner: Owner) -> "QuerySet[Webhook]":
    """The webhooks that `owner` may see."""
    return Webhook.objects.all() if owner.sees_all else Webhook.objects.filter(owner_id=owner.user_id)


def webhook_view(row: Webhook) -> dict[str, Any]:
    """Show one webhook."""
    return {
        "id": row.pk,
        "owner_id": row.owner_id,
        "url": row.url,
        "description": row.description,
        "events": row.events,
        "is_enabled": row.is_enabled,
        "disabled_reason": row.disabled_reason,
        "failures": row.failures,
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
