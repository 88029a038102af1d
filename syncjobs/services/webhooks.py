"""Webhooks: who asked to be told of what. Their secrets are shown once and kept encrypted."""

import base64
import secrets
from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any

import msgspec
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from syncjobs.models import Source, Webhook, WebhookDelivery
from syncjobs.services import following
from syncjobs.services.outbound import check_address
from syncjobs.services.webhook_ends import give_up_waiting
from system import audit, sql
from system.crypto import decrypt, encrypt
from system.errors import ApplicationError, ErrorCode
from system.preconditions import check_version

SECRET_PREFIX = "whsec_"  # noqa: S105 (what every secret begins with, by the Standard Webhooks specification)
SECRET_BYTES = 32
# Signed with the old secret too for this long, so that a receiver can change over in peace.
OLD_SECRET_LASTS = timedelta(hours=24)
# What may follow from a change, beside what was changed.
SWITCHED = ("failures", "disabled_reason", "disabled_at", "resting_until", *following.PLACE)
# First word of the lock that makes one owner's new webhooks take turns.
OWNER_LOCK = 0x1689


class Secrets(msgspec.Struct, frozen=True, kw_only=True):
    """What deliveries are signed with; `old` counts until `old_until`."""

    current: str
    old: str = ""
    old_until: datetime | None = None

    def valid(self, now: datetime) -> list[str]:
        """The secrets to sign with, newest first."""
        return [self.current, self.old] if self.old and self.old_until and now < self.old_until else [self.current]


class Owner(msgspec.Struct, frozen=True):
    """Whose webhooks somebody may see: their own, an administrator everybody's."""

    user_id: int
    sees_all: bool = False


def create_webhook(
    owner: Owner,
    url: str,
    events: Collection[str],
    description: str = "",
    sources: Collection[str] = (),
    changed_fields: Collection[str] = (),
) -> tuple[Webhook, str]:
    """Store a webhook; returns it with its secret, which nobody can read afterwards. Its product events begin now.

    Args:
        sources: product events of these sources only; empty: of all.
        changed_fields: of the updates only those of any of these fields; empty: all.

    Raises:
        ApplicationError: an address that may not be called (400), an unknown source (422), or too many webhooks (409).
    """
    check_address(url, "url")
    _check_sources(sources)
    secret = _new_secret()
    with transaction.atomic():
        sql.rows("SELECT pg_advisory_xact_lock(%s::int, %s::int)", [OWNER_LOCK, owner.user_id & 0x7FFFFFFF])
        if Webhook.objects.filter(owner_id=owner.user_id).count() >= settings.WEBHOOKS_PER_USER:
            raise ApplicationError(ErrorCode.WEBHOOKS_TOO_MANY, details={"limit": settings.WEBHOOKS_PER_USER})
        webhook = Webhook(
            owner_id=owner.user_id,
            url=url,
            events=_ordered(events),
            description=description,
            sources=_names(sources),
            changed_fields=_names(changed_fields),
            secrets=_sealed(Secrets(current=secret)),
        )
        following.begin(webhook)
        webhook.save()
        audit.record("webhook.create", "webhook", webhook.pk, after=_audited(webhook))
    return webhook, secret


def update_webhook(
    owner: Owner, webhook_id: int, changes: dict[str, Any], expected: frozenset[int] | None = None
) -> Webhook:
    """Change address, events, filters, description, or switch it on or off.

    Switching on forgives past failures, and product events go on behind what was heard last.

    Raises:
        ApplicationError: 404, 412, an address that may not be called (400), or an unknown source (422).
    """
    if "url" in changes:
        check_address(changes["url"], "url")
    _check_sources(changes.get("sources", ()))
    changes = {name: _NORMAL[name](value) if name in _NORMAL else value for name, value in changes.items()}
    with transaction.atomic():
        webhook = find_webhook(owner, webhook_id, lock=True)
        check_version(webhook.version, expected)
        before, was_enabled = _audited(webhook), webhook.is_enabled
        for name, value in changes.items():
            setattr(webhook, name, value)
        if _audited(webhook) != before:
            _follow_up(webhook, was_enabled=was_enabled)
            _save(webhook, *changes, *SWITCHED)
            audit.record("webhook.update", "webhook", webhook.pk, before=before, after=_audited(webhook))
    return webhook


