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
        stored = dict.fromkeys(map(str, changes)) | dict(Setting.objects.values_list("key", "value"))
        _write({str(key): value for key, value in sorted(changes.items()) if value != stored[key]}, stored)
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


def _write(changes: Mapping[str, Any], stored: Mapping[str, Any]) -> None:
    by, at = current_actor().name, timezone.now()
    kept = {key: value for key, value in changes.items() if value is not None}
    rows = [Setting(key=key, value=value, updated_by=by, updated_at=at) for key, value in kept.items()]
    Setting.objects.filter(key__in=changes.keys()).delete()
    Setting.objects.bulk_create(rows)
    known = runtime.definitions()
    for key, value in changes.items():
        before, after = (known[key].default if found is None else found for found in (stored[key], value))
        audit.record("setting.update", TARGET, key, before={"value": before}, after={"value": after})
