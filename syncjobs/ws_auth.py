"""Who may open a WebSocket: the page's origin, then a bearer token, an API key or the back office's session.

Never the URL.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.auth import get_user
from django.http import HttpRequest, parse_cookie
from django.utils.module_loading import import_string
from rest_framework.exceptions import AuthenticationFailed

from accounts.authentication import authenticate_key, authenticate_token
from accounts.roles import effective_roles
from accounts.selectors import role_names
from system.asgi import Scope
from system.client_ip import client_ip
from system.errors import ApplicationError

SUBPROTOCOL = "s1688"
TOKEN_PREFIX = "bearer."  # noqa: S105 (a word before the token)
ROLE, SCOPE = "viewer", "read"
DEFAULT_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Credentials:
    """What a handshake offered.

    `check` asks the database whether it is a viewer's and returns the user's name, else None; it may be called again
    while the socket is open. `subprotocol` is the one to accept.
    """

    check: Callable[[], str | None]
    subprotocol: str | None


def credentials(scope: Scope) -> Credentials | None:
    """Read a handshake's credentials; None when origin and credentials do not go together.

    A page names its origin, which must be one of WS_ALLOWED_ORIGINS. Without an origin only the headers Authorization
    and X-API-Key count: browsers cannot set them, so no page can have sent them. A session counts from its own host's
    pages only.
    """
    origins, authorizations, keys = (_values(scope, name) for name in (b"origin", b"authorization", b"x-api-key"))
    if any(len(values) > 1 for values in (origins, authorizations, keys)) or not all(map(_allowed, origins)):
        return None
    offered: list[str] = scope.get("subprotocols") or []
    subprotocol = SUBPROTOCOL if SUBPROTOCOL in offered else None
    if keys:
        return _by_key(keys[0], authorizations, scope, subprotocol)
    if authorizations:
        return _by_token(_bearer(authorizations[0]), subprotocol)
    if not origins:
        return None
    if subprotocol:
        tokens = [word.removeprefix(TOKEN_PREFIX) for word in offered if word.startswith(TOKEN_PREFIX)]
        return _by_token(tokens[0] if len(tokens) == 1 else "", subprotocol)
    return _by_session(scope) if _same_host(origins[0], scope) else None


def _by_token(token: str, subprotocol: str | None) -> Credentials | None:
    return Credentials(lambda: _token_user(token), subprotocol) if token else None


def _by_key(key: str, authorizations: list[str], scope: Scope, subprotocol: str | None) -> Credentials | None:
    """A key, alone or with a token of the same user, as in version 1 of the API."""
    token = _bearer(authorizations[0]) if authorizations else None
    if not key or token == "":
        return None
    address = _address(scope)
    return Credentials(lambda: _key_user(key, token, address), subprotocol)


def _by_session(scope: Scope) -> Credentials | None:
    cookies = parse_cookie("; ".join(_values(scope, b"cookie")))
    key = cookies.get(settings.SESSION_COOKIE_NAME)
    return Credentials(lambda: _session_user(key), None) if key else None


def _token_user(token: str) -> str | None:
    try:
        user = authenticate_token(token)
    except AuthenticationFailed:
        return None
    return user.username if user.has_role(ROLE) else None


def _key_user(key: str, token: str | None, address: str) -> str | None:
    try:
        user = authenticate_key(key, address)
        same = token is None or authenticate_token(token).id == user.id
    except (AuthenticationFailed, ApplicationError):
        return None
    return user.username if same and user.has_role(ROLE) and user.has_scope(SCOPE) else None


def _session_user(key: str) -> str | None:
    request = HttpRequest()
    request.session = import_string(f"{settings.SESSION_ENGINE}.SessionStore")(key)
    user: Any = get_user(request)
    if not user.is_authenticated or not user.is_staff:
        return None
    return user.username if ROLE in effective_roles(role_names(user)) else None


def _values(scope: Scope, name: bytes) -> list[str]:
    return [value.decode("latin-1") for key, value in scope["headers"] if key == name]


def _address(scope: Scope) -> str:
    """Where the handshake came from, seen through our own proxies."""
    request = HttpRequest()
    request.META = {
        "REMOTE_ADDR": (scope.get("client") or ("",))[0],
        "HTTP_X_FORWARDED_FOR": ",".join(_values(scope, b"x-forwarded-for")),
    }
    return client_ip(request)


def _bearer(authorization: str) -> str:
    scheme, _, token = authorization.partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def _allowed(origin: str) -> bool:
    parts = origin_parts(origin)
    return parts is not None and parts in map(origin_parts, settings.WS_ALLOWED_ORIGINS)


def origin_parts(origin: str) -> tuple[str, str, int] | None:
    """Scheme, host and port of an origin (RFC 6454); None for anything malformed, and for "null"."""
    try:
        parts = urlsplit(origin)
        port = parts.port
    except ValueError:
        return None
    bare = origin.lower() == f"{parts.scheme}://{parts.netloc}".lower() and "@" not in origin
    if parts.scheme not in DEFAULT_PORTS or not parts.hostname or not bare:
        return None
    return parts.scheme, parts.hostname, DEFAULT_PORTS[parts.scheme] if port is None else port


def _same_host(origin: str, scope: Scope) -> bool:
    hosts = _values(scope, b"host")
    # The scheme is the page's: behind a proxy that ends TLS ours is another.
    here = origin_parts(f"{urlsplit(origin).scheme}://{hosts[0]}") if len(hosts) == 1 else None
    return here is not None and here == origin_parts(origin)
