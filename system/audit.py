"""The audit log: who changed what, from which value to which, written in the transaction of the change."""

from collections.abc import Iterable
from typing import Any, NamedTuple

from system.actor import current_actor
from system.models import AuditLog
from system.request_id import current_request_id


class Change(NamedTuple):
    """What one line of the log says; see `record`."""

    action: str
    target_type: str
    target_id: object = ""
    before: dict[str, Any] | None = None
    after: dict[str, Any] | None = None


def record(
    action: str,
    target_type: str,
    target_id: object = "",
    *,
    before: dict[str, Any] | None = None,
    after: dict[str, Any] | None = None,
) -> None:
    """Write one line inside the caller's transaction, so that it exists exactly if the change does.

    Args:
        action: a dotted verb such as "product.update" or "api_key.revoke".
        target_type: what was changed, such as "product".
        target_id: its id or name.
        before: the values that changed, as they were; never secrets.
        after: the same as they are now.
    """
    _line(Change(action, target_type, target_id, before, after)).save(force_insert=True)


def record_all(changes: Iterable[Change]) -> None:
    """Write many lines in one statement; see `record`."""
    AuditLog.objects.bulk_create([_line(change) for change in changes])


def _line(change: Change) -> AuditLog:
    actor = current_actor()
    return AuditLog(
        via=actor.via,
        user_id=actor.user_id,
        actor=actor.name,
        ip=actor.ip,
        key_id=actor.key_id,
        request_id=current_request_id(),
        action=change.action,
        target_type=change.target_type,
        target_id=str(change.target_id),
        before=change.before,
        after=change.after,
    )
