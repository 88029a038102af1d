"""Sources, jobs and their batches: the state machines that make a sync survive anything."""

import re

from django.contrib.postgres.fields import ArrayField
from django.core.validators import MaxValueValidator, MinValueValidator, RegexValidator
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


def _job_reference() -> "models.ForeignKey[SyncJob, SyncJob]":
    """A job's id that the admin can follow; every table has a wider index that begins with it."""
    return models.ForeignKey(
        "syncjobs.SyncJob",
        db_constraint=False,
        db_index=False,
        related_name="+",
        on_delete=models.DO_NOTHING,
        verbose_name=_("job"),
    )


class Source(models.Model):
    """Where products come from. `name` never changes, products carry it.

    `options` is the connector's configuration (gateway URL, file path, field mapping). `secrets` is an encrypted JSON
    object (app secret, access and refresh token) that no page, log or answer shows.
    """

    class Kind(models.TextChoices):
        ALIBABA1688 = "alibaba1688", _("1688 open platform")
        FEED = "feed", _("product file")

    NAME_PATTERN = re.compile(r"[a-z0-9][a-z0-9_-]{0,49}")

    name = models.CharField(
        _("name"), max_length=50, unique=True, validators=[RegexValidator(rf"^{NAME_PATTERN.pattern}\Z")]
    )
    kind = models.CharField(_("kind"), max_length=20, choices=Kind)
    is_default = models.BooleanField(_("default source"), default=False)
    is_enabled = models.BooleanField(_("enabled"), default=True)
    app_key = models.CharField(_("app key"), max_length=100, default="", blank=True)
    options = models.JSONField(_("options"), default=dict, blank=True)
    secrets = models.BinaryField(default=b"", editable=False)
    access_expires_at = models.DateTimeField(_("access token ends"), null=True, blank=True)
    refresh_expires_at = models.DateTimeField(_("refresh token ends"), null=True, blank=True)
    calls_per_second = models.FloatField(_("calls per second"), default=10.0)
    daily_call_limit = models.PositiveIntegerField(_("calls per day"), null=True, blank=True)
    hold_at_percent = models.PositiveSmallIntegerField(
        _("share of the day's calls for all jobs, %"),
        default=100,
        validators=[MinValueValidator(1), MaxValueValidator(100)],
        help_text=_("What is left above it is a reserve for critical jobs; 90 is a good choice."),
    )
    delist_limit_percent = models.PositiveSmallIntegerField(_("largest share a run may delist, %"), default=20)
    delist_after_walks = models.PositiveSmallIntegerField(
        _("complete walks in a row that must miss a product"),
        default=3,
        validators=[MinValueValidator(1), MaxValueValidator(10)],
        help_text=_("Only then it is delisted; with 1 a single walk is enough."),
    )
    # Who wins where an operator and the source disagree: by field, "*" for the others; see products.ingest.ownership.
    field_policies = models.JSONField(_("who wins, by field"), default=dict, blank=True)
    # Rises with every change somebody makes, not with the tokens that workers renew.
    version = models.PositiveIntegerField(_("version"), default=1, editable=False)
    created_at = models.DateTimeField(_("created at"), default=timezone.now)
    updated_at = models.DateTimeField(_("updated at"), default=timezone.now)

    class Meta:
        verbose_name = _("source")
        verbose_name_plural = _("sources")
        constraints = [
            models.UniqueConstraint(
                fields=["is_default"], condition=models.Q(is_default=True), name="source_one_default"
            ),
        ]

    def __str__(self) -> str:
        return self.name


class Watermark(models.Model):
    """Up to which moment of the source's clock a scope is committed. Moved in the transaction that ends a job."""

    source = models.CharField(_("source"), max_length=50)
    scope = models.CharField(_("scope"), max_length=64)
    value = models.DateTimeField(_("committed up to"))
    job_id = models.BigIntegerField(_("job"))

    class Meta:
        verbose_name = _("watermark")
        verbose_name_plural = _("watermarks")
        constraints = [models.UniqueConstraint(fields=["source", "scope"], name="watermark_scope")]

    def __str__(self) -> str:
        return f"{self.source} {self.scope}"


