"""Pages of the jobs: how each stands, live while it runs; start, stop and resume."""

from typing import Any

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextareaWidget, UnfoldAdminTextInputWidget

from syncjobs import selectors
from syncjobs.admin.job_page import STATE_TONES, duration_text, job_page
from syncjobs.models import Source, SyncJob
from syncjobs.services.jobs import StartSync, resume_sync, start_sync, stop_sync
from system import runtime
from system.backoffice.base import ActingAdmin, Deed, ReadOnlyAdmin, refusal_text
from system.backoffice.filters import TextFilter
from system.backoffice.html import badge, bar
from system.errors import ApplicationError
from system.models import Task

MOST_OFFERS = 1000


class JobSourceFilter(TextFilter):
    """Jobs of one source, by its name."""

    title = _("source")
    parameter_name = "source"
    placeholder = _("name of a source")

    def queryset(self, request: HttpRequest, queryset: "QuerySet[SyncJob]") -> "QuerySet[SyncJob]":  # noqa: ARG002
        return queryset.filter(source__name=self.text) if self.text else queryset


class StartForm(forms.Form):
    """What a start asks for; the same fields as the API's."""

    source = forms.ChoiceField(label=_("source"), widget=UnfoldAdminSelectWidget)
    type = forms.ChoiceField(label=_("type"), choices=SyncJob.Type.choices, widget=UnfoldAdminSelectWidget)
    category_id = forms.IntegerField(
        label=_("category"),
        required=False,
        min_value=1,
        max_value=2**63 - 1,
        widget=UnfoldAdminTextInputWidget,
        help_text=_("The platform's number; empty for all."),
    )
    sku_list = forms.CharField(
        label=_("SKU list"),
        required=False,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 4}),
        help_text=_("Offer ids, 1688-ID or offer links, one a line; empty for all."),
    )
    batch_size = forms.IntegerField(
        label=_("batch size"),
        min_value=1,
        max_value=settings.SYNC_BATCH_SIZE_MAX,
        initial=lambda: runtime.integer("sync.batch_size_default"),
        widget=UnfoldAdminTextInputWidget,
    )
    max_workers = forms.IntegerField(
        label=_("workers"),
        min_value=1,
        max_value=settings.SYNC_MAX_WORKERS_MAX,
        initial=lambda: runtime.integer("sync.max_workers_default"),
        widget=UnfoldAdminTextInputWidget,
    )
    priority = forms.ChoiceField(
        label=_("priority"), choices=Task.Queue.choices, initial=Task.Queue.DEFAULT, widget=UnfoldAdminSelectWidget
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        names = Source.objects.filter(is_enabled=True).order_by("-is_default", "name").values_list("name", flat=True)
        self.fields["source"].choices = [(name, name) for name in names]  # type: ignore[attr-defined]

    def clean_sku_list(self) -> tuple[str, ...]:
        """One offer a line or comma."""
        text: str = self.cleaned_data["sku_list"]
        offers = tuple(text.replace(",", "\n").replace("，", "\n").split())
        if len(offers) > MOST_OFFERS:
            raise forms.ValidationError(gettext("At most %(count)s offers.") % {"count": MOST_OFFERS})
        return offers

    def start(self, requested_by: str) -> SyncJob:
        """Start what the form says.

        Raises:
            ApplicationError: as `start_sync`.
        """
        return start_sync(StartSync(trigger=SyncJob.Trigger.ADMIN, requested_by=requested_by, **self.cleaned_data))


@admin.register(SyncJob)
class SyncJobAdmin(ActingAdmin, ReadOnlyAdmin):
    change_form_template = "backoffice/job_change_form.html"
    list_display = [
        "task_id",
        "show_state",
        "show_progress",
        "show_counts",
        "show_rate",
        "show_duration",
        "show_scope",
        "trigger",
        "created_at",
    ]
    list_filter = ["state", "type", "trigger", JobSourceFilter]
    list_select_related = ["source"]
    search_fields = ["=task_id"]
    ordering = ["-created_at", "-id"]
    sortable_by = ["created_at"]
    fields = [
        ("source", "type"),
        ("trigger", "requested_by"),
        ("priority", "category_id"),
        ("batch_size", "max_workers"),
        ("since", "watermark"),
        ("created_at", "started_at"),
        ("heartbeat_at", "finished_at"),
        "sku_list",
    ]

    def deeds(self) -> list[Deed]:
        return [
            Deed("stop", _("Stop"), "stop_circle", _stop, _is_running, "danger"),
            Deed("resume", _("Resume"), "resume", _resume, _is_resumable, "primary"),
        ]

    def get_queryset(self, request: HttpRequest) -> "QuerySet[SyncJob]":
        jobs: QuerySet[SyncJob] = super().get_queryset(request).select_related("source")
        return jobs

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Adding a job means starting a sync."""
        return self.may_change(request)

    def add_view(
        self,
        request: HttpRequest,
        form_url: str = "",  # noqa: ARG002 (the framework's signature)
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """The page that starts a sync."""
        if not self.has_add_permission(request):
            return self._refuse(request)
        form = StartForm(request.POST if request.method == "POST" else None)
        if form.is_valid():
            try:
                job = form.start(request.user.get_username())
            except ApplicationError as refusal:
                form.add_error(None, refusal_text(refusal))
            else:
                messages.success(request, gettext("%(task_id)s started.") % {"task_id": job.task_id})
                return HttpResponseRedirect(reverse(self.page("change"), args=[job.pk]))
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": _("Start a sync"),
            "form": form,
            **(extra_context or {}),
        }
        return TemplateResponse(request, "backoffice/start_sync.html", context)

    def _refuse(self, request: HttpRequest) -> HttpResponse:
        messages.error(request, gettext("Starting a sync needs the operator role."))
        return HttpResponseRedirect(reverse(self.page("changelist")))

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        job = self.get_object(request, object_id)
        context = {"job": job_page(job) if job else None, **(extra_context or {})}
        return super().change_view(request, object_id, form_url, context)

    @admin.display(description=_("status"))
    def show_state(self, job: SyncJob) -> SafeString:
        return badge(job.get_state_display(), STATE_TONES[job.state])

    @admin.display(description=_("progress"))
    def show_progress(self, job: SyncJob) -> SafeString:
        return bar(selectors.job_view(job)["progress"]["percent"])

    @admin.display(description=_("new / changed / same / rejected"))
    def show_counts(self, job: SyncJob) -> str:
        return f"{job.created} / {job.updated} / {job.unchanged} / {job.rejected}"

    @admin.display(description=_("per second"))
    def show_rate(self, job: SyncJob) -> str:
        return f"{selectors.job_view(job)['progress']['rate_per_second']:.1f}"

    @admin.display(description=_("source"))
    def show_scope(self, job: SyncJob) -> str:
        return f"{job.source.name} · {job.get_type_display()}"

    @admin.display(description=_("duration"))
    def show_duration(self, job: SyncJob) -> str:
        return duration_text(job) or self.empty_value_display


def _is_running(job: SyncJob) -> bool:
    return job.state == SyncJob.State.RUNNING


def _is_resumable(job: SyncJob) -> bool:
    return job.state in SyncJob.RESUMABLE_STATES


def _stop(_request: HttpRequest, job: SyncJob) -> str:
    stop_sync(job.task_id)
    return gettext("%(task_id)s is stopping.") % {"task_id": job.task_id}


def _resume(_request: HttpRequest, job: SyncJob) -> str:
    resume_sync(job.task_id)
    return gettext("%(task_id)s goes on.") % {"task_id": job.task_id}
