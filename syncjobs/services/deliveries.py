"""Deliveries: written in the transaction of what they tell of, sent by `pump`, repeated until they are heard.

A delivery is sent at least once; `webhook-id` stays the same, so that a receiver recognises a repetition.
"""

import uuid
from collections.abc import Callable, Mapping
from typing import Any

from django.db import transaction
from django.utils import timezone

from syncjobs import selectors
from syncjobs.models import Source, SyncJob, Webhook, WebhookDelivery
from syncjobs.services.webhooks import Owner, find_webhook
from system import audit
from system.api.renderers import dumps
from system.errors import ApplicationError, ErrorCode
from system.models import Task
from system.queue import enqueue

DELIVER_KIND = "webhook.deliver"

State = WebhookDelivery.State
EVENTS = {
    SyncJob.State.SUCCEEDED: Webhook.Event.JOB_FINISHED,
    SyncJob.State.PARTIAL: Webhook.Event.JOB_FINISHED,
    SyncJob.State.FAILED: Webhook.Event.JOB_FAILED,
    SyncJob.State.HELD: Webhook.Event.JOB_HELD,
    SyncJob.State.STOPPED: Webhook.Event.JOB_STOPPED,
}


def job_ended(job_id: int) -> None:
    """Write a delivery for each webhook that wants to know how this job ended, inside the caller's transaction."""
    job = selectors.job(job_id)
    event = EVENTS.get(SyncJob.State(job.state))
    if event:
        publish(event, lambda: {"job": selectors.job_view(job)})


def source_event(event: str, source: Source, details: Mapping[str, Any]) -> None:
    """Write a delivery for each webhook that wants this event of a source, inside the caller's transaction.

    Args:
        event: one of `Webhook.Event`.
        details: JSON values that stand beside the source, never secrets.
    """
    about = {"id": source.pk, "name": source.name, "kind": source.kind}
    publish(event, lambda: {"source": about, **details})


def publish(event: str, data: Callable[[], Mapping[str, Any]]) -> None:
    """Write a delivery for each webhook that wants this event, inside the caller's transaction.

    Args:
        event: one of `Webhook.Event`.
        data: what the event says; asked only when somebody listens.
    """
    webhooks = list(Webhook.objects.filter(is_enabled=True, events__contains=[event]).order_by("id"))
    if not webhooks:
        return
    event_id, now = uuid.uuid4(), timezone.now()
    body = dumps({"type": event, "timestamp": now, "data": data()}).decode()
    for webhook in webhooks:
        WebhookDelivery.objects.create(webhook=webhook, event_id=event_id, event=event, body=body, next_attempt_at=now)
    ring()


def ring() -> None:
    """Have the workers look for deliveries once the caller's transaction is committed."""
    enqueue(DELIVER_KIND, {}, queue=Task.Queue.CRITICAL)


def redeliver(owner: Owner, webhook_id: int, delivery_id: int) -> WebhookDelivery:
    """Send an event again at once, with the same id; an attempt that waits is taken over.

    Raises:
        ApplicationError: unknown or somebody else's (404), or the webhook is switched off (409).
    """
    with transaction.atomic():
        webhook = find_webhook(owner, webhook_id, lock=True)
        if not webhook.is_enabled:
            raise ApplicationError(ErrorCode.WEBHOOK_DISABLED)
        delivery = WebhookDelivery.objects.select_for_update().filter(webhook=webhook, pk=delivery_id).first()
        if delivery is None:
            raise ApplicationError(ErrorCode.NOT_FOUND)
        delivery.round, delivery.tries, delivery.state = delivery.round + 1, 0, State.PENDING
        delivery.next_attempt_at, delivery.finished_at = timezone.now(), None
        delivery.save(update_fields=["round", "tries", "state", "next_attempt_at", "finished_at"])
        audit.record("webhook.redeliver", "webhook", webhook.pk, after={"delivery_id": delivery.pk})
        # Somebody thinks that the receiver is well.
        Webhook.objects.filter(pk=webhook.pk).update(resting_until=None)
        ring()
    return delivery
