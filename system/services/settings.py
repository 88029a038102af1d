"""Changing runtime settings: everything is checked before anything is written."""

from collections.abc import Collection, Mapping
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from system import audit, runtime, sql
from system.actor import current_actor
from system.errors import ApplicationError, ErrorCode
from system.models import AuditLog, Setting
from system.preconditions import check_version

LOCK = 0x1688_5E77
TARGET = "setting"


def change_settings(changes: Mapping[str, Any], expected: Collection[int] | None = None) -> None:
    """Give settings new values; None takes one back to its default. What is not named stays.

    Args:
        expected: versions of the settings the caller may have decided on; None when any is fine.

    Raises:
        ApplicationError: 400 naming each key that is unknown or whose value does not fit; 412 changed meanwhile.
    """
    _check(changes)
    with transaction.atomic():
        sql.fetch_one("SELECT pg_advisory_xact_lock(%s::bigint)", [LOCK])
        check_version(settings_version(), expected)
        stored = dict(Setting.objects.values_list("key", "value"))
        for key, value in sorted(changes.items()):
            _change(str(key), stored.get(key), value)
        transaction.on_commit(runtime.forget)


def settings_version() -> int:
    """Rises with every change: the number of the last audit line about settings."""
    last = AuditLog.objects.filter(target_type=TARGET).order_by("-id").values_list("id", flat=True).first()
    return last or 0


def _check(changes: Mapping[str, Any]) -> None:
    known = runtime.definitions()
    refused: dict[str, list[Any]] = {}
    for key, value in changes.items():
        reason = _("Unknown setting.") if key not in known else None if value is None else known[key].refusal(value)
        if reason:
            refused[key] = [reason]
    if refused:
        raise ApplicationError(ErrorCode.INVALID_PARAMETER, details=refused)


def _change(key: str, stored: Any, value: Any) -> None:
    default = runtime.definitions()[key].default
    before, after = (default if stored is None else stored), (default if value is None else value)
    if stored == value:
        return
    if value is None:
        Setting.objects.filter(key=key).delete()
    else:
        fields = {"value": value, "updated_by": current_actor().name, "updated_at": timezone.now()}
        Setting.objects.update_or_create(key=key, defaults=fields)
    audit.record("setting.update", TARGET, key, before={"value": before}, after={"value": after})
