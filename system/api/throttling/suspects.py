"""Addresses that used up their limit with bad credentials: their next unknown API key is refused without a look at it.

A token proves by its signature that we made it, before anything is asked; whether an API key is one, only the database
knows, and a flood of made-up keys must not reach it. Keys that were good in this process before still pass, since
a whole office may share an address.
"""

import secrets
from hashlib import blake2b
from time import monotonic

from django.http import HttpRequest

from system.api.throttling.charging import account_of, address_of, refusal
from system.api.throttling.limiter import Bucket, Verdict

REMEMBERED = 20_000
KEY_HEADER = "HTTP_X_API_KEY"

# Digests only, and not of this process's next life: memory dumps tell nothing.
_SALT = secrets.token_bytes(16)
_good: dict[bytes, None] = {}
_over: dict[str, tuple[float, list[Bucket], Verdict]] = {}


def refuse_suspect(request: HttpRequest) -> None:
    """Refuse an API key we do not know, from an address that is over its limit; costs neither database nor Redis.

    Raises:
        ApplicationError: RATE_LIMITED.
    """
    sent = request.META.get(KEY_HEADER)
    if not _over or sent is None or _digest(sent) in _good:
        return
    owner = address_of(request)
    found = _over.get(owner)
    if found is None:
        return
    since, buckets, verdict = found
    now = _later(verdict, monotonic() - since)
    if now is None:
        _over.pop(owner, None)
        return
    account = account_of(request)
    account.charged, account.buckets, account.verdict = True, buckets, now
    raise refusal(now)


def remember_good(request: HttpRequest) -> None:
    """The key of this request was good."""
    sent = request.META.get(KEY_HEADER)
    if sent is not None:
        _bound(_good)
        _good[_digest(sent)] = None


def remember_refused(request: HttpRequest) -> None:
    """The credentials of this request were bad, and its address is over its limit."""
    account = account_of(request)
    if account.verdict:
        _bound(_over)
        _over[address_of(request)] = (monotonic(), account.buckets, account.verdict)


def forget_suspects() -> None:
    """Begin anew."""
    _good.clear()
    _over.clear()


def _later(verdict: Verdict, seconds: float) -> Verdict | None:
    """The same refusal some seconds later; None once it is over."""
    passed = int(seconds)
    if verdict.tightest.wait <= seconds:
        return None
    standings = [
        standing._replace(reset=max(0, standing.reset - passed), wait=max(0, standing.wait - passed))
        for standing in verdict.standings
    ]
    return Verdict(allowed=False, now=verdict.now + passed, standings=tuple(standings))


def _digest(sent: str) -> bytes:
    return blake2b(sent.encode("utf-8", "surrogatepass"), digest_size=16, key=_SALT).digest()


def _bound(remembered: dict[bytes, None] | dict[str, tuple[float, list[Bucket], Verdict]]) -> None:
    if len(remembered) >= REMEMBERED:
        remembered.clear()
