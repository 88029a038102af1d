"""Pages of the two logbooks, for administrators: to search and to read, nothing else."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from system.backoffice.base import ReadOnlyAdmin
from system.backoffice.filters import TextFilter
from system.backoffice.html import Tone, badge, json_block, preformatted
from system.models import AuditLog, SystemLog

LEVEL_TONES: dict[str, Tone] = {"WARNING": "warning", "ERROR": "danger", "CRITICAL": "danger"}
SHOWN_IN_LIST = 200


class ActorFilter(TextFilter):
    """What one user did."""

    title = _("who")
    parameter_name = "actor"
    placeholder = _("user name")

    def queryset(self, request: HttpRequest, queryset: "QuerySet[Any]") -> "QuerySet[Any]":  # noqa: ARG002
        return queryset.filter(actor=self.text) if self.text else queryset


class ActionFilter(TextFilter):
    """One kind of change."""

    title = _("action")
    parameter_name = "action"
    placeholder = "product.update"

    def queryset(self, request: HttpRequest, queryset: "QuerySet[Any]") -> "QuerySet[Any]":  # noqa: ARG002
        return queryset.filter(action=self.text) if self.text else queryset


class LevelFilter(admin.SimpleListFilter):
    """Lines of one level."""

    title = _("level")
    parameter_name = "level"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:  # noqa: ARG002
        return [(level, level) for level in LEVEL_TONES]

    def queryset(self, request: HttpRequest, queryset: "QuerySet[Any]") -> "QuerySet[Any]":  # noqa: ARG002
        value = self.value()
        return queryset.filter(level=value) if value in LEVEL_TONES else queryset


class LoggerFilter(TextFilter):
    """Lines of one logger."""

    title = _("logger")
    parameter_name = "logger"
    placeholder = "system.queue"

    def queryset(self, request: HttpRequest, queryset: "QuerySet[Any]") -> "QuerySet[Any]":  # noqa: ARG002
        return queryset.filter(logger=self.text) if self.text else queryset


class LogbookAdmin(ReadOnlyAdmin):
    """Addresses, names and messages are for those who manage the system."""

    ordering = ["-id"]
    sortable_by = ()

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002
        """Looking is managing here; other roles may see the system's tables, but not these."""
        return self.may_change(request)


@admin.register(AuditLog)
class AuditLogAdmin(LogbookAdmin):
    list_display = ["at", "actor", "via", "action", "target_type", "target_id", "ip"]
    list_filter = ["via", ActorFilter, ActionFilter]
    search_fields = ["=target_id", "=request_id"]
    fields = [
        ("at", "via"),
        ("actor", "user_id"),
        ("key_id", "ip"),
        ("action", "request_id"),
        ("target_type", "target_id"),
        "show_before",
        "show_after",
    ]
    readonly_fields = ["show_before", "show_after"]

    @admin.display(description=_("before"))
    def show_before(self, line: AuditLog) -> SafeString | str:
        return self.empty_value_display if line.before is None else json_block(line.before)

    @admin.display(description=_("after"))
    def show_after(self, line: AuditLog) -> SafeString | str:
        return self.empty_value_display if line.after is None else json_block(line.after)


@admin.register(SystemLog)
class SystemLogAdmin(LogbookAdmin):
    list_display = ["at", "show_level", "logger", "show_start", "process"]
    list_filter = [LevelFilter, LoggerFilter]
    search_fields = ["message", "=request_id"]
    fields = [("at", "show_level"), ("logger", "process"), "request_id", "show_message", "show_context"]
    readonly_fields = ["show_level", "show_message", "show_context"]

    @admin.display(description=_("level"))
    def show_level(self, line: SystemLog) -> SafeString:
        return badge(line.level, LEVEL_TONES.get(line.level, "neutral"))

    @admin.display(description=_("message"))
    def show_start(self, line: SystemLog) -> str:
        return line.message[:SHOWN_IN_LIST]

    @admin.display(description=_("message"))
    def show_message(self, line: SystemLog) -> SafeString:
        return preformatted(line.message)

    @admin.display(description=_("context"))
    def show_context(self, line: SystemLog) -> SafeString:
        return json_block(line.context)
