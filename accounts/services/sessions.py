"""Sign-in, renewal, sign-out."""

from typing import Any

from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.db import transaction
from django.db.models import F
from django.utils import timezone
from rest_framework_simplejwt.token_blacklist.models import BlacklistedToken, OutstandingToken

from accounts import selectors, tokens
from accounts.authentication import forget_user
from accounts.models import User
from accounts.services.ranks import refuse_superior
from system import audit
from system.errors import ApplicationError, ErrorCode


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
    with transaction.atomic():
        audit.record("session.open", "user", user.pk)
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
    with transaction.atomic():
        _locked(user_id)
        if _end_family(claims):
            audit.record("session.end", "user", user_id)


def end_sessions(user_id: int) -> None:
    """Make every token of a user worthless.

    Raises:
        ApplicationError: NOT_FOUND; FORBIDDEN (a superuser's account is for superusers).
    """
    with transaction.atomic():
        user = _locked(user_id)
        if user is None:
            raise ApplicationError(ErrorCode.NOT_FOUND)
        refuse_superior(user)
        User.objects.filter(pk=user_id).update(token_version=F("token_version") + 1, updated_at=timezone.now())
        audit.record("session.end_all", "user", user_id)
        transaction.on_commit(lambda: forget_user(user_id))


def _locked(user_id: int) -> User | None:
    """The user; renewals and sign-outs come one after the other, so that what ends a family sees all of its tokens."""
    return User.objects.select_for_update(no_key=True).filter(pk=user_id).first()


def _rotate(raw: str, claims: tokens.Claims) -> dict[str, Any] | None:
    user = _locked(claims.user_id)
    if user is None or not user.is_active or user.token_version != claims.tv:
        return None
    known = OutstandingToken.objects.filter(jti=claims.jti, token=tokens.digest(raw), user_id=user.pk).first()
    if known is None:
        return None
    _row, created = BlacklistedToken.objects.get_or_create(token=known)
    if not created:
        if _end_family(claims):
            audit.record("session.reuse", "user", user.pk)
        return None
    return _session(user, claims.family)


def _end_family(claims: tokens.Claims) -> int:
    ended = tokens.end_family(claims.user_id, claims.family)
    transaction.on_commit(lambda: forget_user(claims.user_id))
    return ended


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
