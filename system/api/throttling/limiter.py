"""The limiter: one trip to Redis takes a request from all its buckets, or from none."""

import logging
import math
import threading
from functools import cache
from hashlib import sha1
from pathlib import Path
from time import monotonic
from typing import Any, NamedTuple, cast

import redis
from redis.exceptions import NoScriptError

from system.api.throttling.rates import Rate
from system.redis import key, redis_client

logger = logging.getLogger(__name__)

# After a failure Redis is left alone this long: a dead one costs one short time-out, not one a request.
PAUSE_SECONDS = 3.0

_SCRIPT = Path(__file__).with_name("take.lua").read_text(encoding="utf-8")
_MICROSECONDS = 1_000_000
_PER_BUCKET = 3


class Bucket(NamedTuple):
    """What a request is taken from.

    Attributes:
        name: of the limit, as clients see it: "user", "ip", "login".
        owner: whose bucket it is: a user's id, an address.
    """

    name: str
    owner: str
    rate: Rate

    @property
    def key(self) -> str:
        """Where Redis keeps it; a rate by the hour and one by the minute share nothing."""
        return key("rate", self.name, self.owner, self.rate.seconds)


class Standing(NamedTuple):
    """How one bucket stands after the request.

    Attributes:
        reset: seconds until all of the limit is available again, if nothing else is asked for.
        wait: seconds until the next request passes; 0 when this one did, unless another bucket refused it.
    """

    name: str
    rate: Rate
    remaining: int
    reset: int
    wait: int


class Verdict(NamedTuple):
    """What the limiter says about a request.

    Attributes:
        now: the clock of Redis, seconds since 1970.
    """

    allowed: bool
    now: int
    standings: tuple[Standing, ...]

    @property
    def tightest(self) -> Standing:
        """The bucket that refused for longest; of a request that passed, the one that will refuse first."""
        if self.allowed:
            return min(self.standings, key=lambda standing: standing.remaining)
        return max(self.standings, key=lambda standing: standing.wait)


class Limiter:
    """Asks Redis, and stops asking for a while when it does not answer."""

    def __init__(self) -> None:
        self._silent_until = 0.0
        self._lock = threading.Lock()

    def take(self, buckets: list[Bucket]) -> Verdict | None:
        """Take one request from each bucket, or from none; None when Redis does not answer."""
        if not self._may_ask():
            return None
        arguments = [
            number
            for bucket in buckets
            for number in (bucket.rate.limit, bucket.rate.seconds * _MICROSECONDS, bucket.rate.burst)
        ]
        try:
            answer = _asked([len(buckets), *(bucket.key for bucket in buckets), *arguments])
        except redis.RedisError as error:
            self._pause(error)
            return None
        self._silent_until = 0.0
        return _verdict(buckets, answer)

    def forget(self) -> None:
        """Ask again at once."""
        self._silent_until = 0.0

    def _may_ask(self) -> bool:
        if not self._silent_until:
            return True
        with self._lock:
            if monotonic() < self._silent_until:
                return False
            # This request finds out for all others whether Redis is back.
            self._silent_until = monotonic() + PAUSE_SECONDS
            return True

    def _pause(self, error: redis.RedisError) -> None:
        with self._lock:
            self._silent_until = monotonic() + PAUSE_SECONDS
        logger.warning("rate limits are off, Redis does not answer: %s", type(error).__name__)


limiter = Limiter()


def _asked(arguments: list[Any]) -> list[int]:
    """What the script answers, over a connection itself: the client's retries and reports cost as much as the trip."""
    pool = redis_client("limits").connection_pool
    try:
        connection: Any = pool.get_connection()
    except ValueError as error:
        # The client closes its buffer when a new connection gets no answer, and then tries to rewind it.
        raise redis.ConnectionError("no answer to the greeting") from error
    try:
        return _run(connection, arguments)
    except BaseException:
        connection.disconnect()
        raise
    finally:
        pool.release(connection)


def _run(connection: Any, arguments: list[Any]) -> list[int]:
    connection.send_command("EVALSHA", _digest(_SCRIPT), *arguments)
    try:
        return cast("list[int]", connection.read_response())
    except NoScriptError:
        # From now on this server knows it.
        connection.send_command("EVAL", _SCRIPT, *arguments)
        return cast("list[int]", connection.read_response())


@cache
def _digest(script: str) -> str:
    """The name Redis knows a script by."""
    return sha1(script.encode(), usedforsecurity=False).hexdigest()


def _verdict(buckets: list[Bucket], answer: list[int]) -> Verdict:
    allowed, now, *figures = answer
    standings = []
    for number, bucket in enumerate(buckets):
        remaining, full, wait = figures[number * _PER_BUCKET : (number + 1) * _PER_BUCKET]
        standings.append(Standing(bucket.name, bucket.rate, remaining, _seconds(full - now), _seconds(wait)))
    return Verdict(bool(allowed), math.ceil(now / _MICROSECONDS), tuple(standings))


def _seconds(microseconds: int) -> int:
    return math.ceil(microseconds / _MICROSECONDS)
