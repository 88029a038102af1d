"""Signatures and tokens as the platform checks them."""

import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from . import errors
from .clock import Clock, format_date
from .draw import Draw

SIGNATURE = "_aop_signature"
ACCESS_SECONDS = 10 * 3600
REFRESH_SECONDS = 182 * 86_400
CODE_SECONDS = 120


def signature(secret: str, path: str, params: Mapping[str, str]) -> str:
    """Upper-case hex HMAC-SHA1 over the path and the sorted `key + value` strings.

    `path` is `param2/version/namespace/api/appKey`. The whole strings are sorted by code point, not the keys;
    the signature itself takes no part.
    """
    pairs = sorted(key + value for key, value in params.items() if key != SIGNATURE)
    message = path + "".join(pairs)
    return hmac.new(secret.encode(), message.encode(), "sha1").hexdigest().upper()


def check_signature(secret: str, path: str, params: Mapping[str, str]) -> None:
    """Raises GatewayError when the signature is missing or wrong."""
    given = params.get(SIGNATURE)
    if not given:
        raise errors.signature_missing()
    if not hmac.compare_digest(given.encode(), signature(secret, path, params).encode()):
        raise errors.signature_invalid()


@dataclass(frozen=True)
class Application:
    """The one registered app and the buyer who authorised it."""

    key: str
    secret: str
    ali_id: str = "8888888888"
    owner: str = "demo_buyer"
    member_id: str = "b2b-8888888888abcdef"


class Tokens:
    """Access tokens, refresh tokens and one-time codes with their ends in milliseconds.

    Several access tokens are valid side by side until each expires. Names of tokens depend on the seed and on
    how many were issued before.
    """

    def __init__(self, seed: int, clock: Clock) -> None:
        self._seed, self._clock = seed, clock
        self._issued = 0
        self._access: dict[str, int] = {}
        self._refresh: dict[str, int] = {}
        self._codes: dict[str, int] = {}
        self.first_refresh = self.issue_refresh()
        self.first_access = self.issue_access()

    def issue_access(self) -> str:
        """A new access token."""
        return self._issue(self._access, ACCESS_SECONDS)

    def issue_refresh(self) -> str:
        """A new refresh token."""
        return self._issue(self._refresh, REFRESH_SECONDS)

    def issue_code(self) -> str:
        """A new authorisation code, as the consent page would hand out."""
        return self._issue(self._codes, CODE_SECONDS)

    def _issue(self, kind: dict[str, int], seconds: int) -> str:
        self._issued += 1
        name = str(UUID(int=Draw("token", self._seed, self._issued).below(1 << 128), version=4))
        kind[name] = self._clock.now() + seconds * 1000
        return name

    def check_access(self, token: str | None) -> None:
        """Raises GatewayError for a missing, unknown or expired access token."""
        if self._access.get(token or "", 0) <= self._clock.now():
            raise errors.unauthorized()

    def refresh(self, token: str) -> str:
        """A new access token for a valid refresh token. Raises GatewayError (HTTP 400) otherwise."""
        if self.refresh_end(token) <= self._clock.now():
            raise errors.bad_grant("refresh token is invalid or expired")
        return self.issue_access()

    def redeem(self, code: str) -> tuple[str, str]:
        """Access and refresh token for a code, which works once. Raises GatewayError (HTTP 400) otherwise."""
        if self._codes.pop(code, 0) <= self._clock.now():
            raise errors.bad_grant("authorization code is invalid or expired")
        return self.issue_access(), self.issue_refresh()

    def refresh_end(self, token: str) -> int:
        """When a refresh token ends; 0 for an unknown one."""
        return self._refresh.get(token, 0)

    def expires_in(self) -> str:
        """The lifetime as the platform writes it: text, now and then a second short."""
        return str(ACCESS_SECONDS - self._issued % 2)

    def expire(self, *, refresh: bool) -> None:
        """Ends every access token now, and the refresh tokens too if asked."""
        self._access.clear()
        if refresh:
            self._refresh.clear()


def refresh_timeout(tokens: Tokens, token: str) -> str:
    """The end of a refresh token as a platform date."""
    return format_date(tokens.refresh_end(token))
