"""The shared right to call the platform: one pace and one daily ledger per app key, kept in Redis."""

import logging
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import cast

import redis

from syncjobs.connectors.alibaba1688.dates import next_china_midnight
from syncjobs.engine.errors import QuotaExhausted, RetryableSourceError

LONGEST_WAIT_SECONDS = 15.0
LEDGER_SECONDS = 8 * 86_400  # a week of ledgers stays readable
LIMITER_RETRY_SECONDS = 5.0

_MICROSECONDS = 1_000_000
# Calls arrive unevenly; without a little room the platform would count one too many in some seconds.
_ROOM = 1.02
_TAKEN, _TOO_LONG, _USED_UP = 0, 1, 2

# A token bucket that holds one token, so that no second sees more than its share of calls: the caller is handed the
# moment of its call. KEYS: next free moment, ledger, pause. ARGV: microseconds between calls, calls a day (0 = no
# limit), longest wait, seconds a ledger lives. Only Redis' own clock counts; days are China's (UTC+8).
# Answers {0, wait}, {1, wait} or {2, now}, in microseconds.
_TAKE = """
local clock = redis.call('TIME')
local now = clock[1] * 1000000 + clock[2]
local ledger = KEYS[2] .. math.floor((clock[1] + 28800) / 86400)
local limit = tonumber(ARGV[2])
if limit > 0 and tonumber(redis.call('GET', ledger) or 0) >= limit then return {2, now} end
local at = math.max(now, tonumber(redis.call('GET', KEYS[1]) or 0), tonumber(redis.call('GET', KEYS[3]) or 0))
if at - now > tonumber(ARGV[3]) then return {1, at - now} end
redis.call('SET', KEYS[1], string.format('%.0f', at + ARGV[1]), 'PX', math.ceil((at - now + ARGV[1]) / 1000) + 1000)
redis.call('INCR', ledger)
redis.call('EXPIRE', ledger, ARGV[4])
return {0, at - now}
"""

# Lengthens the pause, never shortens it. KEYS: pause. ARGV: microseconds.
_PAUSE = """
local clock = redis.call('TIME')
local until_ = clock[1] * 1000000 + clock[2] + ARGV[1]
if until_ > tonumber(redis.call('GET', KEYS[1]) or 0) then
  redis.call('SET', KEYS[1], string.format('%.0f', until_), 'PX', math.ceil(ARGV[1] / 1000) + 1)
end
"""

logger = logging.getLogger(__name__)


class RedisCallGate:
    """A CallGate all workers share. `key` names the app key's bucket, `qps` is calls a second, `daily_limit` calls a
    day in China (None = uncounted by us). Without Redis nobody calls, since nobody would know how often."""

    def __init__(
        self,
        client: redis.Redis,
        key: str,
        qps: float,
        daily_limit: int | None,
        sleep: Callable[[float], None] = time.sleep,
        longest_wait: float = LONGEST_WAIT_SECONDS,
    ) -> None:
        self._interval = round(_MICROSECONDS / qps * _ROOM)
        self._daily_limit, self._sleep, self._longest_wait = daily_limit, sleep, longest_wait
        # The braces keep an app key's keys together on one node of a cluster.
        self._next, self._ledger, self._pause = f"{{{key}}}:next", f"{{{key}}}:calls:", f"{{{key}}}:pause"
        self._take_script, self._pause_script = client.register_script(_TAKE), client.register_script(_PAUSE)
        self._client = client
        self._is_down = False

    def acquire(self, api: str) -> None:
        """Wait for the moment of this call, at most `longest_wait` seconds, and count it.

        Raises:
            RetryableSourceError: code `rate_limited`, the wait would be longer; `limiter_unavailable`, no Redis.
            QuotaExhausted: the day's ledger is full, until midnight in China.
        """
        try:
            self._wait_for_turn(api)
        except redis.RedisError as error:
            raise self._unavailable(error) from None
        self._is_down = False

    def slow_down(self, seconds: float) -> None:
        """Let no worker call for this long, nor those that already wait for their turn. Raises as `acquire`."""
        try:
            self._pause_script(keys=[self._pause], args=[round(seconds * _MICROSECONDS)])
        except redis.RedisError as error:
            raise self._unavailable(error) from None

    def used_today(self) -> int:
        """Calls counted since midnight in China. Raises as `acquire`."""
        try:
            seconds, _ = self._client.time()
            return int(cast("bytes | None", self._client.get(f"{self._ledger}{(seconds + 28_800) // 86_400}")) or 0)
        except redis.RedisError as error:
            raise self._unavailable(error) from None

    def _wait_for_turn(self, api: str) -> None:
        verdict, microseconds = self._take()
        if verdict == _USED_UP:
            until = next_china_midnight(datetime.fromtimestamp(microseconds / _MICROSECONDS, UTC))
            raise QuotaExhausted(f"The daily limit of {self._daily_limit} calls is reached at {api}.", until=until)
        if verdict == _TOO_LONG:
            raise _too_long(microseconds / _MICROSECONDS)
        if microseconds:
            self._sleep(microseconds / _MICROSECONDS)
            self._wait_for_pause()

    def _take(self) -> tuple[int, int]:
        limits = [self._interval, self._daily_limit or 0, round(self._longest_wait * _MICROSECONDS), LEDGER_SECONDS]
        verdict = self._take_script(keys=[self._next, self._ledger, self._pause], args=limits)
        return cast("tuple[int, int]", verdict)

    def _wait_for_pause(self) -> None:
        """The platform may have said "too fast" to another worker while we slept."""
        remaining = self._client.pttl(self._pause) / 1000
        if remaining > self._longest_wait:
            raise _too_long(remaining)
        if remaining > 0:
            self._sleep(remaining)

    def _unavailable(self, error: redis.RedisError) -> RetryableSourceError:
        if not self._is_down:
            self._is_down = True
            logger.error("call limiter unavailable, no calls until Redis is back: %s", type(error).__name__)
        return RetryableSourceError(
            "The call limiter is unavailable.", code="limiter_unavailable", retry_after=LIMITER_RETRY_SECONDS
        )


def _too_long(seconds: float) -> RetryableSourceError:
    return RetryableSourceError("No call is free for a while.", code="rate_limited", retry_after=seconds)
