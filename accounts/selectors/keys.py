"""Reads about API keys."""

from collections.abc import Collection
from typing import TYPE_CHECKING, Any

from django.utils import timezone

from accounts import keys
from accounts.models import ApiKey

if TYPE_CHECKING:
    from django.db.models import QuerySet


def live_keys(user_id: int) -> "QuerySet[ApiKey]":
    """The keys of a user that are neither revoked nor expired."""
    return owned_keys(user_id).filter(expires_at__gt=timezone.now())


def owned_keys(user_id: int) -> "QuerySet[ApiKey]":
    """The keys of a user that are not revoked."""
    return ApiKey.objects.filter(user_id=user_id, revoked_at=None)


def key_names(ids: Collection[int]) -> dict[int, str]:
    """How people know keys, by id."""
    return {key.pk: str(key) for key in ApiKey.objects.filter(pk__in=ids)}


def key_view(key: ApiKey) -> dict[str, Any]:
    """How the API shows a key: everything but the key."""
    return {
        "id": key.pk,
        "name": key.name,
        "api_key": keys.masked(key.prefix),
        "scopes": key.scopes,
        "allowed_ips": key.allowed_ips,
        "created_at": key.created_at,
        "updated_at": key.updated_at,
        "expires_at": key.expires_at,
        "last_used_at": key.last_used_at,
    }
