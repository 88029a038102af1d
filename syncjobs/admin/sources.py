"""Pages of the sources: configuration, credentials that only go in, check and start."""

from datetime import datetime
from typing import TYPE_CHECKING, Any

import msgspec
from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.http import HttpRequest
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminPasswordWidget, UnfoldBooleanSwitchWidget

from syncjobs.connectors.registry import Credentials
from syncjobs.models import Source, SyncJob
from syncjobs.services import sources
from syncjobs.services.jobs import StartSync, start_sync
from syncjobs.services.policies import wrong_policies
from syncjobs.services.source_checks import diagnosed
from system.backoffice.base import ActingAdmin, Deed
from system.backoffice.html import badge

if TYPE_CHECKING:
    _ModelForm = forms.ModelForm[Source]
else:
    _ModelForm = forms.ModelForm

SECRETS = ("app_secret", "access_token", "refresh_token")
CREDENTIALS = ("app_key", *SECRETS, "access_expires_at", "refresh_expires_at")


def _secret_field(label: Any) -> forms.CharField:
    """A field that is written and never shown again."""
    widget = UnfoldAdminPasswordWidget(attrs={"autocomplete": "new-password"}, render_value=False)
    return forms.CharField(
        label=label, required=False, max_length=2000, widget=widget, help_text=_("Leave empty to keep what is stored.")
    )


LIMITS = (
    "calls_per_second",
    "daily_call_limit",
    "hold_at_percent",
    "delist_limit_percent",
    "delist_after_walks",
    "field_policies",
)


class SourceForm(_ModelForm):
    """A source without its secrets, and three fields to replace them."""

    app_secret = _secret_field(_("app secret"))
    access_token = _secret_field(_("access token"))
    refresh_token = _secret_field(_("refresh token"))
    make_default = forms.BooleanField(
        label=_("default source"),
        required=False,
        widget=UnfoldBooleanSwitchWidget,
        help_text=_("Taken when a sync is started without naming a source."),
    )

    class Meta:
        model = Source
        fields = [
            "name",
            "kind",
            "is_enabled",
            "app_key",
            "options",
            "access_expires_at",
            "refresh_expires_at",
            *LIMITS,
        ]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk and "make_default" in self.fields:
            self.fields["make_default"].initial = self.instance.is_default

    def clean_options(self) -> dict[str, Any]:
        """Options are an object; their keys are the connector's."""
        options = self.cleaned_data["options"]
        if options in (None, ""):
            return {}
        if not isinstance(options, dict):
            raise forms.ValidationError(gettext("Options must be a JSON object."))
        return options

    def clean_field_policies(self) -> dict[str, str]:
        """Known fields and policies only."""
        said = self.cleaned_data["field_policies"] or {}
        if wrong := wrong_policies(said):
            raise forms.ValidationError(wrong)
        return said

    def clean_calls_per_second(self) -> float:
        """A rate the bucket can work with."""
        rate: float = self.cleaned_data["calls_per_second"]
        if not 0 < rate <= 1000:
            raise forms.ValidationError(gettext("Between 0 and 1000."))
        return rate

    def credentials(self, stored: Credentials) -> Credentials:
        """What is stored, overlaid with the fields filled in; an old token's end says nothing of a new one."""
        given = {name: self.cleaned_data[name] for name in SECRETS if self.cleaned_data.get(name)}
        given["app_key"] = self.cleaned_data["app_key"]
        for token, end in (("access_token", "access_expires_at"), ("refresh_token", "refresh_expires_at")):
            is_stale = token in given and end not in self.changed_data
            given[end] = None if is_stale else self.cleaned_data[end]
        return msgspec.structs.replace(stored, **given)