class SyncJob(models.Model):
    """One run over a source.

    running -> succeeded | partial | failed; running -> stopping -> stopped; running -> held (an operator decides, or
    the quota comes back). partial = finished, but records were rejected, batches set aside, or the source showed fewer
    products than it claims. stopped, failed and held jobs resume from their last committed batch. `scope` is the digest
    of what the job covers: at most one open job a source and scope. Counters move in the transaction of the batch
    they count.
    """

    class State(models.TextChoices):
        PENDING = "pending", _("pending")
        RUNNING = "running", _("running")
        STOPPING = "stopping", _("stopping")
        STOPPED = "stopped", _("stopped")
        HELD = "held", _("held")
        SUCCEEDED = "succeeded", _("succeeded")
        PARTIAL = "partial", _("partial")
        FAILED = "failed", _("failed")

    class Type(models.TextChoices):
        FULL = "full", _("full")
        INCREMENTAL = "incremental", _("incremental")

    class Trigger(models.TextChoices):
        API = "api", _("API")
        ADMIN = "admin", _("back office")
        COMMAND = "command", _("command line")
        SCHEDULE = "schedule", _("schedule")
        MESSAGE = "message", _("change message")
        REPLAY = "replay", _("replay of kept answers")

    OPEN_STATES = (State.PENDING, State.RUNNING, State.STOPPING)
    RESUMABLE_STATES = (State.STOPPED, State.HELD, State.FAILED)

    task_id = models.CharField(_("task id"), max_length=30, unique=True)
    source = models.ForeignKey(
        Source, db_constraint=False, related_name="+", on_delete=models.DO_NOTHING, verbose_name=_("source")
    )
    type = models.CharField(_("type"), max_length=15, choices=Type)
    state = models.CharField(_("status"), max_length=10, choices=State, default=State.RUNNING)
    trigger = models.CharField(_("trigger"), max_length=10, choices=Trigger, default=Trigger.API)
    requested_by = models.CharField(_("requested by"), max_length=50, default="", blank=True)
    priority = models.CharField(_("priority"), max_length=10, default="default")
    category_id = models.BigIntegerField(_("category"), null=True, blank=True)
    sku_list = ArrayField(models.CharField(max_length=100), verbose_name=_("SKU list"), default=list, blank=True)
    # Goes the whole way, but what it would write to the catalogue is taken back.
    dry_run = models.BooleanField(_("dry run"), default=False)
    scope = models.CharField(_("scope"), max_length=64)
    batch_size = models.PositiveIntegerField(_("batch size"), default=100)
    max_workers = models.PositiveSmallIntegerField(_("workers"), default=5)
    since = models.DateTimeField(_("since"), null=True, blank=True)
    watermark = models.DateTimeField(_("next watermark"), null=True, blank=True)
    total = models.BigIntegerField(_("total"), null=True, blank=True)
    # Whether the source can prove a walk, and whether it ever claimed another total than at the first page.
    provable = models.BooleanField(_("walk can prove completeness"), default=False)
    total_drifted = models.BooleanField(_("the source's total changed while walking"), default=False)
    # Whether this full walk has proved what it missed: the next one is measured by its total.
    proven = models.BooleanField(_("walk was complete"), default=False)
    # Why the walk may miss something, as its plan knew: [{code, level, message, details}].
    doubts = models.JSONField(_("doubts"), default=list, blank=True)
    processed = models.BigIntegerField(_("processed"), default=0)
    created = models.BigIntegerField(_("created"), default=0)
    updated = models.BigIntegerField(_("updated"), default=0)
    unchanged = models.BigIntegerField(_("unchanged"), default=0)
    rejected = models.BigIntegerField(_("rejected"), default=0)
    held = models.BigIntegerField(_("held"), default=0)
    delisted = models.BigIntegerField(_("delisted"), default=0)
    # Missed by this walk and not delisted yet; written, but hidden because somebody deleted them here.
    missing = models.BigIntegerField(_("missing"), default=0)
    hidden = models.BigIntegerField(_("hidden"), default=0)
    calls = models.BigIntegerField(_("calls"), default=0)
    # What its calls were expected to be, and whether the day's rest was enough: {calls, left, limit, resets_at, fits}.
    forecast = models.JSONField(_("forecast"), null=True, blank=True)
    error = models.JSONField(_("error"), null=True, blank=True)
    request_id = models.CharField(_("request id"), max_length=64, default="", blank=True)
    created_at = models.DateTimeField(_("created at"), default=timezone.now)
    started_at = models.DateTimeField(_("started at"), null=True, blank=True)
    heartbeat_at = models.DateTimeField(_("last sign of life"), null=True, blank=True)
    finished_at = models.DateTimeField(_("finished at"), null=True, blank=True)

    class Meta:
        verbose_name = _("sync job")
        verbose_name_plural = _("sync jobs")
        constraints = [
            models.UniqueConstraint(
                fields=["source", "scope"],
                condition=models.Q(state__in=["pending", "running", "stopping"]),
                name="job_one_active_per_scope",
            ),
        ]
        indexes = [models.Index(fields=["-created_at", "id"], name="job_newest")]

    def __str__(self) -> str:
        return self.task_id


