"""The page of runtime settings: one form of all of them, saved by the same service as the API's."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from system import runtime
from system.backoffice.base import ReadOnlyAdmin, refusal_text
from system.errors import ApplicationError
from system.models import Setting
from system.services.settings import change_settings, settings_version

LONGEST_TEXT = 200


class SettingsForm(forms.Form):
    """A field a setting; an empty one takes the setting back to its default."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for key, definition in runtime.definitions().items():
            self.fields[key] = _field(definition)

    def changes(self) -> dict[str, Any]:
        """The settings whose field was changed, None for an empty one."""
        return {key: None if value in (None, "") else value for key, value in self.cleaned_data.items()}


def _field(definition: runtime.Definition) -> forms.Field:
    help_text = _("{key}; empty for the default, {default}").format(key=definition.key, default=definition.default)
    stated: dict[str, Any] = {"label": definition.description, "help_text": help_text, "required": False}
    if definition.choices:
        choices = [("", "–"), *((name, name) for name in definition.choices)]
        return forms.ChoiceField(choices=choices, widget=UnfoldAdminSelectWidget, **stated)
    if definition.kind == "string":
        return forms.CharField(max_length=LONGEST_TEXT, widget=UnfoldAdminTextInputWidget, **stated)
    stated |= {"min_value": definition.minimum, "max_value": definition.maximum}
    return forms.IntegerField(widget=UnfoldAdminTextInputWidget, **stated)


@admin.register(Setting)
class SettingAdmin(ReadOnlyAdmin):
    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002
        """For those who may change them only."""
        return self.may_change(request)

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """The form takes the place of the list."""
        if not self.has_view_permission(request):
            return super().changelist_view(request, extra_context)
        stored = dict(Setting.objects.values_list("key", "value"))
        form = SettingsForm(request.POST or None, initial=stored)
        if request.method == "POST" and form.is_valid() and self._save(request, form):
            return HttpResponseRedirect(request.path)
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": _("Settings"),
            "form": form,
            "version": request.POST.get("version") or settings_version(),
            **(extra_context or {}),
        }
        return TemplateResponse(request, "backoffice/settings.html", context)

    def _save(self, request: HttpRequest, form: SettingsForm) -> bool:
        version = request.POST.get("version", "")
        try:
            change_settings(form.changes(), {int(version)} if version.isdecimal() else ())
        except ApplicationError as refusal:
            messages.error(request, refusal_text(refusal))
            return False
        messages.success(request, gettext("Saved; all processes follow within five seconds."))
        return True
