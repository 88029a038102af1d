"""Access tokens: renewed before they end, once among all workers, and once more when the gateway refuses one."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Any

import msgspec

from syncjobs.connectors.alibaba1688 import failures
from syncjobs.connectors.alibaba1688.apis import Api
from syncjobs.connectors.coerce import moment, whole_number
from syncjobs.connectors.http import HttpAnswer, HttpClient
from syncjobs.connectors.registry import CallGate, Credentials, CredentialStore

RENEW_BEFORE = timedelta(minutes=10)
RETRY_SECONDS = 5.0
GET_TOKEN = Api("system.oauth2", "getToken", needs_token=False)


class TokenAnswer(msgspec.Struct):
    """The answer of `getToken`: numbers come as text, a refresh brings no new refresh token (platform, OAuth)."""

    access_token: str = ""
    refresh_token: str | None = None
    expires_in: Any = None
    refresh_token_timeout: Any = None
    error_code: Any = None


class Tokens:
    """The credentials of one source, with an access token that is worth sending."""

    def __init__(
        self,
        store: CredentialStore,
        http: HttpClient,
        gate: CallGate,
        gateway_url: str,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._store, self._http, self._gate, self._gateway_url, self._clock = store, http, gate, gateway_url, clock
        self._loaded: Credentials | None = None

    def stored(self) -> Credentials:
        """The credentials as they are, for calls without a token."""
        if self._loaded is None:
            self._loaded = self._store.load()
        return self._loaded

    def current(self) -> Credentials:
        """Credentials whose access token has at least ten minutes left, or whose end is unknown.

        Raises:
            FatalSourceError: code `needs_authorization`.
        """
        credentials = self.stored()
        ends = credentials.access_expires_at
        is_ending = ends is not None and ends - self._clock() < RENEW_BEFORE
        if credentials.access_token and not (is_ending and credentials.refresh_token):
            return credentials
        return self.renew(credentials)

    def renew(self, stale: Credentials) -> Credentials:
        """Credentials newer than `stale`: another worker's, or those of one exchange of the refresh token.

        Raises:
            FatalSourceError: code `needs_authorization`, when the refresh token is missing or refused.
        """
        self._loaded = self._store.refresh(stale, self._exchange)
        return self._loaded

    def _exchange(self, stale: Credentials) -> Credentials:
        if not stale.refresh_token:
            raise failures.needs_authorization()
        self._gate.acquire(GET_TOKEN.name)
        answer = self._http.post_form(
            f"{self._gateway_url}/openapi/http/1/{GET_TOKEN.namespace}/{GET_TOKEN.name}/{stale.app_key}",
            {
                "grant_type": "refresh_token",
                "client_id": stale.app_key,
                "client_secret": stale.app_secret,
                "refresh_token": stale.refresh_token,
            },
        )
        return self._renewed(stale, _read(answer))

    def _renewed(self, stale: Credentials, token: TokenAnswer) -> Credentials:
        try:
            lifetime = whole_number(token.expires_in)
            refresh_ends = moment(token.refresh_token_timeout)
        except ValueError:
            raise failures.broken_answer(GET_TOKEN, HTTPStatus.OK) from None
        return msgspec.structs.replace(
            stale,
            access_token=token.access_token,
            refresh_token=token.refresh_token or stale.refresh_token,
            access_expires_at=None if lifetime is None else self._clock() + timedelta(seconds=lifetime),
            refresh_expires_at=refresh_ends or stale.refresh_expires_at,
        )


def _read(answer: HttpAnswer) -> TokenAnswer:
    try:
        token = msgspec.json.decode(answer.body, type=TokenAnswer)
    except ValueError:
        token = TokenAnswer()
    if token.access_token:
        return token
    if error := failures.gateway_error(str(token.error_code or ""), GET_TOKEN, answer, backoff=RETRY_SECONDS):
        raise error
    if answer.status < HTTPStatus.BAD_REQUEST and not token.error_code:
        raise failures.broken_answer(GET_TOKEN, answer.status)
    raise failures.needs_authorization()
