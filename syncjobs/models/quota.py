"""How many calls an app key has made, and which ends of authorisations were told of."""

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class CallLedger(models.Model):
    """Calls of one API on one day in China, by all sources with the same app key. Redis counts; this is what survives.

    `bucket` is kind and app key (or name) of those sources. Numbers only rise. `refused` calls are among `calls`: made,
    and refused by the platform because of their number.
    """

    bucket = models.CharField(_("app key"), max_length=160)
    day = models.DateField(_("day"))
    api = models.CharField("API", max_length=100)
    calls = models.BigIntegerField(_("calls"), default=0)
    refused = models.BigIntegerField(_("refused by the platform"), default=0)
    used_up_at = models.DateTimeField(_("said to be used up at"), null=True, blank=True)
    updated_at = models.DateTimeField(_("updated at"), default=timezone.now)

    class Meta:
        verbose_name = _("calls of a day")
        verbose_name_plural = _("calls by day")
        constraints = [models.UniqueConstraint(fields=["bucket", "day", "api"], name="ledger_line")]
        indexes = [models.Index(fields=["day"], name="ledger_age")]

    def __str__(self) -> str:
        return f"{self.bucket} {self.day} {self.api}: {self.calls}"


class AuthorizationNotice(models.Model):
    """That somebody was told: this authorisation of a source ends in so many days. Told once, whoever looks."""

    source_id = models.BigIntegerField(_("source"))
    ends_at = models.DateTimeField(_("ends at"))
    days = models.PositiveSmallIntegerField(_("days before"))
    created_at = models.DateTimeField(_("created at"), default=timezone.now)

    class Meta:
        verbose_name = _("notice of an ending authorisation")
        verbose_name_plural = _("notices of ending authorisations")
        constraints = [models.UniqueConstraint(fields=["source_id", "ends_at", "days"], name="notice_once")]

    def __str__(self) -> str:
        return f"{self.source_id} {self.ends_at:%Y-%m-%d} -{self.days}"
