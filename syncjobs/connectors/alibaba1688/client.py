"""Signed calls to the 1688 open platform; its refusals become the engine's errors."""

import time
from collections.abc import Callable, Mapping
from datetime import datetime
from http import HTTPStatus
from random import SystemRandom
from typing import Any, TypeVar

import msgspec

from syncjobs.connectors.alibaba1688 import failures
from syncjobs.connectors.alibaba1688.answers import Answer, Flags, TimeAnswer, decode
from syncjobs.connectors.alibaba1688.apis import CURRENT_TIME, Api
from syncjobs.connectors.alibaba1688.dates import platform_date
from syncjobs.connectors.alibaba1688.signing import SIGNATURE, sign
from syncjobs.connectors.alibaba1688.tokens import Tokens
from syncjobs.connectors.coerce import moment
from syncjobs.connectors.http import HttpAnswer, HttpClient
from syncjobs.connectors.registry import CallGate, Credentials
from syncjobs.engine.errors import EngineError, QuotaExhausted, RetryableSourceError

A = TypeVar("A", bound=Answer)

# Most trouble is gone at the next attempt, and a plan of many calls must not begin anew for one of them; what lasts
# longer, or asks for more patience than a lease has, goes back to the engine.
QUICK_RETRY_SECONDS = (0.1, 0.4)
QUICKLY_RETRIED = frozenset({"connection_failed", "server_error", "bad_answer", "data_preparing", "rate_limited"})
LONGEST_QUICK_WAIT_SECONDS = 5.0
# There is no Retry-After and nobody knows the window, so the wait doubles until the platform is content.
FIRST_BACKOFF_SECONDS = 2.0
LONGEST_BACKOFF_SECONDS = 120.0

_jitter = SystemRandom()


class GatewayClient:
    """Calls APIs for one source and counts it in `calls`. `gateway_url` is scheme and host, without a path."""

    def __init__(
        self,
        http: HttpClient,
        gateway_url: str,
        tokens: Tokens,
        gate: CallGate,
        sleep: Callable[[float], None] = time.sleep,
        longest_quick_wait: float = LONGEST_QUICK_WAIT_SECONDS,
    ) -> None:
        self._http, self._gateway_url, self._tokens, self._gate, self._sleep = http, gateway_url, tokens, gate, sleep
        self._longest_quick_wait = longest_quick_wait
        self._throttled = 0
        self.calls = 0

    def call(self, api: Api, params: Mapping[str, Any], kind: type[A]) -> A:
        """The answer of one API; parameters of None are left out, lists and objects go as JSON text.

        Raises:
            BusinessError: the API itself refuses.
            RetryableSourceError, FatalSourceError, QuotaExhausted: by the gateway's code (`failures`).
        """
        credentials = self._tokens.current() if api.needs_token else self._tokens.stored()
        try:
            return self._insistently(api, params, kind, credentials)
        except failures.TokenRefusedError:
            credentials = self._tokens.renew(credentials)
        try:
            return self._insistently(api, params, kind, credentials)
        except failures.TokenRefusedError:
            raise failures.needs_authorization() from None

    def now(self) -> datetime:
        """The gateway's clock, in UTC; a signed call that needs no permission. Raises as `call`."""
        try:
            now = moment(self.call(CURRENT_TIME, {}, TimeAnswer).result)
        except (failures.BusinessError, ValueError):
            now = None
        if now is None:
            raise failures.broken_answer(CURRENT_TIME, HTTPStatus.OK)
        return now

    def _insistently(self, api: Api, params: Mapping[str, Any], kind: type[A], credentials: Credentials) -> A:
        for pause in QUICK_RETRY_SECONDS:
            try:
                return self._once(api, params, kind, credentials)
            except RetryableSourceError as error:
                wait = max(pause * _jitter.uniform(0.5, 1.5), error.retry_after or 0)
                if error.code not in QUICKLY_RETRIED or wait > self._longest_quick_wait:
                    raise
            self._sleep(wait)
        return self._once(api, params, kind, credentials)

    def _once(self, api: Api, params: Mapping[str, Any], kind: type[A], credentials: Credentials) -> A:
        self._gate.acquire(api.name)
        self.calls += 1
        path = api.path(credentials.app_key)
        fields = form_fields(params) | {"_aop_timestamp": str(time.time_ns() // 1_000_000)}
        if api.needs_token:
            fields["access_token"] = credentials.access_token
        fields[SIGNATURE] = sign(path, fields, credentials.app_secret)
        return self._read(api, self._http.post_form(f"{self._gateway_url}/openapi/{path}", fields), kind)

    def _read(self, api: Api, http: HttpAnswer, kind: type[A]) -> A:
        """Judge by the body's own code first and by the HTTP status second."""
        answer = _decoded(http.body, kind)
        code = str((answer and answer.gateway_code) or "")
        if code == failures.UNAUTHORIZED or (not code and http.status == HTTPStatus.UNAUTHORIZED):
            raise failures.TokenRefusedError
        backoff = min(FIRST_BACKOFF_SECONDS * 2**self._throttled, LONGEST_BACKOFF_SECONDS)
        if error := failures.gateway_error(code, api, http, backoff):
            raise self._counted_as_refused(api, error)
        if answer is None or (not code and http.status != HTTPStatus.OK):
            raise failures.broken_answer(api, http.status)
        self._throttled = 0
        _raise_refusal(api, answer, code)
        return answer

    def _counted_as_refused(self, api: Api, error: EngineError) -> EngineError:
        """Make all workers wait when the platform says "too fast"; note that it counted our calls otherwise than we."""
        if isinstance(error, RetryableSourceError) and error.code == "rate_limited":
            self._throttled += 1
            self._gate.refused(api.name)
            self._gate.slow_down(error.retry_after or FIRST_BACKOFF_SECONDS)
        elif isinstance(error, QuotaExhausted):
            self._gate.refused(api.name, used_up=True)
        return error


def form_fields(params: Mapping[str, Any]) -> dict[str, str]:
    """Arguments as the platform takes them: `true`/`false`, platform dates, compact JSON text; None left out."""
    return {name: _form_value(value) for name, value in params.items() if value is not None}


def _form_value(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, datetime):
        return platform_date(value)
    return msgspec.json.encode(value).decode()


def _decoded(body: bytes, kind: type[A]) -> A | None:
    try:
        return decode(body, kind)
    except ValueError:
        return None


def _raise_refusal(api: Api, answer: Answer, code: str) -> None:
    refusal = (code, "") if code else answer.refusal()
    inner = getattr(answer, "result", None)
    nested = inner.refusal() if isinstance(inner, Flags) else None
    if failures.PREPARING in {each[0] for each in (refusal, nested) if each}:
        raise failures.preparing(api)
    if refusal is not None:
        raise failures.BusinessError(*refusal)