class SyncBatch(models.Model):
    """One unit of a job's work. pending -> running -> done | failed.

    `stage` orders the kinds: a stage begins when the one before is done. A worker owns the batch while `lease_until`
    (database clock) lies ahead; `fence` rises with every claim and is checked by every write.
    """

    class State(models.TextChoices):
        PENDING = "pending", _("pending")
        RUNNING = "running", _("running")
        DONE = "done", _("done")
        FAILED = "failed", _("failed")

    class Stage(models.IntegerChoices):
        PLAN = 0, _("plan")
        FETCH = 1, _("fetch")
        DELIST = 2, _("delist")

    job = _job_reference()
    number = models.PositiveIntegerField(_("number"))
    stage = models.PositiveSmallIntegerField(_("stage"), choices=Stage)
    state = models.CharField(_("status"), max_length=10, choices=State, default=State.PENDING)
    params = models.JSONField(_("parameters"), default=dict)
    fence = models.BigIntegerField(_("fence"), default=0)
    # The task that holds the lease; its next attempt knows that the one before is dead.
    task_id = models.UUIDField(_("held by task"), null=True, blank=True)
    lease_until = models.DateTimeField(_("lease until"), null=True, blank=True)
    not_before = models.DateTimeField(_("not before"), null=True, blank=True)
    crashes = models.PositiveSmallIntegerField(_("workers lost"), default=0)
    failures = models.PositiveSmallIntegerField(_("source failures"), default=0)
    counters = models.JSONField(_("counters"), default=dict)
    error = models.JSONField(_("error"), null=True, blank=True)
    finished_at = models.DateTimeField(_("finished at"), null=True, blank=True)

    class Meta:
        verbose_name = _("batch")
        verbose_name_plural = _("batches")
        constraints = [models.UniqueConstraint(fields=["job", "number"], name="batch_number")]
        indexes = [
            models.Index(
                fields=["job", "stage", "crashes", "number"],
                condition=models.Q(state__in=["pending", "running"]),
                name="batch_open",
            ),
            models.Index(fields=["job", "lease_until"], condition=models.Q(state="running"), name="batch_running"),
        ]

    def __str__(self) -> str:
        return f"{self.job_id}/{self.number}"


class SeenProduct(models.Model):
    """What a full walk saw, one narrow row a product, gone with the job. Unlogged: losing it means no delisting.

    A row of the job's negative id marks that nothing was lost since the walk began.
    """

    pk = models.CompositePrimaryKey("job_id", "source_id")
    job_id = models.BigIntegerField()
    source_id = models.CharField(max_length=100)

    class Meta:
        verbose_name = _("seen product")
        verbose_name_plural = _("seen products")

    def __str__(self) -> str:
        return self.source_id


class HeldProduct(models.Model):
    """A product that a walk missed, as it was shown to an operator; an approval goes no further than this list.

    `step` is where it would go, after `walks` complete walks in a row that missed it, this one included.
    """

    class Step(models.TextChoices):
        MISSING = "missing", _("missing once")
        SUSPECT = "suspect", _("suspect")
        DELISTED = "delisted", _("delisted")

    job = _job_reference()
    product_id = models.BigIntegerField(_("product"))
    step = models.CharField(_("step"), max_length=10, choices=Step, default=Step.DELISTED)
    walks = models.PositiveSmallIntegerField(_("walks in a row that missed it"), default=1)

    class Meta:
        verbose_name = _("held product")
        verbose_name_plural = _("held products")
        constraints = [models.UniqueConstraint(fields=["job", "product_id"], name="held_once")]
        indexes = [models.Index(fields=["job", "id"], name="held_job")]

    def __str__(self) -> str:
        return f"{self.job_id}/{self.product_id}"


class RejectedRecord(models.Model):
    """A record that could not be used, with its raw payload and the reason, so that it can be replayed.

    A replay that succeeds sets `resolved_at` and `outcome`; one that fails brings the reason up to date.
    """

    class Outcome(models.TextChoices):
        CREATED = "created", _("created")
        UPDATED = "updated", _("updated")
        UNCHANGED = "unchanged", _("unchanged")
        SUPERSEDED = "superseded", _("superseded by a later sync")

    job = _job_reference()
    source = models.CharField(_("source"), max_length=50)
    source_id = models.CharField(_("id at the source"), max_length=100, default="", blank=True)
    step = models.CharField(_("step"), max_length=20)
    code = models.CharField(_("reason code"), max_length=50)
    field = models.CharField(_("field"), max_length=100, default="", blank=True)
    message = models.TextField(_("reason"))
    payload = models.BinaryField(_("raw payload"))
    retries = models.PositiveIntegerField(_("retries"), default=0)
    outcome = models.CharField(_("came to"), max_length=10, choices=Outcome, default="", blank=True)
    resolved_at = models.DateTimeField(_("resolved at"), null=True, blank=True)
    created_at = models.DateTimeField(_("created at"), default=timezone.now)

    class Meta:
        verbose_name = _("rejected record")
        verbose_name_plural = _("rejected records")
        indexes = [models.Index(fields=["job", "id"], name="reject_job")]

    def __str__(self) -> str:
        return f"{self.source_id or '?'}: {self.message}"


class SyncLog(models.Model):
    """One line of a job's log, written for operators. `message` is English with `context` as its values."""

    class Level(models.TextChoices):
        INFO = "info", _("info")
        WARNING = "warning", _("warning")
        ERROR = "error", _("error")

    job = _job_reference()
    level = models.CharField(_("level"), max_length=10, choices=Level, default=Level.INFO)
    message = models.TextField(_("message"))
    context = models.JSONField(_("context"), default=dict)
    created_at = models.DateTimeField(_("created at"), default=timezone.now)

    class Meta:
        verbose_name = _("sync log line")
        verbose_name_plural = _("sync log lines")
        indexes = [models.Index(fields=["job", "id"], name="log_job")]

    def __str__(self) -> str:
        return self.message