def _follow_up(webhook: Webhook, *, was_enabled: bool) -> None:
    """What a change of the switch or the events means for product events and for what waits."""
    if was_enabled and not webhook.is_enabled:
        webhook.disabled_at = timezone.now()
        give_up_waiting(webhook)
    if webhook.is_enabled and not was_enabled:
        webhook.failures, webhook.disabled_reason, webhook.disabled_at = 0, "", None
        webhook.resting_until = None
        following.go_on(webhook)
    if bool(webhook.kinds) != bool(webhook.feed_cluster):
        following.begin(webhook)


def rotate_secret(owner: Owner, webhook_id: int, expected: frozenset[int] | None = None) -> tuple[Webhook, str]:
    """Give a webhook a new secret; deliveries are signed with both for a day.

    Raises:
        ApplicationError: 404 or 412.
    """
    secret, now = _new_secret(), timezone.now()
    with transaction.atomic():
        webhook = find_webhook(owner, webhook_id, lock=True)
        check_version(webhook.version, expected)
        old = secrets_of(webhook).current
        webhook.secrets = _sealed(Secrets(current=secret, old=old, old_until=now + OLD_SECRET_LASTS))
        _save(webhook, "secrets")
        audit.record("webhook.rotate", "webhook", webhook.pk)
    return webhook, secret


def delete_webhook(owner: Owner, webhook_id: int, expected: frozenset[int] | None = None) -> None:
    """Remove a webhook with its deliveries.

    Raises:
        ApplicationError: 404 or 412.
    """
    with transaction.atomic():
        webhook = find_webhook(owner, webhook_id, lock=True)
        check_version(webhook.version, expected)
        audit.record("webhook.delete", "webhook", webhook.pk, before=_audited(webhook))
        WebhookDelivery.objects.filter(webhook=webhook).delete()
        webhook.delete()


def find_webhook(owner: Owner, webhook_id: int, *, lock: bool = False) -> Webhook:
    """A webhook that `owner` may see.

    Raises:
        ApplicationError: 404, also for those of others.
    """
    rows = Webhook.objects.select_for_update() if lock else Webhook.objects.all()
    found = rows.filter(pk=webhook_id, **({} if owner.sees_all else {"owner_id": owner.user_id})).first()
    if found is None:
        raise ApplicationError(ErrorCode.NOT_FOUND)
    return found


def secrets_of(webhook: Webhook) -> Secrets:
    """What deliveries of this webhook are signed with.

    Raises:
        CannotDecrypt: the key that encrypted them is gone.
    """
    return msgspec.json.decode(decrypt(bytes(webhook.secrets)), type=Secrets)


def _save(webhook: Webhook, *fields: str) -> None:
    webhook.version, webhook.updated_at = webhook.version + 1, timezone.now()
    webhook.save(update_fields=[*fields, "version", "updated_at"])


def _sealed(held: Secrets) -> bytes:
    return encrypt(msgspec.json.encode(held))


def _new_secret() -> str:
    return SECRET_PREFIX + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def _ordered(events: Collection[str]) -> list[str]:
    return [event for event in Webhook.Event.values if event in events]


def _names(values: Collection[str]) -> list[str]:
    return sorted(set(values))


# How what people write is stored.
_NORMAL = {"events": _ordered, "sources": _names, "changed_fields": _names}


def _check_sources(names: Collection[str]) -> None:
    known = Source.objects.filter(name__in=names).values_list("name", flat=True) if names else ()
    if unknown := sorted({*names} - {*known}):
        raise ApplicationError(ErrorCode.SYNC_SOURCE_UNKNOWN, details={"sources": unknown})


def _audited(webhook: Webhook) -> dict[str, Any]:
    names = ("owner_id", "url", "events", "sources", "changed_fields", "description", "is_enabled")
    return {name: getattr(webhook, name) for name in names}
