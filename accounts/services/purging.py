"""Removing a deleted account for good, with everything that is its own."""

from collections.abc import Callable

from django.db import transaction
from rest_framework_simplejwt.token_blacklist.models import OutstandingToken

from accounts.models import ApiKey, User
from accounts.services.ranks import refuse_superior
from system import audit
from system.errors import ApplicationError, ErrorCode

_purgers: list[Callable[[int], None]] = []


def register_user_purger(purge: Callable[[int], None]) -> None:
    """Let an application above delete what it keeps of a user, from its `AppConfig.ready`.

    Args:
        purge: gets the user's id, inside the transaction that removes the user.
    """
    _purgers.append(purge)


def purge_user(user_id: int) -> None:
    """Remove a deleted user with keys, tokens and whatever applications keep of them. The audit log stays.

    Raises:
        ApplicationError: NOT_FOUND; USER_NOT_DELETED; FORBIDDEN (a superuser's account is for superusers).
    """
    with transaction.atomic():
        user = User.objects.select_for_update().filter(pk=user_id).first()
        if user is None:
            raise ApplicationError(ErrorCode.NOT_FOUND)
        if user.deleted_at is None:
            raise ApplicationError(ErrorCode.USER_NOT_DELETED)
        refuse_superior(user)
        ApiKey.objects.filter(user_id=user_id).delete()
        OutstandingToken.objects.filter(user_id=user_id).delete()
        for purge in _purgers:
            purge(user_id)
        user.delete()
        audit.record("user.purge", "user", user_id, before={"username": user.username})
