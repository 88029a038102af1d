"""What the source itself tells: its change messages, each kept once."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from syncjobs.models.jobs import Source


class ChangeMessage(models.Model):
    """A message about changed products. It is a hint: the products are fetched again, the message is never the truth.

    Messages are repeated, lost and reordered on their way (1688 open platform, push messages), so `msg_id` is kept.
    `handled_at` is set in the transaction that starts the job which fetches the products.
    """

    source = models.ForeignKey(
        Source, db_constraint=False, db_index=False, related_name="+", on_delete=models.DO_NOTHING
    )
    msg_id = models.CharField(_("message id"), max_length=64)
    type = models.CharField(_("type"), max_length=100)
    offer_ids = ArrayField(models.CharField(max_length=30), verbose_name=_("products"), default=list)
    task_id = models.CharField(_("task id"), max_length=30, default="", blank=True)
    born_at = models.DateTimeField(_("born at"), null=True, blank=True)
    created_at = models.DateTimeField(_("received at"), default=timezone.now)
    handled_at = models.DateTimeField(_("handled at"), null=True, blank=True)

    class Meta:
        verbose_name = _("change message")
        verbose_name_plural = _("change messages")
        constraints = [models.UniqueConstraint(fields=["source", "msg_id"], name="message_once")]
        indexes = [
            models.Index(fields=["source", "id"], condition=models.Q(handled_at__isnull=True), name="message_waiting"),
            models.Index(fields=["created_at"], name="message_age"),
        ]

    def __str__(self) -> str:
        return f"{self.type} {self.msg_id}"
