"""Back-office pages of the kernel: tasks and workers here, the others in `system.backoffice`."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from django.views.i18n import set_language

from system.backoffice import logbooks, schedules, settings_page
from system.backoffice.base import ActingAdmin, Deed, ReadOnlyAdmin
from system.backoffice.filters import TextFilter
from system.backoffice.html import Tone, badge, json_block
from system.models import Task, WorkerPulse
from system.services.tasks import cancel_task, retry_task
from system.task_records import visible_payload

__all__ = ["TaskAdmin", "WorkerPulseAdmin", "logbooks", "schedules", "settings_page"]

ONLINE_SECONDS = 60
STATE_TONES: dict[str, Tone] = {
    Task.State.PENDING: "neutral",
    Task.State.RUNNING: "info",
    Task.State.SUCCEEDED: "success",
    Task.State.FAILED: "danger",
    Task.State.CANCELLING: "warning",
    Task.State.CANCELLED: "warning",
}


def _language_urls() -> list[URLPattern]:
    return [path("language/", set_language, name="set_language")]


# The theme's language switch posts here; the theme's site asks this hook for routes of ours.
admin.site.extra_urls = _language_urls  # type: ignore[attr-defined]


class KindFilter(TextFilter):
    """Tasks of one kind."""

    title = _("kind")
    parameter_name = "kind"
    placeholder = _("kind")

    def queryset(self, request: HttpRequest, queryset: "QuerySet[Task]") -> "QuerySet[Task]":  # noqa: ARG002
        return queryset.filter(kind=self.text) if self.text else queryset


@admin.register(Task)
class TaskAdmin(ActingAdmin, ReadOnlyAdmin):
    list_display = ["kind", "id", "show_state", "queue", "show_attempts", "created_at", "started_at", "finished_at"]
    list_filter = ["state", "queue", KindFilter]
    search_fields = ["=id"]
    ordering = ["-created_at", "-id"]
    sortable_by = ["created_at"]
    fields = [
        ("kind", "queue"),
        ("id", "show_state"),
        ("created_at", "not_before"),
        ("started_at", "finished_at"),
        ("lease_until", "rung_at"),
        ("job_id", "request_id"),
        "show_payload",
        "show_history",
        "show_result",
        "show_error",
    ]
    readonly_fields = ["show_state", "show_payload", "show_history", "show_result", "show_error"]

    def deeds(self) -> list[Deed]:
        return [
            Deed("retry", _("Try again"), "replay", _retry, _has_ended_badly, "primary"),
            Deed("cancel", _("Cancel task"), "cancel", _cancel, _is_open, "danger"),
        ]

    @admin.display(description=_("status"))
    def show_state(self, task: Task) -> SafeString:
        return badge(task.get_state_display(), STATE_TONES[task.state])

    @admin.display(description=_("attempts"))
    def show_attempts(self, task: Task) -> int:
        return len(task.attempts)

    @admin.display(description=_("payload"))
    def show_payload(self, task: Task) -> SafeString:
        return json_block(visible_payload(task))

    @admin.display(description=_("attempts"))
    def show_history(self, task: Task) -> SafeString:
        return json_block(task.attempts)

    @admin.display(description=_("result"))
    def show_result(self, task: Task) -> SafeString | str:
        return self.empty_value_display if task.result is None else json_block(task.result)

    @admin.display(description=_("error"))
    def show_error(self, task: Task) -> SafeString | str:
        return self.empty_value_display if task.error is None else json_block(task.error)


def _has_ended_badly(task: Task) -> bool:
    return task.state in (Task.State.FAILED, Task.State.CANCELLED)


def _is_open(task: Task) -> bool:
    return task.state in Task.OPEN_STATES


def _retry(_request: HttpRequest, task: Task) -> str:
    retry_task(str(task.pk))
    return gettext("%(task)s waits for another attempt.") % {"task": task}


def _cancel(_request: HttpRequest, task: Task) -> str:
    cancel_task(str(task.pk))
    return gettext("%(task)s is cancelled.") % {"task": task}


@admin.register(WorkerPulse)
class WorkerPulseAdmin(ReadOnlyAdmin):
    list_display = ["worker", "show_online", "seen_at"]
    ordering = ["-seen_at"]

    @admin.display(description=_("online"), boolean=True)
    def show_online(self, pulse: WorkerPulse) -> bool:
        return (timezone.now() - pulse.seen_at).total_seconds() < ONLINE_SECONDS
