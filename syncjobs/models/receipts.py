"""What is kept of a run beside its row, so that nothing of it is lost when its batches are tidied away."""

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class JobReceipt(models.Model):
    """Added up from a job's batches in the transaction that ends it; a resumed job that ends again writes it anew."""

    job_id = models.BigIntegerField(_("job"), primary_key=True)
    fields_changed = models.JSONField(_("fields changed"), default=dict)
    superseded = models.BigIntegerField(_("superseded"), default=0)
    updated_at = models.DateTimeField(_("updated at"), default=timezone.now)

    class Meta:
        verbose_name = _("receipt of a job")
        verbose_name_plural = _("receipts of jobs")

    def __str__(self) -> str:
        return str(self.job_id)


class JobCalls(models.Model):
    """Calls to one API for a job, those of its plan and those that failed among them: what it took of the quota."""

    job_id = models.BigIntegerField(_("job"))
    api = models.CharField("API", max_length=100)
    calls = models.BigIntegerField(_("calls"), default=0)

    class Meta:
        verbose_name = _("calls of a job")
        verbose_name_plural = _("calls of jobs")
        constraints = [models.UniqueConstraint(fields=["job_id", "api"], name="job_calls")]

    def __str__(self) -> str:
        return f"{self.job_id} {self.api}"
