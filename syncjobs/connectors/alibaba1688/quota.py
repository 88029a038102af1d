"""The shared right to call the platform: one pace, one daily ledger and fair turns per app key.

Redis counts, in one round trip a call; what it counted is written through to a store that survives it (`Ledger`), in
portions of a few calls.
"""

import logging
import time
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Protocol, cast

import msgspec
import redis

from syncjobs.connectors.alibaba1688.dates import next_china_midnight
from syncjobs.connectors.alibaba1688.quota_scripts import (
    BEGIN,
    PAUSE,
    RAISE,
    REFUSED,
    TAKE,
    TOO_LONG,
    UNKNOWN,
    USED_UP,
)
from syncjobs.engine.errors import QuotaExhausted, RetryableSourceError

LONGEST_WAIT_SECONDS = 15.0
LEDGER_SECONDS = 8 * 86_400
LIMITER_RETRY_SECONDS = 5.0
# Calls are written through this often; what Redis loses at most, of a small limit half a percent.
PORTION_CALLS, PORTION_SECONDS = 25, 5.0
PORTIONS_A_DAY = 200
# Stands in the ledger for the calls that were made since the last portion when Redis lost its numbers.
LOST = "(lost)"
# How much of the calls a job gets beside another one; whoever waits at a screen is served like a critical job.
WEIGHTS = {"critical": 16, "default": 4, "low": 1}

_MICROSECONDS = 1_000_000
# Calls arrive unevenly; without a little room the platform would count one too many in some seconds.
_ROOM = 1.02
_EPOCH = date(1970, 1, 1)
_CHINA_SECONDS = 28_800

logger = logging.getLogger(__name__)


class Counted(msgspec.Struct, frozen=True):
    """Calls of one API on one day: made, those of them the platform refused because of their number, and when it last
    said that all are used up.
    """

    calls: int = 0
    refused: int = 0
    used_up_at: datetime | None = None


class Ledger(Protocol):
    """Where counts survive Redis."""

    def load(self, day: date) -> dict[str, Counted]:
        """What is known of a day, by API.

        Raises:
            RetryableSourceError: nobody knows at the moment.
        """
        ...

    def save(self, day: date, counts: Mapping[str, Counted]) -> dict[str, Counted]:
        """Keep the larger numbers; returns those that are kept. Empty when that must wait."""
        ...


class NoLedger:
    """Nothing survives: for sources without a store, and tests."""

    def load(self, _day: date) -> dict[str, Counted]:
        """Nothing is known."""
        return {}

    def save(self, _day: date, counts: Mapping[str, Counted]) -> dict[str, Counted]:
        """Nothing is kept."""
        return dict(counts)


class Pace(msgspec.Struct, frozen=True, kw_only=True):
    """What an app key may do. `daily_limit` None = uncounted by us; from `hold_at` calls on only critical jobs call."""

    qps: float
    daily_limit: int | None = None
    hold_at: int | None = None


class Asker(msgspec.Struct, frozen=True, kw_only=True):
    """On whose behalf calls are made: a job by its number, or whoever waits at a screen."""

    job: str = "-"
    priority: str = "critical"


