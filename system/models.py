"""The kernel's own tables: asynchronous work, workers, audit and system logs, settings, remembered answers."""

import uuid

from django.contrib.postgres.fields import ArrayField
from django.core.serializers.json import DjangoJSONEncoder
from django.db import models
from django.db.models.functions import Coalesce
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class Task(models.Model):
    """One asynchronous unit of work. The row is the truth, the Celery message only a doorbell.

    pending -> running -> succeeded | failed; running -> cancelling -> cancelled; pending -> cancelled;
    failed | cancelled -> pending when somebody has it tried again, running -> pending when its handler asks for that.
    A worker owns the row while `lease_until` lies ahead; `fence` rises with every claim, so that a worker that slept
    through its lease can no longer write. `attempts` keeps {started_at, finished_at, worker, error, again} of each
    claim; one without finished_at lost its worker, and `again` says that its handler asked for another
    (`system.task_claims`).
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

    OPEN_STATES = (State.PENDING, State.RUNNING)

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
            models.Index(
                models.F("queue"),
                Coalesce("not_before", "rung_at"),
                condition=models.Q(state="pending"),
                name="task_waiting",
            ),
            models.Index(fields=["job_id", "state"], condition=models.Q(job_id__isnull=False), name="task_job"),
            models.Index(fields=["-created_at", "-id"], name="task_newest"),
            models.Index(fields=["finished_at"], condition=models.Q(finished_at__isnull=False), name="task_finished"),
            models.Index(fields=["kind", "-finished_at"], condition=models.Q(state="succeeded"), name="task_measured"),
            models.Index(fields=["request_id"], condition=~models.Q(request_id=""), name="task_request"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.id}"


class Email(models.Model):
    """A letter that waits for its mail server, or went through it; a task names it by id.

    `waiting` are the recipients no server has accepted yet; `refused` the answers to those it never will.
    """

    to = models.CharField(_("to"), max_length=254)
    cc = ArrayField(models.CharField(max_length=254), verbose_name=_("copies"), default=list, blank=True)
    subject = models.CharField(_("subject"), max_length=200)
    body = models.TextField(_("text"))
    waiting = ArrayField(models.CharField(max_length=254), verbose_name=_("waiting recipients"), default=list)
    refused = models.JSONField(_("refused recipients"), default=dict)
    created_at = models.DateTimeField(_("created at"), default=timezone.now)
    sent_at = models.DateTimeField(_("sent at"), null=True, blank=True)

    class Meta:
        verbose_name = _("e-mail")
        verbose_name_plural = _("e-mails")
        indexes = [models.Index(fields=["created_at"], name="email_age")]

    def __str__(self) -> str:
        return f"{self.to}: {self.subject}"


class WorkerPulse(models.Model):
    """When a worker process last proved that it consumes; one row a worker host name."""

    worker = models.CharField(_("worker"), max_length=200, primary_key=True)
    seen_at = models.DateTimeField(_("seen at"), default=timezone.now)

    class Meta:
        verbose_name = _("worker")
        verbose_name_plural = _("workers")

    def __str__(self) -> str:
        return self.worker


class AuditLog(models.Model):
    """Who changed what. Append-only: written in the transaction of the change, never altered."""

    at = models.DateTimeField(_("at"), default=timezone.now)
    via = models.CharField(_("through"), max_length=10)
    user_id = models.BigIntegerField(_("user"), null=True, blank=True)
    actor = models.CharField(_("who"), max_length=150, default="", blank=True)
    key_id = models.BigIntegerField(_("API key"), null=True, blank=True)
    ip = models.CharField(_("address"), max_length=45, default="", blank=True)
    request_id = models.CharField(_("request id"), max_length=64, default="", blank=True)
    action = models.CharField(_("action"), max_length=50)
    target_type = models.CharField(_("kind of target"), max_length=50)
    target_id = models.CharField(_("target"), max_length=200, default="", blank=True)
    before = models.JSONField(_("before"), null=True, blank=True, encoder=DjangoJSONEncoder)
    after = models.JSONField(_("after"), null=True, blank=True, encoder=DjangoJSONEncoder)

    class Meta:
        verbose_name = _("audit line")
        verbose_name_plural = _("audit log")
        indexes = [
            models.Index(fields=["target_type", "target_id", "id"], name="audit_target"),
            models.Index(fields=["user_id", "id"], name="audit_user"),
        ]

    def __str__(self) -> str:
        return f"{self.actor} {self.action} {self.target_type} {self.target_id}"


class SystemLog(models.Model):
    """A line our processes logged at level WARNING or above, secrets removed."""

    at = models.DateTimeField(_("at"), default=timezone.now)
    level = models.CharField(_("level"), max_length=10)
    logger = models.CharField(_("logger"), max_length=100)
    message = models.TextField(_("message"))
    process = models.CharField(_("process"), max_length=100, default="", blank=True)
    request_id = models.CharField(_("request id"), max_length=64, default="", blank=True)
    context = models.JSONField(_("context"), default=dict, encoder=DjangoJSONEncoder)

    class Meta:
        verbose_name = _("system log line")
        verbose_name_plural = _("system log")
        indexes = [
            models.Index(fields=["level", "id"], name="systemlog_level"),
            models.Index(fields=["request_id"], condition=~models.Q(request_id=""), name="systemlog_request"),
        ]

    def __str__(self) -> str:
        return self.message


class Setting(models.Model):
    """A setting an administrator changed while the system runs. What may stand here is declared in `system.runtime`."""

    key = models.CharField(_("key"), max_length=100, primary_key=True)
    value = models.JSONField(_("value"))
    updated_by = models.CharField(_("changed by"), max_length=150, default="", blank=True)
    updated_at = models.DateTimeField(_("updated at"), default=timezone.now)

    class Meta:
        verbose_name = _("setting")
        verbose_name_plural = _("settings")

    def __str__(self) -> str:
        return self.key


class IdempotencyKey(models.Model):
    """The answer to a request that carried an Idempotency-Key, committed together with what the request did.

    `caller` is "user:<id>"; `route` the method and path; `digest` that of the body.
    """

    caller = models.CharField(max_length=100)
    key = models.CharField(max_length=255)
    route = models.CharField(max_length=500)
    digest = models.BinaryField()
    status = models.PositiveSmallIntegerField()
    headers = models.JSONField(default=dict)
    body = models.BinaryField()
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name = _("remembered answer")
        verbose_name_plural = _("remembered answers")
        constraints = [models.UniqueConstraint(fields=["caller", "key"], name="idempotency_caller_key")]
        indexes = [models.Index(fields=["created_at"], name="idempotency_age")]

    def __str__(self) -> str:
        return f"{self.caller} {self.route}"


class ApiUsage(models.Model):
    """How often a client called a route of an API version on a day (UTC). 0 and "" stand for none."""

    day = models.DateField(_("day"))
    version = models.CharField(_("version"), max_length=10)
    method = models.CharField(_("method"), max_length=10)
    route = models.CharField(_("route"), max_length=200)
    user_id = models.BigIntegerField(_("user"), default=0)
    key_id = models.BigIntegerField(_("API key"), default=0)
    client_version = models.CharField(_("client version"), max_length=64, default="", blank=True)
    calls = models.BigIntegerField(_("calls"), default=0)

    class Meta:
        verbose_name = _("API usage")
        verbose_name_plural = _("API usage")
        constraints = [
            models.UniqueConstraint(
                fields=["day", "version", "route", "method", "user_id", "key_id", "client_version"],
                name="api_usage_client",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.version} {self.method} {self.route}"
