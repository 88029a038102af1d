"""What the source itself tells: its change messages, each kept once."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from syncjobs.models.jobs import Source


class ChangeMessage(models.Model):
    """A message about changed products. It is a hint: the products are fetched again, the message is never the truth.

    Messages are repeated, lost and reordered on their way (1688 open platform, push messages), so `msg_id` is kept.
    `handled_at` is set in the transaction that starts the job which fetches the products, `applied_at` in the one that
    stores its absolute stocks. `stock` holds those as [[offer, SKU or "", stock, moment]]; a message that says nothing
    else (`is_hint`) can wait for its job.
    """

    class Channel(models.TextChoices):
        CALLBACK = "callback", _("callback")
        WEBSOCKET = "websocket", "WebSocket"
        PULL = "pull", _("pull")

    source = models.ForeignKey(
        Source, db_constraint=False, db_index=False, related_name="+", on_delete=models.DO_NOTHING
    )
    msg_id = models.CharField(_("message id"), max_length=64)
    type = models.CharField(_("type"), max_length=100)
    channel = models.CharField(_("channel"), max_length=10, choices=Channel, default=Channel.CALLBACK)
    offer_ids = ArrayField(models.CharField(max_length=30), verbose_name=_("products"), default=list)
    stock = models.JSONField(_("stocks"), default=list, blank=True)
    is_hint = models.BooleanField(default=False, editable=False)
    task_id = models.CharField(_("task id"), max_length=30, default="", blank=True)
    born_at = models.DateTimeField(_("born at"), null=True, blank=True)
    created_at = models.DateTimeField(_("received at"), default=timezone.now)
    applied_at = models.DateTimeField(_("stocks stored at"), null=True, blank=True)
    handled_at = models.DateTimeField(_("handled at"), null=True, blank=True)

    class Meta:
        verbose_name = _("change message")
        verbose_name_plural = _("change messages")
        constraints = [models.UniqueConstraint(fields=["source", "msg_id"], name="message_once")]
        indexes = [
            models.Index(fields=["source", "id"], condition=models.Q(handled_at__isnull=True), name="message_waiting"),
            models.Index(fields=["source", "id"], condition=models.Q(applied_at__isnull=True), name="message_stock"),
            models.Index(fields=["source", "created_at"], name="message_latest"),
            models.Index(fields=["created_at"], name="message_age"),
        ]

    def __str__(self) -> str:
        return f"{self.type} {self.msg_id}"


class MessageListener(models.Model):
    """Who listens to the messages of a source, as `manage.py listen` tells every few seconds; one row a source.

    `connected_at` is null while there is no connection. Everything the platform could not push until `pulled_until` has
    been asked for. `error` is the code of what went wrong last, empty while all is well.
    """

    source = models.OneToOneField(
        Source, db_constraint=False, related_name="+", on_delete=models.DO_NOTHING, verbose_name=_("source")
    )
    process = models.CharField(_("process"), max_length=100, default="", blank=True)
    seen_at = models.DateTimeField(_("seen at"), null=True, blank=True)
    connected_at = models.DateTimeField(_("connected at"), null=True, blank=True)
    pulled_until = models.DateTimeField(_("caught up until"), null=True, blank=True)
    error = models.CharField(_("error"), max_length=50, default="", blank=True)

    class Meta:
        verbose_name = _("listener")
        verbose_name_plural = _("listeners")

    def __str__(self) -> str:
        return self.process
