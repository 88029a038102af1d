"""The audit log: who changed what, from which value to which, written in the transaction of the change."""

from typing import Any

from system.actor import current_actor
from system.models import AuditLog
from system.request_id import current_request_id


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
    actor = current_actor()
    AuditLog.objects.create(
        via=actor.via,
        user_id=actor.user_id,
        actor=actor.name,
        ip=actor.ip,
        key_id=actor.key_id,
        request_id=current_request_id(),
        action=action,
        target_type=target_type,
        target_id=str(target_id),
        before=before,
        after=after,
    )
