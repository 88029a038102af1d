"""Deliveries: written in the transaction of what they tell of, sent by the task queue, repeated until they are heard.

A delivery is sent at least once; `webhook-id` stays the same, so that a receiver recognises a repetition.
"""

import base64
import hmac
import logging
import time
import uuid
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from http import HTTPStatus
from typing import Any, NamedTuple

from django.db import transaction
from django.utils import timezone

from accounts.models import User
from accounts.roles import effective_roles
from syncjobs import selectors
from syncjobs.connectors.http import HttpAnswer
from syncjobs.engine.errors import EngineError, FatalSourceError
from syncjobs.models import Source, SyncJob, Webhook, WebhookDelivery
from syncjobs.services.outbound import outbound_client
from syncjobs.services.webhooks import SECRET_PREFIX, Owner, find_webhook, secrets_of
from system import audit
from system.api.renderers import dumps
from system.crypto import CannotDecrypt
from system.errors import ApplicationError, ErrorCode
from system.models import Task
from system.queue import TaskContext, enqueue

logger = logging.getLogger(__name__)

DELIVER_KIND = "webhook.deliver"
# Seconds before each further attempt; the last comes about nine hours after the first.
DELAYS = (5, 30, 120, 600, 1800, 7200, 21_600)
# So many deliveries given up one after the other switch a webhook off.
DISABLE_AFTER = 5
ATTEMPTS_KEPT = 20
EXCERPT_LENGTH = 500

State = WebhookDelivery.State
EVENTS = {
    SyncJob.State.SUCCEEDED: Webhook.Event.JOB_FINISHED,
    SyncJob.State.PARTIAL: Webhook.Event.JOB_FINISHED,
    SyncJob.State.FAILED: Webhook.Event.JOB_FAILED,
    SyncJob.State.HELD: Webhook.Event.JOB_HELD,
    SyncJob.State.STOPPED: Webhook.Event.JOB_STOPPED,
}


class Outcome(NamedTuple):
    """What became of one attempt. `hopeless` when another could not go better."""

    status: int | None = None
    error: str = ""
    excerpt: str = ""
    hopeless: bool = False

    @property
    def heard(self) -> bool:
        """Whether the receiver took it."""
        return self.status is not None and HTTPStatus(200) <= self.status < HTTPStatus.MULTIPLE_CHOICES


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
        delivery = WebhookDelivery.objects.create(
            webhook=webhook, event_id=event_id, event=event, body=body, next_attempt_at=now
        )
        _ring(delivery)


def _ring(delivery: WebhookDelivery, delay_seconds: float = 0) -> None:
    payload = {"delivery_id": delivery.pk, "round": delivery.round}
    enqueue(DELIVER_KIND, payload, queue=Task.Queue.DEFAULT, delay_seconds=delay_seconds)


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
        _ring(delivery)
    return delivery


def deliver(payload: dict[str, Any], _context: TaskContext) -> dict[str, Any]:
    """Handler of `webhook.deliver`: one attempt. Its record and the next attempt are committed together."""
    found = WebhookDelivery.objects.select_related("webhook").filter(pk=payload["delivery_id"], state=State.PENDING)
    delivery = found.filter(round=payload["round"]).first()
    if delivery is None:
        return {"outcome": "superseded"}
    started = time.monotonic()
    outcome = _refusal(delivery.webhook) or _send(delivery)
    with transaction.atomic():
        # The webhook first, as everybody does who locks both.
        Webhook.objects.select_for_update().filter(pk=delivery.webhook_id).first()
        kept = found.select_for_update(of=("self",)).filter(round=payload["round"], tries=delivery.tries).first()
        if kept is None:
            return {"outcome": "superseded"}
        _note(kept, outcome, milliseconds=round((time.monotonic() - started) * 1000))
    return {"outcome": kept.state, "status": outcome.status, "error": outcome.error}


def _refusal(webhook: Webhook) -> Outcome | None:
    """Why nothing may be sent: the webhook is off, or its owner may not see syncs any more."""
    if not webhook.is_enabled:
        return Outcome(error="webhook_disabled", hopeless=True)
    owner = User.objects.filter(pk=webhook.owner_id).first()
    names = owner.groups.values_list("name", flat=True) if owner else []
    if owner is None or not owner.is_active or "operator" not in _roles(owner, names):
        return Outcome(error="owner_may_not", hopeless=True)
    return None


