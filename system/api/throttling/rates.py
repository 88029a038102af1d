"""How much is allowed: rates as text, such as "100/hour", and where they come from."""

import re
from collections.abc import Callable
from functools import cache
from typing import NamedTuple

from django.conf import settings

UNLIMITED = "unlimited"
SECONDS = {"second": 1, "minute": 60, "hour": 3600, "day": 86_400}
# Counts in microseconds stay exact far beyond this.
MAX_LIMIT = 1_000_000
_RATE = re.compile(r"([1-9][0-9]{0,6}) ?/ ?(second|minute|hour|day)(?:,? burst ([1-9][0-9]{0,6}))?")


def _configured(_name: str, configured: str) -> str:
    return configured


_in_force: Callable[[str, str], str] = _configured


class Rate(NamedTuple):
    """So many requests in any window of so many seconds, at most `burst` of them at once."""

    limit: int
    seconds: int
    burst: int


@cache
def parse_rate(text: str) -> Rate | None:
    """The rate that "1000/hour", "10/second" or "1000/hour, burst 50" stands for; None for "unlimited".

    Without a burst the whole limit may be used at once.

    Raises:
        ValueError: none of these forms, or over a million.
    """
    if text == UNLIMITED:
        return None
    found = _RATE.fullmatch(text)
    if found is None:
        raise ValueError(f'not a rate such as "100/hour", "100/hour, burst 20" or "unlimited": {text!r}')
    limit, burst = int(found[1]), int(found[3] or found[1])
    if limit > MAX_LIMIT or burst > limit:
        raise ValueError(f"at most {MAX_LIMIT}, and a burst of at most the limit: {text!r}")
    return Rate(limit, SECONDS[found[2]], burst)


def rate_of(name: str) -> Rate | None:
    """The rate of a tier ("free"), of "anonymous" callers, or of a bucket a view declares; None for unlimited.

    Raises:
        KeyError: there is no such rate.
    """
    return parse_rate(_in_force(name, settings.THROTTLE_RATES[name]))


def rates() -> dict[str, str]:
    """Every rate as text, by name, as it is in force now."""
    return {name: _in_force(name, configured) for name, configured in settings.THROTTLE_RATES.items()}


def overrule_with(in_force: Callable[[str, str], str]) -> None:
    """Have every use of a rate ask `in_force(name, configured)`; called from `AppConfig.ready()`.

    The settings read this module before there is anything to ask.
    """
    global _in_force
    _in_force = in_force
