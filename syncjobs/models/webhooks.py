"""Who is told of what, and every attempt to do so."""

import uuid

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from products.models import ProductChange


class Webhook(models.Model):
    """An address that somebody wants called. `secrets` is encrypted and never shown after it was made.

    `failures` counts deliveries given up one after the other; too many of them switch the webhook off, and
    `disabled_reason` says so. While one of its deliveries is sent nobody else sends (`busy_until`), and after one that
    was not answered at all new ones wait until `resting_until`.

    Product events follow the change feed: everything up to feed_* stands in deliveries, everything up to heard_* was
    heard. `feed_delivery_id` is the one delivery that must end before the next is written; `has_gap` says that one was
    given up since.
    """

    class Event(models.TextChoices):
        JOB_FINISHED = "job.finished", _("a job succeeded, wholly or in part")
        JOB_FAILED = "job.failed", _("a job failed")
        JOB_HELD = "job.held", _("a job waits for a decision or for its quota")
        JOB_STOPPED = "job.stopped", _("a job was stopped")
        SOURCE_AUTHORIZATION_EXPIRING = "source.authorization_expiring", _("a source must be authorised again soon")
        PRODUCT_CREATED = "product.created", _("a product is new")
        PRODUCT_UPDATED = "product.updated", _("a product has changed")
        PRODUCT_DELISTED = "product.delisted", _("a product is not offered any more")
        PRODUCT_RESTORED = "product.restored", _("a product is offered again")
        PRODUCT_DELETED = "product.deleted", _("a product was deleted")

    # Which line of the change feed is which event. A kind that is not named here is told to nobody.
    KINDS = {
        Event.PRODUCT_CREATED: ProductChange.Kind.CREATED,
        Event.PRODUCT_UPDATED: ProductChange.Kind.UPDATED,
        Event.PRODUCT_DELISTED: ProductChange.Kind.DELISTED,
        Event.PRODUCT_RESTORED: ProductChange.Kind.RESTORED,
        Event.PRODUCT_DELETED: ProductChange.Kind.DELETED,
    }

    class Disabled(models.TextChoices):
        TOO_MANY_FAILURES = "too_many_failures", _("too many deliveries were given up")
        GONE = "gone", _("the receiver asked never to be called again")
        OWNER_MAY_NOT = "owner_may_not", _("its owner may not see syncs any more")

    owner = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        db_constraint=False,
        related_name="+",
        on_delete=models.DO_NOTHING,
        verbose_name=_("owner"),
    )
    url = models.CharField(_("address"), max_length=2000)
    description = models.CharField(_("description"), max_length=200, default="", blank=True)
    events = ArrayField(models.CharField(max_length=30, choices=Event), verbose_name=_("events"))
    sources = ArrayField(
        models.CharField(max_length=50), verbose_name=_("only products of these sources"), default=list, blank=True
    )
    changed_fields = ArrayField(
        models.CharField(max_length=50), verbose_name=_("only updates of these fields"), default=list, blank=True
    )
    secrets = models.BinaryField(default=b"", editable=False)
    is_enabled = models.BooleanField(_("enabled"), default=True)
    disabled_reason = models.CharField(_("reason for being disabled"), max_length=50, default="", blank=True)
    disabled_at = models.DateTimeField(_("disabled at"), null=True, blank=True)
    failures = models.PositiveIntegerField(_("deliveries given up in a row"), default=0)
    busy_until = models.DateTimeField(null=True, blank=True, editable=False)
    resting_until = models.DateTimeField(_("rests until"), null=True, blank=True, editable=False)
    feed_cluster = models.CharField(max_length=20, default="", blank=True, editable=False)
    feed_xact = models.BigIntegerField(default=0, editable=False)
    feed_line = models.BigIntegerField(default=0, editable=False)
    heard_xact = models.BigIntegerField(default=0, editable=False)
    heard_line = models.BigIntegerField(default=0, editable=False)
    feed_delivery_id = models.BigIntegerField(null=True, blank=True, editable=False)
    has_gap = models.BooleanField(default=False, editable=False)
    version = models.PositiveIntegerField(_("version"), default=1)
    created_at = models.DateTimeField(_("created at"), default=timezone.now)
    updated_at = models.DateTimeField(_("updated at"), default=timezone.now)

    class Meta:
        verbose_name = _("webhook")
        verbose_name_plural = _("webhooks")

    def __str__(self) -> str:
        return self.url

    @property
    def kinds(self) -> list[str]:
        """The kinds of lines of the change feed that it asks for."""
        return [kind.value for event, kind in self.KINDS.items() if event in self.events]


class WebhookDelivery(models.Model):
    """One event, or one run of product events, for one webhook. pending -> succeeded | dead; a redelivery makes it
    pending again.

    `event_id` is what the receiver recognises a repetition by. `round` rises with every redelivery, so that a task of
    an earlier one finds that it is late. `attempts` keeps the latest {at, status, error, excerpt, milliseconds}.
    """

    # What a run of product events is called.
    CHANGES = "product.changes"
    EVENTS = (
        *(choice for choice in Webhook.Event.choices if choice[0] not in Webhook.KINDS),
        (CHANGES, _("products have changed")),
    )

    class State(models.TextChoices):
        PENDING = "pending", _("pending")
        SUCCEEDED = "succeeded", _("succeeded")
        DEAD = "dead", _("given up")

    webhook = models.ForeignKey(
        Webhook,
        db_constraint=False,
        db_index=False,
        related_name="+",
        on_delete=models.DO_NOTHING,
        verbose_name=_("webhook"),
    )
    event_id = models.UUIDField(_("event id"), default=uuid.uuid4)
    event = models.CharField(_("event"), max_length=30, choices=EVENTS)
    # The very text that is signed and sent.
    body = models.TextField(_("body"))
    state = models.CharField(_("status"), max_length=10, choices=State, default=State.PENDING)
    round = models.PositiveIntegerField(_("round"), default=1)
    tries = models.PositiveSmallIntegerField(_("attempts in this round"), default=0)
    attempts = models.JSONField(_("attempts"), default=list)
    response_status = models.PositiveSmallIntegerField(_("last response"), null=True, blank=True)
    next_attempt_at = models.DateTimeField(_("next attempt"), null=True, blank=True)
    created_at = models.DateTimeField(_("created at"), default=timezone.now)
    finished_at = models.DateTimeField(_("finished at"), null=True, blank=True)

    class Meta:
        verbose_name = _("webhook delivery")
        verbose_name_plural = _("webhook deliveries")
        constraints = [models.UniqueConstraint(fields=["webhook", "event_id"], name="delivery_once")]
        indexes = [
            models.Index(fields=["webhook", "id"], name="delivery_of_webhook"),
            models.Index(fields=["created_at"], name="delivery_age"),
            models.Index(fields=["webhook", "id"], condition=models.Q(state="pending"), name="delivery_waiting"),
        ]

    def __str__(self) -> str:
        return f"{self.event} {self.event_id}"
