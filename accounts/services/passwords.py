"""Passwords: their rules, and what a new one ends."""

from typing import Any

from django.conf import settings
from django.contrib.auth.hashers import check_password
from django.contrib.auth.password_validation import MinimumLengthValidator, validate_password
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from accounts.authentication import forget_user
from accounts.models import User
from accounts.services.sessions import open_session
from system import audit
from system.errors import ApplicationError, ErrorCode

MIN_LENGTH = 8


def change_password(user: User, password: str) -> None:
    """Set a new password and end every session of the user.

    Raises:
        ValidationError: the password breaks a rule.
    """
    check_rules(user, password)
    _replace(user, password)


def change_own_password(user_id: int, current: str, new: str) -> dict[str, Any]:
    """Change one's own password: all other sessions end, a fresh one begins; its body.

    Raises:
        ApplicationError: PASSWORD_WRONG.
        ValidationError: the new password breaks a rule; under `new_password`.
    """
    user = User.objects.get(pk=user_id)
    if not check_password(current, user.password):
        raise ApplicationError(ErrorCode.PASSWORD_WRONG)
    check_rules(user, new, field="new_password")
    with transaction.atomic():
        _replace(user, new)
        return open_session(user)


def check_rules(user: User, password: str, *, field: str = "password", length_only: bool = False) -> None:
    """Refuse a password that is too easy to find.

    Args:
        length_only: hold it to its length alone.

    Raises:
        ValidationError: under the name of `field`.
    """
    if len(password) > settings.MAX_PASSWORD_LENGTH:
        message = _("At most {length} characters.").format(length=settings.MAX_PASSWORD_LENGTH)
        raise ValidationError({field: [message]})
    validators = [MinimumLengthValidator(MIN_LENGTH)] if length_only else None
    try:
        validate_password(password, user, validators)
    except ValidationError as error:
        raise ValidationError({field: error.messages}) from None


def _replace(user: User, password: str) -> None:
    """Compare and swap: of two changes that knew the same old password, one is wrong about it."""
    old, now = user.password, timezone.now()
    user.set_password(password)
    with transaction.atomic():
        changed = User.objects.filter(pk=user.pk, password=old).update(
            password=user.password, token_version=F("token_version") + 1, updated_at=now
        )
        if not changed:
            raise ApplicationError(ErrorCode.PASSWORD_WRONG)
        audit.record("user.password", "user", user.pk)
        transaction.on_commit(lambda: forget_user(user.pk))
        user.refresh_from_db(fields=["token_version", "updated_at"])
