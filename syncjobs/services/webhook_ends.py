"""Webhooks that are switched off: what waits for them is given up, and their owners are told."""

import logging

from django.conf import settings
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from accounts.models import User
from accounts.roles import effective_roles
from syncjobs.models import Webhook
from system import audit, mail, sql

logger = logging.getLogger(__name__)

SWITCHED_OFF = ("is_enabled", "disabled_reason", "disabled_at", "feed_delivery_id", "version", "updated_at")

_GIVE_UP = """
    UPDATE syncjobs_webhookdelivery SET state = 'dead', finished_at = now(), next_attempt_at = NULL,
        attempts = attempts || jsonb_build_object('at', now(), 'status', NULL, 'error', 'webhook_disabled',
                                                  'excerpt', '', 'milliseconds', 0)
    WHERE webhook_id = %s AND state = 'pending'
"""


def may_be_told(webhook: Webhook) -> bool:
    """Whether its owner may still see syncs: active, and an operator."""
    owner = User.objects.filter(pk=webhook.owner_id).first()
    if owner is None or not owner.is_active:
        return False
    names = owner.groups.values_list("name", flat=True)
    return "operator" in effective_roles(names, is_superuser=owner.is_superuser)


def switch_off(webhook: Webhook, reason: str) -> None:
    """Switch a webhook off that its caller has locked, give up what waits, and tell its owner.

    Args:
        reason: one of `Webhook.Disabled`.
    """
    now = timezone.now()
    webhook.is_enabled, webhook.disabled_reason, webhook.disabled_at = False, reason, now
    webhook.version, webhook.updated_at = webhook.version + 1, now
    give_up_waiting(webhook)
    webhook.save(update_fields=SWITCHED_OFF)
    audit.record("webhook.disable", "webhook", webhook.pk, after={"reason": reason})
    logger.warning("webhook %s is switched off: %s", webhook.pk, reason, extra={"owner_id": webhook.owner_id})
    _tell_owner(webhook)


def give_up_waiting(webhook: Webhook) -> None:
    """End the deliveries that wait; product events go on from what was heard when it is switched on again."""
    sql.execute(_GIVE_UP, [webhook.pk])
    webhook.feed_delivery_id = None


def _tell_owner(webhook: Webhook) -> None:
    owner = User.objects.filter(pk=webhook.owner_id, deleted_at=None).first()
    if not settings.EMAIL_HOST or owner is None or not owner.email:
        return
    with translation.override(settings.LANGUAGE_CODE):
        subject = _("A webhook of yours is switched off")
        text = _(
            "The webhook %(id)s (%(url)s) is switched off: %(reason)s.\n\nIts deliveries show what was answered. "
            "Once the receiver is well, switch the webhook on again; product events then go on where they stopped."
        )
        reason = Webhook.Disabled(webhook.disabled_reason).label
        body = text % {"id": webhook.pk, "url": webhook.url, "reason": reason}
    mail.submit_email(to=owner.email, subject=subject, body=body)
