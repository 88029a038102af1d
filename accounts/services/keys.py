"""API keys: made, given a new secret, revoked."""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Any

import msgspec
from django.db import transaction
from django.utils import timezone

from accounts import keys
from accounts.authentication import forget_key
from accounts.models import ApiKey, User
from accounts.roles import effective_roles, effective_scopes, grantable_scopes
from accounts.selectors import live_keys, owned_keys, role_names
from system import audit
from system.errors import ApplicationError, ErrorCode

MAX_LIVE_KEYS = 20
MAX_DAYS = 365


class NewKey(msgspec.Struct, frozen=True, kw_only=True):
    """What a key is to be.

    Attributes:
        expires_at: None: in MAX_DAYS.
        allowed_ips: networks it may be used from; empty: from anywhere.
    """

    name: str
    scopes: tuple[str, ...] = ("read",)
    expires_at: datetime | None = None
    allowed_ips: tuple[str, ...] = ()


def create_key(user_id: int, wanted: NewKey) -> tuple[ApiKey, str]:
    """Make a key; the row, and the key itself, which nobody can read again.

    Raises:
        ApplicationError: NOT_FOUND (no such user, or closed), SCOPE_NOT_GRANTABLE, API_KEY_LIMIT.
    """
    now, made = timezone.now(), keys.new_secret()
    with transaction.atomic():
        _refuse_too_much(_owner(user_id), wanted.scopes)
        key = ApiKey.objects.create(
            user_id=user_id,
            name=wanted.name,
            prefix=made.prefix,
            hash=made.digest,
            scopes=list(wanted.scopes),
            allowed_ips=list(wanted.allowed_ips),
            expires_at=wanted.expires_at or now + timedelta(days=MAX_DAYS),
            created_at=now,
            updated_at=now,
        )
        audit.record("api_key.create", "api_key", key.pk, after=_shown(key))
        transaction.on_commit(lambda: forget_key(made.prefix))
    return key, made.key


def reset_key(user_id: int, key_id: int) -> tuple[ApiKey, str]:
    """Give a key a new secret and prefix; the old one is refused from now on, everything else stays.

    Raises:
        ApplicationError: NOT_FOUND (also somebody else's, or revoked), API_KEY_EXPIRED.
    """
    made = keys.new_secret()
    with transaction.atomic():
        key = owned_keys(user_id).select_for_update().filter(pk=key_id).first()
        if key is None:
            raise ApplicationError(ErrorCode.NOT_FOUND)
        if key.expires_at <= timezone.now():
            raise ApplicationError(ErrorCode.API_KEY_EXPIRED)
        old = key.prefix
        key.prefix, key.hash, key.version, key.updated_at = made.prefix, made.digest, key.version + 1, timezone.now()
        key.last_used_at = None
        key.save(update_fields=["prefix", "hash", "version", "updated_at", "last_used_at"])
        audit.record("api_key.reset", "api_key", key.pk, before={"prefix": old}, after={"prefix": made.prefix})
        transaction.on_commit(lambda: forget_key(old))
    return key, made.key


def revoke_key(key_id: int, *, user_id: int | None = None) -> None:
    """End a key for good.

    Args:
        user_id: its owner; None when an administrator revokes anybody's.

    Raises:
        ApplicationError: NOT_FOUND, also when it is somebody else's or revoked already.
    """
    now = timezone.now()
    with transaction.atomic():
        found = ApiKey.objects.filter(pk=key_id, revoked_at=None) if user_id is None else owned_keys(user_id)
        key = found.select_for_update().filter(pk=key_id).first()
        if key is None:
            raise ApplicationError(ErrorCode.NOT_FOUND)
        key.revoked_at, key.updated_at, key.version = now, now, key.version + 1
        key.save(update_fields=["revoked_at", "updated_at", "version"])
        audit.record("api_key.revoke", "api_key", key.pk, before=_shown(key))
        transaction.on_commit(lambda: forget_key(key.prefix))


def _owner(user_id: int) -> User:
    """The user, locked: the keys of one user are made one after the other, so that they can be counted."""
    user = User.objects.select_for_update(no_key=True).filter(pk=user_id, deleted_at=None).first()
    if user is None or not user.is_active:
        raise ApplicationError(ErrorCode.NOT_FOUND)
    if live_keys(user_id).count() >= MAX_LIVE_KEYS:
        raise ApplicationError(ErrorCode.API_KEY_LIMIT, details={"limit": MAX_LIVE_KEYS})
    return user


def _refuse_too_much(owner: User, scopes: Collection[str]) -> None:
    roles = effective_roles(role_names(owner))
    if not effective_scopes(scopes, roles).issuperset(scopes):
        granted = list(grantable_scopes(roles))
        raise ApplicationError(ErrorCode.SCOPE_NOT_GRANTABLE, details={"scopes": granted})


def _shown(key: ApiKey) -> dict[str, Any]:
    names = ("user_id", "name", "prefix", "scopes", "allowed_ips", "expires_at")
    return {name: getattr(key, name) for name in names}
