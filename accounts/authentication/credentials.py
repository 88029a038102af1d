"""Tokens and keys looked at: without the database while the process knows the session or the key."""

from ipaddress import ip_address
from time import monotonic

from django.conf import settings
from django.utils import timezone
from rest_framework.exceptions import AuthenticationFailed

from accounts import keys
from accounts.authentication.callers import AuthenticatedUser
from accounts.authentication.memory import Memory
from accounts.authentication.uses import forget_uses, note_use
from accounts.selectors.states import KeyState, SessionState, key_state, session_state
from accounts.tokens import Claims, InvalidToken, verify
from system.errors import ApplicationError, ErrorCode

REMEMBERED = 20_000
NOBODY = SessionState(username="", tier="", roles=frozenset(), is_active=False, token_version=0, family_alive=False)

_sessions: Memory[tuple[int, str], SessionState] = Memory(REMEMBERED)
_keys: Memory[str, KeyState] = Memory(REMEMBERED)
# Kept apart, so that guesses cannot push out what is real.
_unknown_keys: Memory[str, bool] = Memory(REMEMBERED)


def authenticate_token(raw: str, *, ended_too: bool = False) -> AuthenticatedUser:
    """The user of an access token.

    Args:
        ended_too: accept the token of a session that was signed out.

    Raises:
        AuthenticationFailed: for any reason; the answer never says which.
    """
    try:
        claims = verify(raw, "access")
    except InvalidToken:
        raise AuthenticationFailed from None
    state = _session(claims)
    if not state.is_active or state.token_version != claims.tv:
        raise AuthenticationFailed
    if not (state.family_alive or ended_too):
        raise AuthenticationFailed
    return AuthenticatedUser(claims.user_id, state.username, state.tier, state.roles, claims.family)


def authenticate_key(raw: str, address: str) -> AuthenticatedUser:
    """The owner of an API key, with the scopes of the key that the owner's role includes now.

    Args:
        address: where the call came from.

    Raises:
        AuthenticationFailed: malformed, unknown, revoked, expired, or its owner may not sign in; never says which.
        ApplicationError: ADDRESS_REFUSED; the caller holds the whole key and may know.
    """
    prefix = keys.prefix_of(raw)
    state = _key(prefix) if prefix else None
    if state is None or not keys.matches(raw, state.hash):
        raise AuthenticationFailed
    if not state.is_active or state.expires_at <= timezone.now():
        raise AuthenticationFailed
    if state.networks and not _lies_within(address, state):
        raise ApplicationError(ErrorCode.ADDRESS_REFUSED, details={"address": address})
    note_use(state.id)
    return AuthenticatedUser(
        state.user_id, state.username, state.tier, state.roles, scopes=state.scopes, key_id=state.id
    )


def forget_user(user_id: int) -> None:
    """Make this process read the user's state again."""
    _sessions.forget(lambda session, _state: session[0] == user_id)
    _keys.forget(lambda _prefix, state: state.user_id == user_id)


def forget_key(prefix: str) -> None:
    """Make this process read a key's state again."""
    _keys.forget(lambda known, _state: known == prefix)
    _unknown_keys.forget(lambda known, _yes: known == prefix)


def forget_everybody() -> None:
    """Make this process read every state again."""
    for memory in (_sessions, _keys, _unknown_keys):
        memory.clear()
    forget_uses()


def _session(claims: Claims) -> SessionState:
    session = (claims.user_id, claims.family)
    known = _sessions.recall(session, settings.USER_STATE_CACHE_SECONDS)
    if known:
        return known
    asked_at = monotonic()
    state = session_state(*session) or NOBODY
    _sessions.keep(session, state, asked_at)
    return state


def _key(prefix: str) -> KeyState | None:
    seconds = settings.USER_STATE_CACHE_SECONDS
    known = _keys.recall(prefix, seconds)
    if known or _unknown_keys.recall(prefix, seconds):
        return known
    asked_at = monotonic()
    state = key_state(prefix)
    if state:
        _keys.keep(prefix, state, asked_at)
    else:
        _unknown_keys.keep(prefix, True, asked_at)
    return state


def _lies_within(address: str, state: KeyState) -> bool:
    try:
        place = ip_address(address)
    except ValueError:
        return False
    # A socket that takes both families names IPv4 callers ::ffff:203.0.113.7.
    place = getattr(place, "ipv4_mapped", None) or place
    return any(place in network for network in state.networks)
