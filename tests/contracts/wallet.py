"""Credentials that are good, and each way in which they can be bad, for every role."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from django.utils import timezone
from rest_framework_simplejwt.state import token_backend

from accounts.keys import new_secret
from accounts.models import ApiKey, User
from accounts.roles import GRANTABLE_SCOPES
from accounts.services import create_user, delete_user, end_sessions, logout, open_session, revoke_key, update_user
from tests.client import key_of
from tests.conftest import PASSWORD
from tests.contracts.world import ROLE_OF, People

OFFICE, ELSEWHERE = "203.0.113.7", "127.0.0.1"
backend: Any = token_backend


@dataclass(frozen=True)
class Wallet:
    """What somebody of a role may hold.

    Attributes:
        token: of an open session.
        ended: of a session that was signed out.
        stale: tokens that are refused everywhere, by what is wrong with them.
        void: keys that are refused, by what is wrong with them.
        office_key: a key with everything the role allows, to be used from OFFICE only.
        by_scope: a key with this scope alone.
        other_token, other_key: those of somebody else of the same role.
    """

    token: str
    ended: str
    stale: dict[str, str]
    void: dict[str, str]
    office_key: str
    by_scope: dict[str, str]
    other_token: str
    other_key: str


def wallets(people: People) -> dict[str, Wallet]:
    """A wallet by role."""
    filled = {role: _wallet(role, user) for role, user in people.items()}
    _say_they_were_used()
    return filled


def payers() -> dict[str, tuple[str, str]]:
    """Token and key of users without a role, by tier."""
    made = {}
    for tier in User.Tier.values:
        user = create_user(f"tier_{tier}", f"tier_{tier}@example.com", PASSWORD, tier=tier)
        made[tier] = open_session(user)["token"], key_of(user)
    _say_they_were_used()
    return made


def _say_they_were_used() -> None:
    """The first use of a key is written down, whatever becomes of the call; here it must change nothing."""
    ApiKey.objects.update(last_used_at=timezone.now() + timedelta(days=1))


# What becomes of somebody whose credentials were good.
FATES: dict[str, Callable[[User], object]] = {
    "suspended": lambda user: update_user(user.pk, {"status": User.Status.SUSPENDED}),
    "inactive": lambda user: User.objects.filter(pk=user.pk).update(status=User.Status.INACTIVE),
    "closed": lambda user: delete_user(user.pk),
}


def _wallet(role: str, user: User) -> Wallet:
    session, over = open_session(user), open_session(user)
    logout(user.pk, over["refresh_token"])
    other = _twin(role, "other")
    stale, void = _bent_tokens(role, session), _bent_keys(user)
    for fate, befalls in FATES.items():
        twin = _twin(role, fate)
        stale[fate], void[fate] = open_session(twin)["token"], key_of(twin)
        befalls(twin)
    return Wallet(
        token=session["token"],
        ended=over["token"],
        stale=stale,
        void=void,
        office_key=key_of(user, allowed_ips=("203.0.113.0/24",)),
        by_scope={scope: key_of(user, scope) for scope in GRANTABLE_SCOPES[ROLE_OF[role]]},
        other_token=open_session(other)["token"],
        other_key=key_of(other),
    )


def _bent_tokens(role: str, session: dict[str, Any]) -> dict[str, str]:
    everywhere_out = _twin(role, "out")
    elder = open_session(everywhere_out)["token"]
    end_sessions(everywhere_out.pk)
    return {
        "expired": expired(session["token"]),
        "of another version": elder,
        "for renewal": session["refresh_token"],
        "forged": session["token"][:-4] + "AAAA",
    }


def _bent_keys(user: User) -> dict[str, str]:
    void = {name: key_of(user) for name in ("revoked", "expired")}
    ids = list(ApiKey.objects.filter(user_id=user.pk).order_by("-pk").values_list("pk", flat=True)[:2])
    revoke_key(ids[1])
    ApiKey.objects.filter(pk=ids[0]).update(expires_at=timezone.now() - timedelta(seconds=1))
    return {**void, "unknown": new_secret().key, "malformed": "s1688_nonsense"}


def expired(token: str) -> str:
    """The same token, signed by us, whose time was over an hour ago."""
    now = int(time.time())
    return str(backend.encode({**backend.decode(token), "iat": now - 7200, "exp": now - 3600}))


def _twin(role: str, name: str) -> User:
    """Somebody else of the same role."""
    username = f"{role}_{name}"
    return create_user(username, f"{username}@example.com", PASSWORD, role=ROLE_OF[role])
