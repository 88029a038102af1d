"""The kernel's own tables: the record of every asynchronous unit of work, and the pulse of the workers."""

import uuid

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class Task(models.Model):
    """One asynchronous unit of work. The row is the truth, the Celery message only a doorbell.

    pending -> running -> succeeded | failed; running -> cancelling -> cancelled; pending -> cancelled.
    A worker owns the row while `lease_until` lies ahead; `fence` rises with every claim, so that a worker that slept
    through its lease can no longer write. `attempts` keeps {started_at, finished_at, worker, error} of each claim.
    """

    class State(models.TextChoices):
        PENDING = "pending", _("pending")
        RUNNING = "running", _("running")
        SUCCEEDED = "succeeded", _("succeeded")
        FAILED = "failed", _("failed")
        CANCELLING = "cancelling", _("cancelling")
        CANCELLED = "cancelled", _("cancelled")

    class Queue(models.TextChoices):
        CRITICAL = "critical", _("critical")
        DEFAULT = "default", _("default")
        LOW = "low", _("low")

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    kind = models.CharField(_("kind"), max_length=50)
    queue = models.CharField(_("queue"), max_length=10, choices=Queue, default=Queue.DEFAULT)
    state = models.CharField(_("status"), max_length=10, choices=State, default=State.PENDING)
    payload = models.JSONField(_("payload"), default=dict)
    # The sync job this belongs to; an id only, because the kernel does not know jobs.
    job_id = models.BigIntegerField(_("job"), null=True, blank=True)
    request_id = models.CharField(_("request id"), max_length=64, default="", blank=True)
    attempts = models.JSONField(_("attempts"), default=list)
    result = models.JSONField(_("result"), null=True, blank=True)
    error = models.JSONField(_("error"), null=True, blank=True)
    fence = models.BigIntegerField(default=0)
    lease_until = models.DateTimeField(_("lease until"), null=True, blank=True)
    # By the database's clock, like every lease; null = at once.
    not_before = models.DateTimeField(_("not before"), null=True, blank=True)
    rung_at = models.DateTimeField(_("bell rung at"), null=True, blank=True)
    created_at = models.DateTimeField(_("created at"), default=timezone.now)
    started_at = models.DateTimeField(_("started at"), null=True, blank=True)
    finished_at = models.DateTimeField(_("finished at"), null=True, blank=True)

    class Meta:
        verbose_name = _("task")
        verbose_name_plural = _("tasks")
        indexes = [
            models.Index(
                fields=["state", "not_before"],
                condition=models.Q(state__in=["pending", "running", "cancelling"]),
                name="task_open",
            ),
            models.Index(fields=["job_id", "state"], condition=models.Q(job_id__isnull=False), name="task_job"),
            models.Index(fields=["-created_at", "id"], name="task_newest"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.id}"


class WorkerPulse(models.Model):
    """When a worker process last proved that it consumes; one row a worker host name."""

    worker = models.CharField(_("worker"), max_length=200, primary_key=True)
    seen_at = models.DateTimeField(_("seen at"), default=timezone.now)

    class Meta:
        verbose_name = _("worker")
        verbose_name_plural = _("workers")

    def __str__(self) -> str:
        return self.worker
