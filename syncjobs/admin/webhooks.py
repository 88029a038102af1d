"""Pages of what runs by itself: webhooks and their deliveries, change messages, slots of schedules."""

from typing import Any

import msgspec
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from syncjobs.models import ChangeMessage, ScheduledRun, Webhook, WebhookDelivery
from syncjobs.selectors.webhooks import webhook_view
from syncjobs.services.deliveries import redeliver
from syncjobs.services.webhooks import Owner
from system.backoffice.base import ActingAdmin, Deed, ReadOnlyAdmin
from system.backoffice.html import Tone, badge, json_block

DELIVERY_TONES: dict[str, Tone] = {
    WebhookDelivery.State.PENDING: "info",
    WebhookDelivery.State.SUCCEEDED: "success",
    WebhookDelivery.State.DEAD: "danger",
}


def _sees_all(request: HttpRequest) -> bool:
    """As over the API: one's own, but for administrators, who alone may delete rows of others."""
    return request.user.has_perm("syncjobs.delete_webhook")


@admin.register(Webhook)
class WebhookAdmin(ReadOnlyAdmin):
    list_display = ["url", "owner", "is_enabled", "disabled_reason", "failures", "created_at"]
    list_select_related = ["owner"]
    list_filter = ["is_enabled"]
    ordering = ["-id"]
    fields = [
        "url",
        "owner",
        "description",
        "events",
        "sources",
        "changed_fields",
        "is_enabled",
        "disabled_reason",
        "disabled_at",
        "failures",
        "show_lag",
        "created_at",
    ]
    readonly_fields = ["show_lag"]

    def get_queryset(self, request: HttpRequest) -> "QuerySet[Any]":
        rows = super().get_queryset(request).select_related("owner")
        return rows if _sees_all(request) else rows.filter(owner_id=request.user.pk)

    @admin.display(description=_("changes behind"))
    def show_lag(self, webhook: Webhook) -> str:
        lag = webhook_view(webhook)["lag"]
        return str(lag["changes"]) if lag else "-"


@admin.register(WebhookDelivery)
class WebhookDeliveryAdmin(ActingAdmin, ReadOnlyAdmin):
    list_display = ["event", "webhook", "show_state", "tries", "response_status", "next_attempt_at", "created_at"]
    list_select_related = ["webhook"]
    list_filter = ["state", "event"]
    ordering = ["-id"]
    sortable_by = ["id"]
    fields = ["event", "event_id", "webhook", "show_state", "tries", "next_attempt_at", "show_attempts", "show_payload"]
    readonly_fields = ["show_state", "show_attempts", "show_payload"]

    def deeds(self) -> list[Deed]:
        return [Deed("redeliver", _("Deliver again"), "replay", self._redeliver)]

    def get_queryset(self, request: HttpRequest) -> "QuerySet[Any]":
        rows = super().get_queryset(request).select_related("webhook")
        return rows if _sees_all(request) else rows.filter(webhook__owner_id=request.user.pk)

    def _redeliver(self, request: HttpRequest, delivery: WebhookDelivery) -> str:
        owner = Owner(request.user.pk or 0, sees_all=_sees_all(request))
        redeliver(owner, delivery.webhook_id, delivery.pk)
        return gettext("%(event)s is sent again.") % {"event": delivery}

    @admin.display(description=_("status"))
    def show_state(self, delivery: WebhookDelivery) -> SafeString:
        return badge(delivery.get_state_display(), DELIVERY_TONES[WebhookDelivery.State(delivery.state)])

    @admin.display(description=_("attempts"))
    def show_attempts(self, delivery: WebhookDelivery) -> SafeString:
        return json_block(delivery.attempts)

    @admin.display(description=_("body"))
    def show_payload(self, delivery: WebhookDelivery) -> SafeString:
        return json_block(msgspec.json.decode(delivery.body))


@admin.register(ChangeMessage)
class ChangeMessageAdmin(ReadOnlyAdmin):
    list_display = ["msg_id", "type", "source", "channel", "task_id", "created_at", "handled_at"]
    list_select_related = ["source"]
    ordering = ["-id"]
    sortable_by = ["id"]
    fields = ["msg_id", "type", "source", "channel", "offer_ids", "stock", "task_id", "born_at", "created_at"]
    fields += ["applied_at", "handled_at"]


@admin.register(ScheduledRun)
class ScheduledRunAdmin(ReadOnlyAdmin):
    list_display = ["slot", "schedule_id", "state", "task_id", "created_at"]
    list_filter = ["state"]
    ordering = ["-id"]
    sortable_by = ["id"]
    fields = ["slot", "schedule_id", "state", "task_id", "reason", "created_at"]
