"""Pages of what a sync leaves behind: batches, rejected records, log lines, watermarks."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from syncjobs.models import RejectedRecord, Source, SyncBatch, SyncJob, SyncLog, Watermark
from syncjobs.services.reject_retries import retry_rejects
from syncjobs.services.rejects import retry_reject
from system.backoffice.base import ActingAdmin, Deed, ReadOnlyAdmin
from system.backoffice.filters import ModelChoicesFilter, TextFilter
from system.backoffice.html import Tone, badge, json_block, page_link, payload_block

LEVEL_TONES: dict[str, Tone] = {
    SyncLog.Level.INFO: "info",
    SyncLog.Level.WARNING: "warning",
    SyncLog.Level.ERROR: "danger",
}
BATCH_TONES: dict[str, Tone] = {
    SyncBatch.State.PENDING: "neutral",
    SyncBatch.State.RUNNING: "info",
    SyncBatch.State.DONE: "success",
    SyncBatch.State.FAILED: "danger",
}


class JobFilter(TextFilter):
    """Rows of one job, by its public id."""

    title = _("job")
    parameter_name = "job"
    placeholder = "sync_20250131_001"

    def queryset(self, request: HttpRequest, queryset: "QuerySet[Any]") -> "QuerySet[Any]":  # noqa: ARG002
        if not self.text:
            return queryset
        return queryset.filter(job_id__in=list(SyncJob.objects.filter(task_id=self.text).values_list("pk", flat=True)))


class CodeFilter(TextFilter):
    """Rejected records of one reason code."""

    title = _("reason code")
    parameter_name = "code"
    placeholder = "invalid_record"

    def queryset(self, request: HttpRequest, queryset: "QuerySet[Any]") -> "QuerySet[Any]":  # noqa: ARG002
        return queryset.filter(code=self.text) if self.text else queryset


class SourceNameFilter(ModelChoicesFilter):
    """Rows of one source."""

    title = _("source")
    parameter_name = "source"
    field = "source"

    def names(self) -> list[tuple[str, Any]]:
        return [(name, name) for name in Source.objects.order_by("name").values_list("name", flat=True)]


def job_link(job: SyncJob) -> SafeString:
    """The page of a job."""
    return page_link(reverse("admin:syncjobs_syncjob_change", args=[job.pk]), job.task_id)


class OfJobAdmin(ReadOnlyAdmin):
    """Rows that belong to a job, newest first."""

    list_select_related = ["job"]
    ordering = ["-id"]
    sortable_by = ["id"]

    def get_queryset(self, request: HttpRequest) -> "QuerySet[Any]":
        return super().get_queryset(request).select_related("job")

    @admin.display(description=_("job"))
    def show_job(self, row: Any) -> SafeString:
        return job_link(row.job)


@admin.register(SyncBatch)
class SyncBatchAdmin(OfJobAdmin):
    list_display = ["number", "show_job", "stage", "show_state", "crashes", "failures", "lease_until", "finished_at"]
    list_filter = [JobFilter, "state", "stage"]
    fields = [
        ("show_job", "number"),
        ("stage", "show_state"),
        ("crashes", "failures"),
        ("lease_until", "not_before"),
        ("finished_at", "fence"),
        "show_params",
        "show_counters",
        "show_error",
    ]
    readonly_fields = ["show_job", "show_state", "show_params", "show_counters", "show_error"]

    @admin.display(description=_("status"))
    def show_state(self, batch: SyncBatch) -> SafeString:
        return badge(batch.get_state_display(), BATCH_TONES[batch.state])

    @admin.display(description=_("parameters"))
    def show_params(self, batch: SyncBatch) -> SafeString:
        return json_block(batch.params)

    @admin.display(description=_("counters"))
    def show_counters(self, batch: SyncBatch) -> SafeString:
        return json_block(batch.counters)

    @admin.display(description=_("error"))
    def show_error(self, batch: SyncBatch) -> SafeString | str:
        return json_block(batch.error) if batch.error else self.empty_value_display


@admin.register(RejectedRecord)
class RejectedRecordAdmin(ActingAdmin, OfJobAdmin):
    list_display = ["show_id", "show_code", "field", "show_reason", "source", "show_job", "created_at"]
    list_filter = [JobFilter, SourceNameFilter, CodeFilter]
    fields = [("show_job", "source"), "source_id", ("step", "code"), "field", "message", "created_at", "show_payload"]
    readonly_fields = ["show_job", "show_payload"]

    def deeds(self) -> list[Deed]:
        return [
            Deed("retry", _("Retry"), "replay", _retry, _waits, "primary"),
            Deed("retry_reason", _("Retry all of this reason"), "autorenew", _retry_reason, _waits),
        ]

    def get_queryset(self, request: HttpRequest) -> "QuerySet[RejectedRecord]":
        records: QuerySet[RejectedRecord] = super().get_queryset(request)
        return records.defer("payload") if self.is_list(request) else records

    @admin.display(description=_("id at the source"))
    def show_id(self, record: RejectedRecord) -> str:
        return record.source_id or "?"

    @admin.display(description=_("reason code"))
    def show_code(self, record: RejectedRecord) -> SafeString:
        return badge(record.code, "warning")

    @admin.display(description=_("reason"))
    def show_reason(self, record: RejectedRecord) -> str:
        return record.message[:200]

    @admin.display(description=_("raw payload"))
    def show_payload(self, record: RejectedRecord) -> SafeString:
        return payload_block(bytes(record.payload))


def _waits(record: RejectedRecord) -> bool:
    return record.resolved_at is None


def _retry(_request: HttpRequest, record: RejectedRecord) -> str:
    retried = retry_reject(record.job.task_id, record.pk)
    return gettext("%(record)s: %(outcome)s") % {"record": record.source_id or record.pk, "outcome": retried.outcome}


def _retry_reason(_request: HttpRequest, record: RejectedRecord) -> str:
    ordered = retry_rejects(record.job.task_id, {"code": [record.code]})
    return gettext("A task retries %(count)s records of %(job)s with the reason %(code)s.") % {
        "count": ordered.matching,
        "job": record.job.task_id,
        "code": record.code,
    }


@admin.register(SyncLog)
class SyncLogAdmin(OfJobAdmin):
    list_display = ["created_at", "show_level", "show_message", "show_job"]
    list_display_links = ["created_at"]
    list_filter = [JobFilter, "level"]
    fields = [("created_at", "show_level"), "show_job", "show_message", "show_context"]
    readonly_fields = ["show_level", "show_job", "show_message", "show_context"]

    @admin.display(description=_("level"))
    def show_level(self, line: SyncLog) -> SafeString:
        return badge(line.get_level_display(), LEVEL_TONES[line.level])

    @admin.display(description=_("message"))
    def show_message(self, line: SyncLog) -> str:
        return gettext(line.message) if line.message else self.empty_value_display

    @admin.display(description=_("context"))
    def show_context(self, line: SyncLog) -> SafeString | str:
        return json_block(line.context) if line.context else self.empty_value_display


@admin.register(Watermark)
class WatermarkAdmin(ReadOnlyAdmin):
    list_display = ["source", "value", "scope", "job_id"]
    search_fields = ["=source"]
    ordering = ["source", "id"]
