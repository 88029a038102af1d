"""JSON Web Tokens: what we put in, and the only way to get it out again. What is stored of a token is its digest."""

import hashlib
import time
import uuid
from functools import lru_cache
from typing import Annotated, Any, Literal

import msgspec
from django.conf import settings
from django.utils import timezone
from rest_framework_simplejwt.exceptions import TokenBackendError
from rest_framework_simplejwt.state import token_backend
from rest_framework_simplejwt.token_blacklist.models import BlacklistedToken, OutstandingToken
from rest_framework_simplejwt.tokens import RefreshToken
from rest_framework_simplejwt.utils import datetime_from_epoch

MAX_TOKEN_LENGTH = 4096
REMEMBERED_TOKENS = 20_000
# Its stub asks for a token object where it takes the text.
_decoder: Any = token_backend

Kind = Literal["access", "refresh"]
LIFETIMES: dict[Kind, float] = {
    "access": settings.SIMPLE_JWT["ACCESS_TOKEN_LIFETIME"].total_seconds(),
    "refresh": settings.SIMPLE_JWT["REFRESH_TOKEN_LIFETIME"].total_seconds(),
}


class InvalidToken(Exception):
    """Not a token we made for this purpose, or no longer valid. Nobody outside learns which."""


class Claims(msgspec.Struct, frozen=True):
    """The payload of our tokens. `tv` is the user's token version; a `family` is one sign-in and its renewals."""

    sub: Annotated[str, msgspec.Meta(pattern=r"^[1-9][0-9]{0,17}$")]
    token_type: Kind
    jti: Annotated[str, msgspec.Meta(max_length=100)]
    exp: int
    iat: int
    tv: int
    family: Annotated[str, msgspec.Meta(pattern=r"^[0-9a-f]{32}$")]
    username: str
    tier: str
    roles: tuple[str, ...]

    @property
    def user_id(self) -> int:
        return int(self.sub)


class TokenPair(msgspec.Struct, frozen=True):
    """A fresh access token with its refresh token."""

    access: str
    refresh: str


def new_family() -> str:
    """The name of a new sign-in."""
    return uuid.uuid4().hex


def issue(user_id: int, family: str, claims: dict[str, Any]) -> TokenPair:
    """Make a pair and record the digest of its refresh token.

    Args:
        claims: username, tier, roles and tv.
    """
    refresh = RefreshToken()
    refresh.payload |= {**claims, "sub": str(user_id), "family": family, "jti": f"{family}.{uuid.uuid4().hex}"}
    pair = TokenPair(access=str(refresh.access_token), refresh=str(refresh))
    OutstandingToken.objects.create(
        user_id=user_id,
        jti=refresh["jti"],
        token=digest(pair.refresh),
        created_at=timezone.now(),
        expires_at=datetime_from_epoch(refresh["exp"]),
    )
    return pair


def verify(raw: str, kind: Kind) -> Claims:
    """The claims of a valid token of this kind. Access tokens that were valid a moment ago cost no cryptography.

    Raises:
        InvalidToken: malformed, forged, expired, or of the other kind.
    """
    claims = _verified(raw)
    now, leeway = time.time(), settings.SIMPLE_JWT["LEEWAY"]
    lives = now - leeway < claims.exp <= now + LIFETIMES[kind] + leeway
    if claims.token_type != kind or not lives:
        raise InvalidToken
    return claims


def digest(raw: str) -> str:
    """What is stored of a token."""
    return hashlib.sha256(raw.encode()).hexdigest()


def end_family(user_id: int, family: str) -> int:
    """Refuse every refresh token of a sign-in from now on; how many were still good."""
    alive = OutstandingToken.objects.filter(
        user_id=user_id, jti__startswith=f"{family}.", blacklistedtoken__isnull=True
    )
    ending = [BlacklistedToken(token=token) for token in alive]
    BlacklistedToken.objects.bulk_create(ending, ignore_conflicts=True)
    return len(ending)


@lru_cache(maxsize=REMEMBERED_TOKENS)
def _verified(raw: str) -> Claims:
    if len(raw) > MAX_TOKEN_LENGTH:
        raise InvalidToken
    try:
        return msgspec.convert(_decoder.decode(raw), Claims)
    # A signed payload of absurd values (exp 1e999, deep nesting) fails inside the library in these ways.
    except (TokenBackendError, msgspec.ValidationError, ValueError, TypeError, OverflowError, RecursionError):
        raise InvalidToken from None