@admin.register(Source)
class SourceAdmin(ActingAdmin):
    form = SourceForm
    list_display = ["name", "kind", "show_default", "is_enabled", "show_credentials", "show_token", "updated_at"]
    list_filter = ["kind", "is_enabled"]
    search_fields = ["name"]
    ordering = ["name"]
    readonly_fields = ["show_credentials", "show_token", "show_refresh"]
    fieldsets = [
        (None, {"fields": ["name", "kind", "make_default", "is_enabled"]}),
        (
            _("Credentials"),
            {
                "description": _("Secrets are stored encrypted and never shown again."),
                "fields": [
                    "show_credentials",
                    "app_key",
                    "app_secret",
                    "access_token",
                    "access_expires_at",
                    "show_token",
                    "refresh_token",
                    "refresh_expires_at",
                    "show_refresh",
                ],
            },
        ),
        (_("Configuration of the connector"), {"fields": ["options"]}),
        (
            _("Limits"),
            {"fields": LIMITS},
        ),
    ]

    def deeds(self) -> list[Deed]:
        return [
            Deed("check", _("Check"), "network_check", self._check),
            Deed("start-full", _("Start full sync"), "sync", self._start_full, _enabled, "primary"),
            Deed("start-incremental", _("Start incremental sync"), "update", self._start_incremental, _enabled),
        ]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self.may_change(request)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002
        """Products and jobs carry a source's name; it is switched off, never deleted."""
        return False

    def get_readonly_fields(self, request: HttpRequest, obj: Source | None = None) -> list[str]:
        """Name and kind are for life, products carry the name."""
        fixed = ["name", "kind"] if obj else []
        hidden = [] if self.may_change(request) else [*SECRETS, "make_default"]
        return [*self.readonly_fields, *fixed, *hidden]

    def get_fieldsets(self, request: HttpRequest, obj: Source | None = None) -> Any:
        """Who may only look sees no fields to write secrets into."""
        if self.may_change(request):
            return super().get_fieldsets(request, obj)
        hidden = {*SECRETS, "make_default"}
        return [
            (title, {**options, "fields": [name for name in options["fields"] if name not in hidden]})
            for title, options in self.fieldsets
        ]

    def save_model(self, request: HttpRequest, obj: Source, form: Any, change: bool) -> None:  # noqa: ARG002
        chosen = {name: getattr(obj, name) for name in sources.SourceSettings.__struct_fields__}
        make_default = form.cleaned_data["make_default"]
        if change:
            touched = set(form.changed_data) & set(CREDENTIALS)
            credentials = form.credentials if touched else None
            wanted = sources.SourceSettings(**chosen)
            sources.update_source(obj.name, wanted, make_default=make_default, credentials=credentials)
        else:
            credentials = form.credentials(Credentials())
            new = sources.NewSource(
                name=obj.name, kind=obj.kind, credentials=credentials, is_default=make_default or None, **chosen
            )
            obj.pk = sources.add_source(new).pk

    def _check(self, request: HttpRequest, source: Source) -> str | None:
        report = diagnosed(source, patience=settings.SYNC_VALIDATE_SECONDS)
        for line in report.checks:
            told = " – ".join(filter(None, [f"{source}: {line.name}", line.code, line.message, line.action]))
            messages.add_message(request, messages.SUCCESS if line.ok else messages.ERROR, told)
        if not report.ok:
            messages.error(request, f"{source}: {report.summary}")
            return None
        return gettext("%(source)s can be used (%(latency).0f ms).") % {
            "source": source,
            "latency": report.latency_ms or 0,
        }

    def _start_full(self, request: HttpRequest, source: Source) -> str:
        return self._start(request, source, SyncJob.Type.FULL)

    def _start_incremental(self, request: HttpRequest, source: Source) -> str:
        return self._start(request, source, SyncJob.Type.INCREMENTAL)

    def _start(self, request: HttpRequest, source: Source, kind: str) -> str:
        order = StartSync(
            type=kind,
            source=source.name,
            trigger=SyncJob.Trigger.ADMIN,
            requested_by=request.user.get_username(),
        )
        return gettext("%(task_id)s started.") % {"task_id": start_sync(order).task_id}

    @admin.display(description=_("default source"), boolean=True)
    def show_default(self, source: Source) -> bool:
        return source.is_default

    @admin.display(description=_("secrets"))
    def show_credentials(self, source: Source) -> SafeString:
        return badge(_("stored"), "success") if source.secrets else badge(_("missing"), "neutral")

    @admin.display(description=_("access token lasts"))
    def show_token(self, source: Source) -> SafeString | str:
        return _time_left(source.access_expires_at)

    @admin.display(description=_("refresh token lasts"))
    def show_refresh(self, source: Source) -> SafeString | str:
        return _time_left(source.refresh_expires_at)


def _enabled(source: Source) -> bool:
    return source.is_enabled


def _time_left(end: datetime | None) -> SafeString:
    if end is None:
        return format_html("{}", _("unknown"))
    left = end - timezone.now()
    if left.total_seconds() <= 0:
        return badge(_("expired"), "danger")
    if left.days < 1:
        hours = int(left.total_seconds() // 3600)
        return badge(ngettext("%(count)d hour left", "%(count)d hours left", hours) % {"count": hours}, "warning")
    days = left.days
    return badge(
        ngettext("%(count)d day left", "%(count)d days left", days) % {"count": days},
        "success" if days > 7 else "warning",
    )
