"""Charging a request: who pays for it, what a refusal says, what every answer tells about the limits."""

import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import cache
from hashlib import blake2b
from typing import Any, TypeVar

from django.http import HttpRequest

from system.api.headers import Headers, ready
from system.api.throttling.limiter import PAUSE_SECONDS, Bucket, Standing, Verdict, limiter
from system.api.throttling.rates import Rate, rate_of
from system.client_ip import client_ip, limit_owner
from system.errors import ApplicationError, ErrorCode

# What clients with typed headers read as "as much as you like".
UNLIMITED = 1_000_000_000
# Where passwords can be guessed: better nobody signs in for a while than somebody tries without end.
GUESSED = frozenset({"login", "login_name"})

# What `headers_of` may name.
OWN_HEADERS = frozenset(
    {"x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset", "ratelimit", "ratelimit-policy"}
)

AnyView = TypeVar("AnyView", bound=Callable[..., Any])


@dataclass(slots=True)
class Account:
    """What is known of a request's limits.

    Attributes:
        exempt: no limits and no headers: health and documents, which must answer without Redis.
        charged: whether it was taken from its buckets, so that nobody does it again.
        verdict: None when Redis did not answer, or when nothing limits the caller.
    """

    exempt: bool = False
    charged: bool = False
    buckets: list[Bucket] = field(default_factory=list)
    verdict: Verdict | None = None


def account_of(request: HttpRequest) -> Account:
    """The account of a request; opened by the first who asks."""
    account: Account | None = getattr(request, "rate_account", None)
    if account is None:
        account = Account()
        request.rate_account = account  # type: ignore[attr-defined]
    return account


def unlimited(view: AnyView) -> AnyView:
    """Decorator of a view that is not built on the API kit: no limits, no headers."""
    view.rate_limited = False  # type: ignore[attr-defined]
    return view


def caller_buckets(request: HttpRequest, user: Any = None) -> list[Bucket]:
    """The bucket a call is taken from wherever it goes: the user's by tier, else that of the address.

    None for a tier without a limit (seed 001, section 6.1.1).
    """
    if user is not None and user.is_authenticated:
        return _bucket("user", user.pk, rate_of(user.tier))
    return _bucket("ip", address_of(request), rate_of("anonymous"))


def route_bucket(name: str, owner: object) -> list[Bucket]:
    """The bucket of a costly route; the name is that of its rate, too."""
    return _bucket(name, owner, rate_of(name))


def named_bucket(rate: str, whose: str) -> list[Bucket]:
    """The bucket of a name somebody typed; letter case does not matter, and Redis keeps a digest only."""
    digest = blake2b(whose.casefold().encode("utf-8", "surrogatepass"), digest_size=16)
    return _bucket(rate, digest.hexdigest(), rate_of(rate))


def address_of(request: HttpRequest) -> str:
    """Whose limits a call without a user counts for."""
    return limit_owner(client_ip(request)) or "unknown"


def charge(request: HttpRequest, buckets: list[Bucket]) -> None:
    """Take a request from its buckets, once. While Redis does not answer, what is one of GUESSED is refused.

    Raises:
        ApplicationError: RATE_LIMITED, nothing was taken; UNAVAILABLE.
    """
    account = account_of(request)
    if not (account.charged and account.buckets == buckets):
        account.charged, account.buckets = True, buckets
        account.verdict = limiter.take(buckets) if buckets else None
    if account.verdict is None and any(bucket.name in GUESSED for bucket in buckets):
        raise ApplicationError(ErrorCode.UNAVAILABLE, headers={"Retry-After": str(math.ceil(PAUSE_SECONDS))})
    if account.verdict and not account.verdict.allowed:
        raise refusal(account.verdict)


def refusal(verdict: Verdict) -> ApplicationError:
    """The 429 (seed 001, section 6.1.2)."""
    tightest = verdict.tightest
    details = {
        "limit": tightest.rate.limit,
        "remaining": tightest.remaining,
        "reset_at": datetime.fromtimestamp(verdict.now + tightest.reset, UTC),
    }
    headers = {"Retry-After": str(max(1, tightest.wait))}
    return ApplicationError(ErrorCode.RATE_LIMITED, details=details, headers=headers)


def headers_of(account: Account) -> Headers:
    """What an answer tells: X-RateLimit-* of the tightest bucket, and all of them in the IETF's form.

    RateLimit and RateLimit-Policy follow draft-ietf-httpapi-ratelimit-headers. While Redis does not answer, only what
    is certain is told: the limits, not what is left of them.
    """
    if account.exempt or not account.charged:
        return {}
    if account.verdict:
        return _known(account.verdict)
    if account.buckets:
        least = min(account.buckets, key=lambda bucket: bucket.rate.limit / bucket.rate.seconds)
        policies = ", ".join(_policy(bucket.name, bucket.rate) for bucket in account.buckets)
        return ready({"X-RateLimit-Limit": str(least.rate.limit), "RateLimit-Policy": policies})
    return _ENDLESS | {"x-ratelimit-reset": ("X-RateLimit-Reset", str(int(time.time())))}


def _known(verdict: Verdict) -> Headers:
    tightest, standings = verdict.tightest, verdict.standings
    remaining = ", ".join([f'"{each.name}";r={each.remaining};t={each.reset}' for each in standings])
    return {
        "x-ratelimit-limit": ("X-RateLimit-Limit", str(tightest.rate.limit)),
        "x-ratelimit-remaining": ("X-RateLimit-Remaining", str(tightest.remaining)),
        "x-ratelimit-reset": ("X-RateLimit-Reset", str(verdict.now + tightest.reset)),
        "ratelimit-policy": ("RateLimit-Policy", ", ".join([_policy(each.name, each.rate) for each in standings])),
        "ratelimit": ("RateLimit", remaining),
    }


@cache
def _policy(name: str, rate: Rate) -> str:
    return f'"{name}";q={rate.limit};w={rate.seconds}'


def _bucket(name: str, owner: object, rate: Rate | None) -> list[Bucket]:
    return [] if rate is None else [Bucket(name, str(owner), rate)]


_ENDLESS = _known(Verdict(True, 0, (Standing("user", Rate(UNLIMITED, 3600, UNLIMITED), UNLIMITED, 0, 0),)))
