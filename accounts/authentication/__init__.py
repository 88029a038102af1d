"""Who calls: a bearer token or an API key becomes an `AuthenticatedUser`.

What is known of sessions, keys and their owners is at most USER_STATE_CACHE_SECONDS old: after that a disabled user, a
changed password, a signed-out session, a revoked key or another role counts everywhere.
"""

from accounts.authentication.callers import AuthenticatedUser
from accounts.authentication.classes import (
    BearerAndKeyAuthentication,
    CredentialAuthentication,
    JWTAuthentication,
)
from accounts.authentication.credentials import (
    authenticate_key,
    authenticate_token,
    forget_everybody,
    forget_key,
    forget_user,
)

__all__ = [
    "AuthenticatedUser",
    "BearerAndKeyAuthentication",
    "CredentialAuthentication",
    "JWTAuthentication",
    "authenticate_key",
    "authenticate_token",
    "forget_everybody",
    "forget_key",
    "forget_user",
]