class RedisCallGate:
    """A CallGate all workers share. `key` names the app key's bucket. Without Redis nobody calls, since nobody would
    know how often.
    """

    def __init__(
        self,
        client: redis.Redis,
        key: str,
        pace: Pace,
        sleep: Callable[[float], None] = time.sleep,
        longest_wait: float = LONGEST_WAIT_SECONDS,
        *,
        ledger: Ledger | None = None,
        asker: Asker | None = None,
    ) -> None:
        self._pace, self._sleep, self._longest_wait = pace, sleep, longest_wait
        self._asker, self._ledger = asker or Asker(), ledger or NoLedger()
        # The braces keep an app key's keys together on one node of a cluster.
        self._next, self._pause, self._turns = f"{{{key}}}:next", f"{{{key}}}:pause", f"{{{key}}}:turns"
        self._book = f"{{{key}}}:calls:"
        self._client = client
        self._take, self._begin, self._raise, self._note, self._stop = map(
            client.register_script, (TAKE, BEGIN, RAISE, REFUSED, PAUSE)
        )
        self._is_down = False

    @property
    def _interval(self) -> int:
        return round(_MICROSECONDS / self._pace.qps * _ROOM)

    def acquire(self, api: str) -> None:
        """Wait for the moment of this call, at most `longest_wait` seconds, and count it.

        Raises:
            RetryableSourceError: code `rate_limited`, the wait would be longer; `limiter_unavailable`, no Redis, or
                nobody knows how many calls were made.
            QuotaExhausted: the day's ledger is full, or full but for the reserve, until midnight in China.
        """
        try:
            day = self._wait_for_turn(api)
            if day:
                self.write_through(_date(day))
        except redis.RedisError as error:
            raise self._unavailable(error) from None
        self._is_down = False

    def slow_down(self, seconds: float) -> None:
        """Let no worker call for this long, nor those that already wait for their turn. Raises as `acquire`."""
        try:
            self._stop(keys=[self._pause], args=[round(seconds * _MICROSECONDS)])
        except redis.RedisError as error:
            raise self._unavailable(error) from None

    def refused(self, api: str, *, used_up: bool = False) -> None:
        """Note that the platform refused a call that was counted: too fast, or all calls are used up."""
        try:
            day = self._note(keys=[self._book], args=[api, int(used_up)])
            if used_up:
                self.write_through(_date(cast("int", day)))
        except redis.RedisError as error:
            raise self._unavailable(error) from None

    def counted(self, day: date | None = None) -> dict[str, Counted]:
        """What was counted on a day, today when left out, by API; from the store where Redis does not know it.

        Raises as `acquire`.
        """
        try:
            day = day or self.today()
            return self.counted_here(day) or self._ledger.load(day)
        except redis.RedisError as error:
            raise self._unavailable(error) from None

    def counted_here(self, day: date) -> dict[str, Counted]:
        """What Redis alone knows of a day. Raises `redis.RedisError`."""
        return _read(cast("dict[bytes, bytes]", self._client.hgetall(self._book_of(day))))

    def used_today(self) -> int:
        """Calls counted since midnight in China. Raises as `acquire`."""
        return sum(api.calls for api in self.counted().values())

    def today(self) -> date:
        """The day in China by Redis' clock. Raises `redis.RedisError`."""
        seconds, _ = self._client.time()
        return _date((seconds + _CHINA_SECONDS) // 86_400)

    def write_through(self, day: date, *, only_news: bool = False) -> None:
        """Bring the day's numbers to the store, and larger ones back from there. Raises `redis.RedisError`.

        Args:
            only_news: nothing is done when all of them are there.
        """
        found = cast("dict[bytes, bytes]", self._client.hgetall(self._book_of(day)))
        counts = _read(found)
        if not counts or (only_news and found.get(b"written") == found.get(b"total")):
            return
        kept = self._ledger.save(day, counts)
        larger = {api: stored for api, stored in kept.items() if stored.calls > counts.get(api, Counted()).calls}
        if larger:
            self._raise(keys=[self._book_of(day)], args=_written(larger))
        elif kept:
            self._client.hset(self._book_of(day), "written", found[b"total"])

    def _wait_for_turn(self, api: str) -> int:
        """Returns the day to write through, or 0."""
        gives_up_at, waited = self._longest_wait, 0.0
        while True:
            verdict, microseconds, day = self._ask(api, gives_up_at - waited, has_waited=waited > 0)
            if verdict == USED_UP:
                raise self._used_up(api, microseconds)
            if verdict == TOO_LONG:
                raise _too_long(microseconds / _MICROSECONDS)
            if verdict == UNKNOWN:
                self._begin_ledger(microseconds)
            elif not microseconds:
                return day
            else:
                self._sleep(microseconds / _MICROSECONDS)
                waited += microseconds / _MICROSECONDS

    def _ask(self, api: str, patience: float, *, has_waited: bool) -> tuple[int, int, int]:
        limit = self._limit()
        values: list[str | int] = [
            self._interval,
            limit or 0,
            round(max(patience, 0.0) * _MICROSECONDS),
            api,
            self._asker.job,
        ]
        values += [WEIGHTS.get(self._asker.priority, 1), int(has_waited)]
        values += [portion(self._pace.daily_limit), round(PORTION_SECONDS * _MICROSECONDS)]
        keys = [self._next, self._book, self._pause, self._turns]
        return cast("tuple[int, int, int]", self._take(keys=keys, args=values))

    def _limit(self) -> int | None:
        """Calls a day on behalf of this asker."""
        if self._asker.priority == "critical" or self._pace.hold_at is None:
            return self._pace.daily_limit
        return self._pace.hold_at

    def _begin_ledger(self, now: int) -> None:
        """Redis knows nothing of this day: it has just begun, or the numbers are lost and come from the store.

        Of those, some may have been made since the last portion; they count as made, so that no call is made twice
        over the limit.
        """
        day = _date((now // _MICROSECONDS + _CHINA_SECONDS) // 86_400)
        known = self._ledger.load(day)
        if known:
            logger.warning("the ledger of calls was lost with Redis and begins again with what is stored")
            lost = known.get(LOST, Counted())
            known[LOST] = Counted(lost.calls + portion(self._pace.daily_limit))
        self._begin(keys=[self._next, self._book_of(day)], args=_begun(self._interval, known))

    def _book_of(self, day: date) -> str:
        return f"{self._book}{(day - _EPOCH).days}"

    def _used_up(self, api: str, microseconds: int) -> QuotaExhausted:
        until = next_china_midnight(datetime.fromtimestamp(microseconds / _MICROSECONDS, UTC))
        limit, daily = self._limit(), self._pace.daily_limit
        if limit == daily:
            return QuotaExhausted(f"The daily limit of {daily} calls is reached at {api}.", until=until)
        text = f"{limit} of {daily} calls of the day are made; the rest is kept for critical jobs."
        return QuotaExhausted(text, until=until)

    def _unavailable(self, error: redis.RedisError) -> RetryableSourceError:
        if not self._is_down:
            self._is_down = True
            logger.error("call limiter unavailable, no calls until Redis is back: %s", type(error).__name__)
        return limiter_unavailable()


def portion(daily_limit: int | None) -> int:
    """How many calls are written through together."""
    return PORTION_CALLS if daily_limit is None else max(1, min(PORTION_CALLS, daily_limit // PORTIONS_A_DAY))


def limiter_unavailable() -> RetryableSourceError:
    """No call can be made, because nobody could count it."""
    return RetryableSourceError(
        "The call limiter is unavailable.", code="limiter_unavailable", retry_after=LIMITER_RETRY_SECONDS, waits=True
    )


def _too_long(seconds: float) -> RetryableSourceError:
    return RetryableSourceError("No call is free for a while.", code="rate_limited", retry_after=seconds, waits=True)


def _date(day: int) -> date:
    return _EPOCH + timedelta(days=day)


def _read(found: Mapping[bytes, bytes]) -> dict[str, Counted]:
    """The numbers of a ledger in Redis, by API."""
    numbers = {name.decode(): int(float(number)) for name, number in found.items()}
    apis = {name[2:] for name in numbers if name[:2] in ("c:", "r:", "u:")}
    return {api: _counted(api, numbers) for api in sorted(apis)}


def _counted(api: str, numbers: Mapping[str, int]) -> Counted:
    used_up = numbers.get(f"u:{api}")
    return Counted(
        calls=numbers.get(f"c:{api}", 0),
        refused=numbers.get(f"r:{api}", 0),
        used_up_at=datetime.fromtimestamp(used_up, UTC) if used_up else None,
    )


def _begun(interval: int, known: Mapping[str, Counted]) -> list[str | int]:
    return [interval, LEDGER_SECONDS, *_written(known)]


def _written(counts: Mapping[str, Counted]) -> list[str | int]:
    """The other way round: names and numbers."""
    values: list[str | int] = []
    for api, counted in counts.items():
        values += [f"c:{api}", counted.calls, f"r:{api}", counted.refused]
        if counted.used_up_at:
            values += [f"u:{api}", int(counted.used_up_at.timestamp())]
    return values
