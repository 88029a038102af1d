"""Writes about users: accounts, sign-in, renewal, sign-out."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.contrib.auth.models import Group
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from rest_framework_simplejwt.token_blacklist.models import BlacklistedToken, OutstandingToken

from accounts import selectors, tokens
from accounts.authentication import forget_user
from accounts.models import User
from accounts.roles import ROLES
from system import audit
from system.errors import ApplicationError, ErrorCode


def create_user(
    username: str,
    email: str,
    password: str,
    *,
    role: str = "",
    tier: str = User.Tier.FREE,
    is_superuser: bool = False,
) -> User:
    """Make a user; one with a role may enter the back office.

    Args:
        role: viewer, operator or admin; "" for somebody who reads the catalogue only.

    Raises:
        ValidationError: a field or the password breaks a rule; by field.
        ApplicationError: USER_TAKEN, or an unknown role.
    """
    if role and role not in ROLES:
        raise ApplicationError(ErrorCode.INVALID_PARAMETER, details={"role": [role]})
    user = User(username=username, email=email.lower(), tier=tier, is_superuser=is_superuser)
    user.is_staff = bool(role) or is_superuser
    _set_password(user, password)
    user.full_clean(validate_unique=False)
    with _unique(), transaction.atomic():
        user.save()
        user.groups.set(Group.objects.filter(name=role))
    return user


def change_password(user: User, password: str) -> None:
    """Set a new password and end every session of the user.

    Raises:
        ValidationError: the password breaks a rule.
    """
    _set_password(user, password)
    user.save(update_fields=["password"])
    end_sessions(user.pk)


def end_sessions(user_id: int) -> None:
    """Make every token of a user worthless."""
    User.objects.filter(pk=user_id).update(token_version=F("token_version") + 1, updated_at=timezone.now())
    transaction.on_commit(lambda: forget_user(user_id))


def update_profile(user_id: int, *, email: str | None = None) -> User:
    """Change what users may change about themselves; None leaves it.

    Raises:
        ApplicationError: USER_TAKEN.
    """
    if email is not None:
        with _unique(), transaction.atomic():
            before = User.objects.select_for_update(no_key=True).get(pk=user_id).email
            User.objects.filter(pk=user_id).update(email=email.lower(), updated_at=timezone.now())
            audit.record("user.update", "user", user_id, before={"email": before}, after={"email": email.lower()})
    return User.objects.get(pk=user_id)


def login(identifier: str, password: str) -> dict[str, Any]:
    """Sign in by user name or e-mail; the session body of the API.

    Raises:
        ApplicationError: CREDENTIALS_INVALID, after the same work and in the same words whatever was wrong.
    """
    user = selectors.user_by_identifier(identifier)
    if user is None:
        make_password(password)
        raise ApplicationError(ErrorCode.CREDENTIALS_INVALID)
    if not user.check_password(password) or not user.is_active:
        raise ApplicationError(ErrorCode.CREDENTIALS_INVALID)
    return open_session(user)


def open_session(user: User) -> dict[str, Any]:
    """Begin a session for somebody who has proved who they are; the session body of the API."""
    with transaction.atomic():
        user.last_login = timezone.now()
        User.objects.filter(pk=user.pk).update(last_login=user.last_login)
        return _session(user, tokens.new_family())


def refresh(raw: str) -> dict[str, Any]:
    """Exchange a refresh token for a new session body. A token works once; using it again ends its whole family.

    Raises:
        ApplicationError: REFRESH_TOKEN_INVALID.
    """
    try:
        claims = tokens.verify(raw, "refresh")
    except tokens.InvalidToken:
        raise ApplicationError(ErrorCode.REFRESH_TOKEN_INVALID) from None
    # Ending the family must be committed although the answer is an error.
    with transaction.atomic():
        session = _rotate(raw, claims)
    if session is None:
        raise ApplicationError(ErrorCode.REFRESH_TOKEN_INVALID)
    return session


def logout(user_id: int, raw: str) -> None:
    """End the session a refresh token belongs to; doing it again changes nothing.

    Raises:
        ApplicationError: REFRESH_TOKEN_INVALID; NOT_FOUND when it is somebody else's.
    """
    try:
        claims = tokens.verify(raw, "refresh")
    except tokens.InvalidToken:
        raise ApplicationError(ErrorCode.REFRESH_TOKEN_INVALID) from None
    if claims.user_id != user_id:
        raise ApplicationError(ErrorCode.NOT_FOUND)
    _end_family(claims)


def _rotate(raw: str, claims: tokens.Claims) -> dict[str, Any] | None:
    # The lock puts the renewals of a user in a row, so that a reuse sees every token made before it.
    user = User.objects.select_for_update(no_key=True).filter(pk=claims.user_id).first()
    if user is None or not user.is_active or user.token_version != claims.tv:
        return None
    known = OutstandingToken.objects.filter(jti=claims.jti, token=tokens.digest(raw), user_id=user.pk).first()
    if known is None:
        return None
    _row, created = BlacklistedToken.objects.get_or_create(token=known)
    if not created:
        _end_family(claims)
        return None
    return _session(user, claims.family)


def _end_family(claims: tokens.Claims) -> None:
    tokens.end_family(claims.user_id, claims.family)
    transaction.on_commit(lambda: forget_user(claims.user_id))


def _session(user: User, family: str) -> dict[str, Any]:
    view = selectors.user_view(user)
    claims = {"username": user.username, "tier": user.tier, "roles": view["roles"], "tv": user.token_version}
    pair = tokens.issue(user.pk, family, claims)
    return {
        "token": pair.access,
        "token_type": "Bearer",
        "expires_in": settings.ACCESS_TOKEN_SECONDS,
        "refresh_token": pair.refresh,
        "user": view,
    }


def _set_password(user: User, password: str) -> None:
    if len(password) > settings.MAX_PASSWORD_LENGTH:
        message = _("At most {length} characters.").format(length=settings.MAX_PASSWORD_LENGTH)
        raise ValidationError({"password": [message]})
    try:
        validate_password(password, user)
    except ValidationError as error:
        raise ValidationError({"password": error.messages}) from None
    user.set_password(password)


@contextmanager
def _unique() -> Iterator[None]:
    """The unique indexes decide, not a look beforehand that another request can overtake."""
    try:
        yield
    except IntegrityError:
        raise ApplicationError(ErrorCode.USER_TAKEN) from None
