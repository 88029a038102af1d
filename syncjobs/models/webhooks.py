"""Who is told of what, and every attempt to do so."""

import uuid

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class Webhook(models.Model):
    """An address that somebody wants called. `secrets` is encrypted and never shown after it was made.

    `failures` counts deliveries given up one after the other; too many of them switch the webhook off, and
    `disabled_reason` says so.
    """

    class Event(models.TextChoices):
        JOB_FINISHED = "job.finished", _("a job succeeded, wholly or in part")
        JOB_FAILED = "job.failed", _("a job failed")
        JOB_HELD = "job.held", _("a job waits for a decision or for its quota")
        JOB_STOPPED = "job.stopped", _("a job was stopped")

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
    secrets = models.BinaryField(default=b"", editable=False)
    is_enabled = models.BooleanField(_("enabled"), default=True)
    disabled_reason = models.CharField(_("reason for being disabled"), max_length=50, default="", blank=True)
    failures = models.PositiveIntegerField(_("deliveries given up in a row"), default=0)
    version = models.PositiveIntegerField(_("version"), default=1)
    created_at = models.DateTimeField(_("created at"), default=timezone.now)
    updated_at = models.DateTimeField(_("updated at"), default=timezone.now)

    class Meta:
        verbose_name = _("webhook")
        verbose_name_plural = _("webhooks")

    def __str__(self) -> str:
        return self.url


class WebhookDelivery(models.Model):
    """One event for one webhook. pending -> succeeded | dead; a redelivery makes it pending again.

    `event_id` is what the receiver recognises a repetition by. `round` rises with every redelivery, so that a task of
    an earlier one finds that it is late. `attempts` keeps the latest {at, status, error, excerpt, milliseconds}.
    """

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
    event = models.CharField(_("event"), max_length=30, choices=Webhook.Event)
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
        ]

    def __str__(self) -> str:
        return f"{self.event} {self.event_id}"