def _roles(owner: User, names: Any) -> frozenset[str]:
    return effective_roles(names, is_superuser=owner.is_superuser)


def _send(delivery: WebhookDelivery) -> Outcome:
    client = outbound_client()
    try:
        headers = signed_headers(delivery, timezone.now())
        answer = client.request("POST", delivery.webhook.url, content=delivery.body.encode(), headers=headers)
    except CannotDecrypt:
        return Outcome(error="secret_unreadable", hopeless=True)
    except EngineError as error:
        return Outcome(error=error.code, excerpt=error.message, hopeless=isinstance(error, FatalSourceError))
    finally:
        client.close()
    return _judged(answer)


def _judged(answer: HttpAnswer) -> Outcome:
    """2xx is heard; a redirect is not followed; 410 asks never to be called again (Standard Webhooks)."""
    excerpt = answer.body[: EXCERPT_LENGTH * 4].decode(errors="replace").replace("\0", "�")[:EXCERPT_LENGTH]
    outcome = Outcome(answer.status, excerpt=excerpt, hopeless=answer.status == HTTPStatus.GONE)
    return outcome if outcome.heard else outcome._replace(error=f"http_{answer.status}")


def signed_headers(delivery: WebhookDelivery, now: datetime) -> dict[str, str]:
    """The headers of an attempt (Standard Webhooks 1.0): the signature covers id, time and body.

    Raises:
        CannotDecrypt: the secret cannot be read.
    """
    message_id, moment = f"evt_{delivery.event_id.hex}", str(int(now.timestamp()))
    signed = f"{message_id}.{moment}.{delivery.body}".encode()
    signatures = [f"v1,{_signature(secret, signed)}" for secret in secrets_of(delivery.webhook).valid(now)]
    return {
        "content-type": "application/json",
        "webhook-id": message_id,
        "webhook-timestamp": moment,
        "webhook-signature": " ".join(signatures),
    }


def _signature(secret: str, signed: bytes) -> str:
    key = base64.b64decode(secret.removeprefix(SECRET_PREFIX))
    return base64.b64encode(hmac.digest(key, signed, "sha256")).decode()


def _note(delivery: WebhookDelivery, outcome: Outcome, *, milliseconds: int) -> None:
    """Record an attempt and decide what follows."""
    now = timezone.now()
    attempt = {
        "at": now.isoformat(),
        "status": outcome.status,
        "error": outcome.error or None,
        "excerpt": outcome.excerpt,
        "milliseconds": milliseconds,
    }
    delivery.attempts = [*delivery.attempts, attempt][-ATTEMPTS_KEPT:]
    delivery.tries, delivery.response_status = delivery.tries + 1, outcome.status
    again = not (outcome.heard or outcome.hopeless) and delivery.tries <= len(DELAYS)
    delay = DELAYS[delivery.tries - 1] if again else 0
    delivery.next_attempt_at = now + timedelta(seconds=delay) if again else None
    if not again:
        delivery.state, delivery.finished_at = (State.SUCCEEDED if outcome.heard else State.DEAD), now
    delivery.save()
    if again:
        _ring(delivery, delay)
    else:
        _count(delivery.webhook_id, outcome)


def _count(webhook_id: int, outcome: Outcome) -> None:
    """Deliveries given up in a row switch the webhook off; one that is heard forgives those before it."""
    webhook = Webhook.objects.filter(pk=webhook_id, is_enabled=True).first()
    if webhook is None or (outcome.heard and not webhook.failures):
        return
    webhook.failures = 0 if outcome.heard else webhook.failures + 1
    gone = outcome.status == HTTPStatus.GONE
    if gone or webhook.failures >= DISABLE_AFTER:
        webhook.is_enabled, webhook.disabled_reason = False, "gone" if gone else "too_many_failures"
        webhook.version, webhook.updated_at = webhook.version + 1, timezone.now()
        audit.record("webhook.disable", "webhook", webhook.pk, after={"reason": webhook.disabled_reason})
        logger.warning("webhook %s is switched off: %s", webhook.pk, webhook.disabled_reason)
    webhook.save(update_fields=["failures", "is_enabled", "disabled_reason", "version", "updated_at"])
