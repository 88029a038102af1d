"""Can this source be used: address, secret, the permission for each API, and how long the authorisation lasts."""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from typing import NamedTuple

from syncjobs.connectors.alibaba1688.answers import Answer
from syncjobs.connectors.alibaba1688.apis import (
    CATEGORY_GET,
    CURRENT_TIME,
    PRODUCT_GET,
    PRODUCT_LIST,
    PRODUCTS_BY_ID,
    Api,
)
from syncjobs.connectors.alibaba1688.client import GatewayClient
from syncjobs.connectors.alibaba1688.failures import BusinessError
from syncjobs.connectors.alibaba1688.tokens import Tokens
from syncjobs.engine.contracts import ApiCheck, CheckReport
from syncjobs.engine.errors import EngineError, FatalSourceError, QuotaExhausted

PROBED = (CATEGORY_GET, PRODUCT_LIST, PRODUCT_GET, PRODUCTS_BY_ID)
# Without it products are asked for one by one.
OPTIONAL = frozenset({PRODUCTS_BY_ID})
WARN_DAYS = 14
AUTHORIZE = "Authorise the app again with the 1688 account and store the new tokens in the source."
WAIT = "Try again in a few minutes; if it lasts, look at the gateway address and the network."


class _Probe(NamedTuple):
    """What one call told; `stops` when the calls after it would tell the same."""

    check: ApiCheck
    stops: bool = False


class SourceCheck:
    """The check of one source. Its probes are calls without arguments: the gateway looks at signature, token and
    permission first, so a missing argument proves that all three are in order."""

    def __init__(self, client: GatewayClient, tokens: Tokens) -> None:
        self._client, self._tokens = client, tokens

    def report(self) -> CheckReport:
        """All lines, up to the first failure that makes the rest pointless."""
        started = time.perf_counter()
        reached = self._probe(CURRENT_TIME, self._client.now)
        latency = (time.perf_counter() - started) * 1000
        checks = [reached.check, *(self._permissions() if reached.check.ok else ())]
        return CheckReport(
            ok=all(check.ok for check in checks), checks=tuple(checks), latency_ms=latency if reached.check.ok else None
        )

    def _permissions(self) -> list[ApiCheck]:
        checks = []
        for api in PROBED:
            probe = self._probe(api, partial(self._client.call, api, {}, Answer))
            checks.append(probe.check)
            if probe.stops:
                return checks
        return [*checks, self._authorization()]

    def _probe(self, api: Api, call: Callable[[], object]) -> _Probe:
        try:
            call()
        except BusinessError:
            return _granted(api)
        except FatalSourceError as error:
            return _granted(api) if error.code == "param_missing" else _refused(api, error)
        except EngineError as error:
            waits = isinstance(error, QuotaExhausted)
            action = "Wait for midnight in China, or buy more calls." if waits else WAIT
            return _Probe(_line(api, error, action), stops=True)
        return _granted(api)

    def _authorization(self) -> ApiCheck:
        ends = self._tokens.stored().refresh_expires_at
        if ends is None:
            return ApiCheck(name="authorisation", ok=True, message="The source never said when it ends.")
        days = (ends - datetime.now(UTC)).days
        if days < 0:
            return _authorization_line(False, "The refresh token has ended.", AUTHORIZE)
        message = f"The refresh token is valid for {days} more days."
        return _authorization_line(True, message, AUTHORIZE if days < WARN_DAYS else "")


def _granted(api: Api) -> _Probe:
    return _Probe(ApiCheck(name=api.name, ok=True))


def _refused(api: Api, error: FatalSourceError) -> _Probe:
    if error.code == "api_not_granted" and api in OPTIONAL:
        message = f"{error.message} Products are asked for one by one instead, at more calls."
        line = ApiCheck(name=api.name, ok=True, code=error.code, message=message, action=error.suggestion)
        return _Probe(line)
    # What is wrong with the permission for one API says nothing about the next.
    return _Probe(_line(api, error, error.suggestion), stops=error.code not in ("api_not_granted", "api_unsupported"))


def _line(api: Api, error: EngineError, action: str) -> ApiCheck:
    return ApiCheck(name=api.name, ok=False, code=error.code, message=error.message, action=action)


def _authorization_line(ok: bool, message: str, action: str) -> ApiCheck:
    return ApiCheck(
        name="authorisation", ok=ok, code="" if ok else "needs_authorization", message=message, action=action
    )
