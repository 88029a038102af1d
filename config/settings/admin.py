"""The back office: its address, its theme and its sidebar."""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest
from django.templatetags.static import static
from django.urls import reverse_lazy
from django.utils.translation import gettext_lazy as _

from config.env import text

ADMIN_URL = text("ADMIN_URL", "admin/")


def _may(permission: str) -> Callable[[HttpRequest], bool]:
    return lambda request: request.user.has_perm(permission)


def _entry(title: Any, icon: str, application: str, model: str, *, to: str = "view") -> dict[str, Any]:
    return {
        "title": title,
        "icon": icon,
        "link": reverse_lazy(f"admin:{application}_{model}_changelist"),
        "permission": _may(f"{application}.{to}_{model}"),
    }


UNFOLD = {
    "SITE_TITLE": "1688sync",
    "SITE_HEADER": "1688sync",
    "SITE_SUBHEADER": _("Back office"),
    "SITE_SYMBOL": "sync_alt",
    "SITE_URL": None,
    "SHOW_HISTORY": True,
    "SHOW_VIEW_ON_SITE": False,
    "SHOW_BACK_BUTTON": True,
    "SHOW_LANGUAGES": True,
    "LANGUAGES": {"action": reverse_lazy("admin:set_language")},
    "DASHBOARD_CALLBACK": "system.dashboard.show_dashboard",
    "STYLES": [lambda _request: static("backoffice/backoffice.css")],
    "BORDER_RADIUS": "6px",
    "COLORS": {
        "primary": {
            "50": "oklch(98% .016 73.684)",
            "100": "oklch(95.4% .038 75.164)",
            "200": "oklch(90.1% .076 70.697)",
            "300": "oklch(83.7% .128 66.29)",
            "400": "oklch(75% .183 55.934)",
            "500": "oklch(70.5% .213 47.604)",
            "600": "oklch(60.6% .212 41.116)",
            "700": "oklch(53.3% .195 38.402)",
            "800": "oklch(47% .157 37.304)",
            "900": "oklch(40.8% .123 38.172)",
            "950": "oklch(26.6% .079 36.259)",
        },
    },
    "SIDEBAR": {
        "show_search": False,
        "show_all_applications": False,
        "navigation": [
            {"items": [{"title": _("Dashboard"), "icon": "dashboard", "link": reverse_lazy("admin:index")}]},
            {
                "title": _("Catalogue"),
                "items": [
                    _entry(_("Products"), "inventory_2", "products", "product"),
                    _entry(_("Categories"), "account_tree", "products", "category"),
                    _entry(_("Shops"), "storefront", "products", "shop"),
                ],
            },
            {
                "title": _("Synchronization"),
                "items": [
                    _entry(_("Sync jobs"), "sync", "syncjobs", "syncjob"),
                    _entry(_("Sources"), "hub", "syncjobs", "source"),
                    _entry(_("Rejected records"), "report", "syncjobs", "rejectedrecord"),
                    _entry(_("Logs"), "list_alt", "syncjobs", "synclog"),
                    _entry(_("Batches"), "dataset", "syncjobs", "syncbatch"),
                    _entry(_("Watermarks"), "flag", "syncjobs", "watermark"),
                    _entry(_("Scheduled runs"), "event_available", "syncjobs", "scheduledrun"),
                    _entry(_("Change messages"), "mail", "syncjobs", "changemessage"),
                    _entry(_("Webhooks"), "webhook", "syncjobs", "webhook"),
                    _entry(_("Deliveries"), "outbox", "syncjobs", "webhookdelivery"),
                ],
            },
            {
                "title": _("Accounts"),
                "items": [
                    _entry(_("Users"), "person", "accounts", "user"),
                    _entry(_("Roles"), "group", "auth", "group"),
                    _entry(_("API keys"), "key", "accounts", "apikey"),
                ],
            },
            {
                "title": _("System"),
                "items": [
                    _entry(_("Tasks"), "task", "system", "task"),
                    _entry(_("Workers"), "memory", "system", "workerpulse"),
                    _entry(_("Schedules"), "schedule", "django_celery_beat", "periodictask"),
                    _entry(_("Settings"), "tune", "system", "setting", to="change"),
                    _entry(_("System log"), "warning", "system", "systemlog", to="change"),
                    _entry(_("Audit log"), "history", "system", "auditlog", to="change"),
                ],
            },
        ],
    },
}
