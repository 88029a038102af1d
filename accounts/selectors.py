"""Reads about users."""

from collections.abc import Collection
from typing import Any

import msgspec
from django.contrib.postgres.aggregates import ArrayAgg
from django.db.models import Exists, Q, Value
from django.db.models.functions import Now
from rest_framework_simplejwt.token_blacklist.models import OutstandingToken

from accounts.models import User
from accounts.roles import ROLES, effective_roles

STATE_COLUMNS = ("username", "tier", "status", "deleted_at", "token_version", "is_superuser")


class SessionState(msgspec.Struct, frozen=True):
    """What decides whether a token still counts, and what its user may do."""

    username: str
    tier: str
    roles: frozenset[str]
    is_active: bool
    token_version: int
    family_alive: bool


def session_state(user_id: int, family: str) -> SessionState | None:
    """The state of a user and one of their sign-ins, in one query; None when there is no such user."""
    outstanding = OutstandingToken.objects.filter(
        user_id=user_id, jti__startswith=f"{family}.", expires_at__gt=Now(), blacklistedtoken__isnull=True
    )
    names = ArrayAgg("groups__name", filter=Q(groups__isnull=False), default=Value([]))
    users = User.objects.filter(pk=user_id).annotate(role_names=names, family_alive=Exists(outstanding))
    found = users.values(*STATE_COLUMNS, "role_names", "family_alive").first()
    if found is None:
        return None
    return SessionState(
        username=found["username"],
        tier=found["tier"],
        roles=effective_roles(found["role_names"], is_superuser=found["is_superuser"]),
        is_active=found["status"] == User.Status.ACTIVE and found["deleted_at"] is None,
        token_version=found["token_version"],
        family_alive=found["family_alive"],
    )


def user_by_identifier(identifier: str) -> User | None:
    """The user of this user name or e-mail address; user names hold no @."""
    if "@" in identifier:
        return User.objects.filter(email__in=[identifier, identifier.lower()]).order_by("id").first()
    return User.objects.filter(username=identifier).first()


def user_names(ids: Collection[int]) -> dict[int, str]:
    """User names by id."""
    return dict(User.objects.filter(pk__in=ids).values_list("pk", "username"))


def role_names(user: User) -> list[str]:
    """The roles a user was given, lowest first; a superuser counts as admin."""
    given = set(user.groups.values_list("name", flat=True)) | ({"admin"} if user.is_superuser else set())
    return [role for role in ROLES if role in given]


def user_view(user: User) -> dict[str, Any]:
    """The public form of a user."""
    return {
        "id": user.pk,
        "username": user.username,
        "email": user.email,
        "status": user.status,
        "tier": user.tier,
        "roles": role_names(user),
        "last_login_at": user.last_login,
        "created_at": user.created_at,
        "updated_at": user.updated_at,
    }
