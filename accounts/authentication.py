"""Who calls: a bearer token becomes an `AuthenticatedUser`, without the database while the process knows the user."""

from dataclasses import dataclass, field
from time import monotonic
from typing import Any

from django.conf import settings
from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from accounts.selectors import SessionState, session_state
from accounts.tokens import Claims, InvalidToken, verify
from system.api.permissions import SCOPES

REMEMBERED_SESSIONS = 20_000

SessionKey = tuple[int, str]
_sessions: dict[SessionKey, tuple[float, SessionState | None]] = {}


@dataclass(frozen=True, slots=True)
class AuthenticatedUser:
    """The caller of a request; not a database row.

    Attributes:
        roles: every role held, those included in a higher one among them.
        family: the sign-in the token belongs to; "" for a key.
        scopes: what the credentials allow, those included in others among them; a token allows everything.
        key_id: the API key the call came with; None without one.
    """

    id: int
    username: str
    tier: str
    roles: frozenset[str] = frozenset()
    family: str = field(default="", repr=False)
    scopes: frozenset[str] = frozenset(SCOPES)
    key_id: int | None = None
    is_authenticated: bool = True
    is_anonymous: bool = False
    is_active: bool = True

    @property
    def pk(self) -> int:
        return self.id

    def get_username(self) -> str:
        """Django's word for the name."""
        return self.username

    def has_role(self, role: str) -> bool:
        """Whether the caller holds at least this role."""
        return role in self.roles

    def has_scope(self, scope: str) -> bool:
        """Whether the credentials allow this kind of call."""
        return scope in self.scopes


def authenticate_token(raw: str, *, ended_too: bool = False) -> AuthenticatedUser:
    """The user of an access token.

    What is known of a user is at most USER_STATE_CACHE_SECONDS old: after that a disabled user, a changed password, a
    signed-out session or another role counts everywhere.

    Args:
        ended_too: accept the token of a session that was signed out.

    Raises:
        AuthenticationFailed: for any reason; the answer never says which.
    """
    try:
        claims = verify(raw, "access")
    except InvalidToken:
        raise AuthenticationFailed from None
    state = _state(claims)
    if state is None or not state.is_active or state.token_version != claims.tv:
        raise AuthenticationFailed
    if not (state.family_alive or ended_too):
        raise AuthenticationFailed
    return AuthenticatedUser(claims.user_id, state.username, state.tier, state.roles, claims.family)


def forget_user(user_id: int) -> None:
    """Make this process read the user's state again."""
    for known in [known for known in list(_sessions) if known[0] == user_id]:
        _sessions.pop(known, None)


def forget_everybody() -> None:
    """Make this process read every user's state again."""
    _sessions.clear()


def _state(claims: Claims) -> SessionState | None:
    session = (claims.user_id, claims.family)
    known = _sessions.get(session)
    if known and monotonic() - known[0] < settings.USER_STATE_CACHE_SECONDS:
        return known[1]
    asked_at = monotonic()
    state = session_state(*session)
    if len(_sessions) >= REMEMBERED_SESSIONS:
        _sessions.clear()
    _sessions[session] = (asked_at, state)
    return state


class JWTAuthentication(BaseAuthentication):
    """`Authorization: Bearer <access token>`.

    Args:
        ended_too: accept sessions that were signed out, so that signing out twice is no error.
    """

    def __init__(self, *, ended_too: bool = False) -> None:
        self.ended_too = ended_too

    def authenticate(self, request: Request) -> tuple[Any, Claims | None] | None:
        """The caller; None when no credentials were sent.

        Raises:
            AuthenticationFailed: credentials were sent and are not good.
        """
        header = request.META.get("HTTP_AUTHORIZATION", "")
        if not header:
            return None
        scheme, _, raw = header.partition(" ")
        if scheme.lower() != "bearer":
            raise AuthenticationFailed
        return authenticate_token(raw, ended_too=self.ended_too), None

    def authenticate_header(self, request: Request) -> str:  # noqa: ARG002 (the framework's signature)
        return "Bearer"
