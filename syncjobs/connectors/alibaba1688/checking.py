"""Can this source be used: address, secret, the permission for each API its walk needs, how long it is authorised."""

import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import partial
from typing import NamedTuple

import msgspec

from syncjobs.connectors.alibaba1688.answers import Answer
from syncjobs.connectors.alibaba1688.apis import (
    CATEGORY_GET,
    CROSS_PRODUCTS,
    CURRENT_TIME,
    OFFER_DETAIL,
    POOL_PULL,
    PRODUCT_GET,
    PRODUCT_LIST,
    PRODUCTS_BY_ID,
    SEARCH,
    Api,
)
from syncjobs.connectors.alibaba1688.client import GatewayClient
from syncjobs.connectors.alibaba1688.details import WAYS
from syncjobs.connectors.alibaba1688.failures import NOT_GRANTED, BusinessError
from syncjobs.connectors.alibaba1688.options import GatewayOptions, Walk
from syncjobs.connectors.alibaba1688.tokens import Tokens
from syncjobs.engine.contracts import ApiCheck, CheckReport
from syncjobs.engine.errors import EngineError, FatalSourceError, QuotaExhausted

# The call a walk cannot do without.
LISTINGS: dict[Walk, Api] = {"seller": PRODUCT_LIST, "search": SEARCH, "pool": POOL_PULL}
# What the account's own products can do without, and what is lost then.
SELLER_EXTRAS = {PRODUCT_GET: "no_lookups", PRODUCTS_BY_ID: "slow_lookups"}
RELATION = (*WAYS["relation"], CROSS_PRODUCTS)
EFFECTS = {
    "no_tree": "The sync runs, but categories have no upper levels.",
    "no_lookups": "The sync runs, but chosen products and change messages cannot be followed.",
    "slow_lookups": "Products are asked for one by one instead, at more calls.",
    "rows_only": "Products have only what the listing tells: no SKUs, no stock, no description.",
    "other_way": "Another call is used instead.",
    "walk_stops": "The sync cannot run without one of the ways to details.",
}
STATES = {
    "api_not_granted": "not_granted",
    "api_unsupported": "wrong_name",
    "needs_authorization": "token_refused",
    "quota_exhausted": "quota_used_up",
    "signature_invalid": "secret_wrong",
    "app_key_unknown": "app_key_wrong",
}
WARN_DAYS = 14
AUTHORIZE = "Authorise the app again with the 1688 account and store the new tokens in the source."
WAIT = "Try again in a few minutes; if it lasts, look at the gateway address and the network."
BUY = "Wait for midnight in China, or buy more calls."


class _Probe(NamedTuple):
    """What one call told; `stops` when the calls after it would tell the same."""

    check: ApiCheck
    stops: bool = False

    @property
    def granted(self) -> bool:
        return self.check.state == "granted"


class _StoppedError(Exception):
    """The calls after this one would tell the same."""


