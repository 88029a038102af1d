"""Whose accounts an administrator leaves alone."""

from accounts.models import User
from system.actor import current_actor
from system.errors import ApplicationError, ErrorCode


def refuse_superior(user: User) -> None:
    """What a superuser is, administrators leave alone.

    Raises:
        ApplicationError: FORBIDDEN, unless a superuser or a command acts.
    """
    actor = current_actor()
    if not user.is_superuser or actor.user_id is None:
        return
    if not User.objects.filter(pk=actor.user_id, is_superuser=True).exists():
        raise ApplicationError(ErrorCode.FORBIDDEN)
