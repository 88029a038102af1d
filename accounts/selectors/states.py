"""What decides whether credentials still count, in one query each."""

from datetime import datetime
from ipaddress import IPv4Network, IPv6Network, ip_network

import msgspec
from django.contrib.postgres.aggregates import ArrayAgg
from django.db.models import Exists, Q, Value
from django.db.models.functions import Now
from rest_framework_simplejwt.token_blacklist.models import OutstandingToken

from accounts.models import User
from accounts.roles import effective_roles, effective_scopes
from system import sql

STATE_COLUMNS = ("username", "tier", "status", "deleted_at", "token_version", "is_superuser")

KEY_STATE = """
    SELECT k.id, k.user_id, k.hash, k.scopes, k.allowed_ips, k.expires_at, u.username, u.tier, u.is_superuser,
           u.status = 'active' AND u.deleted_at IS NULL AS is_active,
           ARRAY(SELECT g.name FROM accounts_user_groups held JOIN auth_group g ON g.id = held.group_id
                 WHERE held.user_id = u.id) AS role_names
    FROM accounts_apikey k
    JOIN accounts_user u ON u.id = k.user_id
    WHERE k.prefix = %s AND k.revoked_at IS NULL
"""


class SessionState(msgspec.Struct, frozen=True):
    """What decides whether a token still counts, and what its user may do."""

    username: str
    tier: str
    roles: frozenset[str]
    is_active: bool
    token_version: int
    family_alive: bool


class KeyState(msgspec.Struct, frozen=True):
    """What decides whether a key still counts, and what it allows.

    Attributes:
        scopes: those of the key, with the ones they include, as far as the owner's role reaches.
        networks: where calls may come from; empty: from anywhere.
    """

    id: int
    user_id: int
    hash: str
    scopes: frozenset[str]
    networks: tuple[IPv4Network | IPv6Network, ...]
    expires_at: datetime
    username: str
    tier: str
    roles: frozenset[str]
    is_active: bool


def session_state(user_id: int, family: str) -> SessionState | None:
    """The state of a user and one of their sign-ins; None when there is no such user."""
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


def key_state(prefix: str) -> KeyState | None:
    """The state of a key and its owner; None when there is no such key, or it was revoked."""
    found = sql.one(KEY_STATE, [prefix])
    if found is None:
        return None
    roles = effective_roles(found.pop("role_names"), is_superuser=found.pop("is_superuser"))
    scopes = effective_scopes(found.pop("scopes"), roles)
    networks = tuple(map(ip_network, found.pop("allowed_ips")))
    return KeyState(**found, roles=roles, scopes=scopes, networks=networks)