class SourceCheck:
    """The check of one source. Its probes are calls without arguments: the gateway looks at signature, token and
    permission first, so a missing argument proves that all three are in order."""

    def __init__(self, client: GatewayClient, tokens: Tokens, options: GatewayOptions) -> None:
        self._client, self._tokens, self._options = client, tokens, options
        self._checks: list[ApiCheck] = []
        self._abilities = {"walk": False, "details": False, "lookups": False, "tree": False}

    def report(self) -> CheckReport:
        """All lines, up to the first failure that makes the rest pointless."""
        started = time.perf_counter()
        reached = self._probe(CURRENT_TIME, self._client.now)
        latency = (time.perf_counter() - started) * 1000
        self._checks.append(reached.check)
        if reached.check.ok:
            self._look_at_permissions()
        return CheckReport(
            ok=all(check.ok for check in self._checks),
            checks=tuple(self._checks),
            latency_ms=latency if reached.check.ok else None,
            abilities=self._abilities,
        )

    def _look_at_permissions(self) -> None:
        try:
            self._abilities["tree"] = self._permitted(CATEGORY_GET, "no_tree")
            self._abilities["walk"] = self._permitted(LISTINGS[self._options.walk])
            if self._options.walk == "seller":
                self._look_at_lookups()
            elif self._options.details != "never":
                self._look_at_details()
        except _StoppedError:
            return
        self._checks.append(self._authorization())

    def _look_at_lookups(self) -> None:
        self._abilities["lookups"], _ = [self._permitted(api, effect) for api, effect in SELLER_EXTRAS.items()]
        # The listing itself brings the details.
        self._abilities["details"] = self._abilities["walk"]

    def _look_at_details(self) -> None:
        """The detail call, and only without it the relation that opens another one."""
        needed = self._options.walk == "pool" or self._options.details == "required"
        detail = self._probed(OFFER_DETAIL)
        others = [] if detail.granted else [self._probed(api) for api in RELATION]
        related = bool(others) and all(probe.granted for probe in others[: len(WAYS["relation"])])
        found = detail.granted or related
        effect = "other_way" if related else "walk_stops" if needed else "rows_only"
        self._checks += [_optional(probe, effect, ok=found or not needed) for probe in (detail, *others)]
        self._abilities["details"] = self._abilities["lookups"] = found
        self._abilities["walk"] &= found or not needed

    def _permitted(self, api: Api, effect: str = "") -> bool:
        """Adds the line of an API; one with an effect can be done without."""
        probe = self._probed(api)
        self._checks.append(_optional(probe, effect, ok=True) if effect else probe.check)
        return probe.granted

    def _probed(self, api: Api) -> _Probe:
        probe = self._probe(api, partial(self._client.call, api, {}, Answer))
        if probe.stops:
            self._checks.append(probe.check)
            raise _StoppedError
        return probe

    def _probe(self, api: Api, call: Callable[[], object]) -> _Probe:
        try:
            call()
        except BusinessError:
            return _granted(api)
        except FatalSourceError as error:
            return _granted(api) if error.code == "param_missing" else _refused(api, error)
        except EngineError as error:
            return _Probe(_line(api, error, BUY if isinstance(error, QuotaExhausted) else WAIT), stops=True)
        return _granted(api)

    def _authorization(self) -> ApiCheck:
        ends = self._tokens.stored().refresh_expires_at
        if ends is None:
            return _authorised("end_unknown", "The source never said when it ends.")
        days = (ends - datetime.now(UTC)).days
        if days < 0:
            return ApiCheck(
                name="authorisation",
                ok=False,
                code="needs_authorization",
                message="The refresh token has ended.",
                action=AUTHORIZE,
                state="token_refused",
                effect="token_ended",
            )
        line = _authorised("days_left", f"The refresh token is valid for {days} more days.", days=days)
        return msgspec.structs.replace(line, action=AUTHORIZE) if days < WARN_DAYS else line


def _granted(api: Api) -> _Probe:
    return _Probe(ApiCheck(name=api.name, ok=True, state="granted"))


def _refused(api: Api, error: FatalSourceError) -> _Probe:
    # What is wrong with the permission for one API says nothing about the next.
    return _Probe(_line(api, error, error.suggestion), stops=error.code not in NOT_GRANTED)


def _optional(probe: _Probe, effect: str, *, ok: bool) -> ApiCheck:
    """The line of an API that there is another way for, or that is not worth ending a sync for."""
    if probe.granted:
        return probe.check
    message = f"{probe.check.message} {EFFECTS[effect]}"
    return msgspec.structs.replace(probe.check, ok=ok, effect=effect, message=message)


def _line(api: Api, error: EngineError, action: str) -> ApiCheck:
    state = STATES.get(error.code, "failed")
    return ApiCheck(name=api.name, ok=False, code=error.code, message=error.message, action=action, state=state)


def _authorised(effect: str, message: str, **details: int) -> ApiCheck:
    return ApiCheck(name="authorisation", ok=True, message=message, state="valid", effect=effect, details=details)
