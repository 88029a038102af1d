"""How the framework asks who calls: by token, by key, by either, by both."""

from typing import Any, ClassVar

from rest_framework.authentication import BaseAuthentication
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.request import Request

from accounts.authentication.callers import AuthenticatedUser
from accounts.authentication.credentials import authenticate_key, authenticate_token
from system.client_ip import client_ip
from system.errors import ApplicationError, ErrorCode

TOKEN_HEADER, KEY_HEADER = "Authorization", "X-API-Key"

Found = tuple[Any, None]


class JWTAuthentication(BaseAuthentication):
    """`Authorization: Bearer <access token>`.

    Args:
        ended_too: accept sessions that were signed out, so that signing out twice is no error.
    """

    def __init__(self, *, ended_too: bool = False) -> None:
        self.ended_too = ended_too

    def authenticate(self, request: Request) -> Found | None:
        """The caller; None when no credentials were sent.

        Raises:
            AuthenticationFailed: credentials were sent and are not good.
        """
        user = self.by_token(request)
        return None if user is None else (user, None)

    def authenticate_header(self, request: Request) -> str:  # noqa: ARG002 (the framework's signature)
        return "Bearer"

    def by_token(self, request: Request) -> AuthenticatedUser | None:
        """The user of the token; None without one.

        Raises:
            AuthenticationFailed: it is not good.
        """
        header = request._request.META.get("HTTP_AUTHORIZATION", "")
        if not header:
            return None
        scheme, _, raw = header.partition(" ")
        if scheme.lower() != "bearer":
            raise AuthenticationFailed
        return authenticate_token(raw, ended_too=self.ended_too)


class ApiKeyAuthentication(BaseAuthentication):
    """`X-API-Key: s1688_…`; a key in the address is an unknown parameter and nothing else."""

    def authenticate(self, request: Request) -> Found | None:
        """The owner of the key; None when none was sent.

        Raises:
            AuthenticationFailed: it is not good.
            ApplicationError: ADDRESS_REFUSED.
        """
        user = self.by_key(request)
        return None if user is None else (user, None)

    def authenticate_header(self, request: Request) -> str:  # noqa: ARG002 (the framework's signature)
        return "Bearer"

    def by_key(self, request: Request) -> AuthenticatedUser | None:
        """The owner of the key; None without one."""
        raw = request._request.META.get("HTTP_X_API_KEY", "")
        return authenticate_key(raw, client_ip(request._request)) if raw else None


class CredentialAuthentication(JWTAuthentication, ApiKeyAuthentication):
    """A token or a key; who sends both must own both, and the scopes of the key count.

    A view's `keyless_actions` manage sessions and keys: they take a token, and a key alone is not enough. What a token
    alone may do there, a key sent along does not take away: clients send both with every call.
    """

    both: ClassVar[bool] = False

    def authenticate(self, request: Request) -> Found | None:
        """The caller; None when no credentials were sent.

        Raises:
            AuthenticationFailed: credentials were sent and are not good, or belong to two users.
            ApplicationError: CREDENTIALS_INCOMPLETE names the missing header; ADDRESS_REFUSED.
        """
        by_token, by_key = self.by_token(request), self.by_key(request)
        if by_token is None and by_key is None:
            return None
        keyless = _is_keyless(request)
        if by_token is None and (self.both or keyless):
            raise _incomplete(TOKEN_HEADER)
        if by_key is None and self.both and not keyless:
            raise _incomplete(KEY_HEADER)
        caller = _one(by_token, by_key)
        return (by_token if keyless else caller), None


class BearerAndKeyAuthentication(CredentialAuthentication):
    """A token and a key of the same user (seed 001, section 4.1); `keyless_actions` take the token alone."""

    both = True


def _is_keyless(request: Request) -> bool:
    view = (request.parser_context or {}).get("view")
    return getattr(view, "action", None) in getattr(view, "keyless_actions", ())


def _incomplete(header: str) -> ApplicationError:
    return ApplicationError(ErrorCode.CREDENTIALS_INCOMPLETE, details={"missing": [header]})


def _one(by_token: AuthenticatedUser | None, by_key: AuthenticatedUser | None) -> AuthenticatedUser | None:
    if by_token is None or by_key is None:
        return by_token or by_key
    if by_token.id != by_key.id:
        raise AuthenticationFailed
    return by_key.in_session(by_token.family)
