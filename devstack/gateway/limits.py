"""Calls a second, calls a day and permissions of the app key, and the record of calls made."""

import time
from collections import Counter, deque
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from . import errors
from .clock import Clock

_LAST_CALLS = 200


class Window:
    """Moments within the last second; the second slides, so no burst hides behind a calendar second."""

    def __init__(self) -> None:
        self._moments: deque[float] = deque()

    def count(self, now: float) -> int:
        """How many moments lie in the second before `now` (monotonic seconds)."""
        while self._moments and self._moments[0] <= now - 1.0:
            self._moments.popleft()
        return len(self._moments)

    def add(self, now: float) -> int:
        """Counts one more and tells how many there are."""
        self._moments.append(now)
        return self.count(now)


class Limits:
    """What the app key may do. A limit of None is no limit. The quota's day is China's, by the simulator's clock;
    the second is a real one even when that clock stands still."""

    def __init__(self, clock: Clock, qps: int | None, daily: int | None, denied: Iterable[str]) -> None:
        self._clock = clock
        self.qps, self.daily, self.denied = qps, daily, frozenset(denied)
        self._window = Window()
        self._day = ""
        self._used = 0

    def check_permission(self, api: str) -> None:
        """Raises GatewayError for an API the app was not granted."""
        if api in self.denied:
            raise errors.acl_declined()

    def check_rate(self) -> None:
        """Counts one call. Raises GatewayError when there are too many this second or today."""
        now = time.monotonic()
        if self.qps is not None and self._window.count(now) >= self.qps:
            raise errors.too_frequent()
        if self.daily is not None and self.used_today() >= self.daily:
            raise errors.quota_used_up()
        self._window.add(now)
        self._used = self.used_today() + 1

    def used_today(self) -> int:
        """Accepted calls since midnight in China."""
        today = self._clock.day()
        if today != self._day:
            self._day, self._used = today, 0
        return self._used

    def describe(self) -> dict[str, Any]:
        """For the control plane."""
        return {"qps": self.qps, "daily": self.daily, "deny": sorted(self.denied), "used_today": self.used_today()}


@dataclass(frozen=True)
class Call:
    """One finished call; `params` without secrets."""

    api: str
    status: int
    error: str
    params: dict[str, str]


class CallLog:
    """Counts of calls by API and by error, the last of them, and the busiest second."""

    def __init__(self) -> None:
        self._window = Window()
        self._apis: Counter[str] = Counter()
        self._errors: Counter[str] = Counter()
        self._last: deque[Call] = deque(maxlen=_LAST_CALLS)
        self._busiest = 0

    def arrived(self) -> None:
        """Notes that a call came in, whatever becomes of it."""
        self._busiest = max(self._busiest, self._window.add(time.monotonic()))

    def finished(self, call: Call) -> None:
        """Keeps a finished call."""
        self._apis[call.api] += 1
        if call.error:
            self._errors[call.error] += 1
        self._last.append(call)

    def describe(self, last: int) -> dict[str, Any]:
        """For the control plane, with the `last` newest calls, oldest first."""
        return {
            "total": self._apis.total(),
            "apis": dict(self._apis),
            "errors": dict(self._errors),
            "max_per_second": self._busiest,
            "last": [asdict(call) for call in list(self._last)[-last:]] if last else [],
        }
