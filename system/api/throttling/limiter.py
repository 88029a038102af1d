"""The limiter: one trip to Redis takes a request from all its buckets, or from none."""

import logging
import math
import threading
from functools import cache, lru_cache
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
REMEMBERED_COMMANDS = 4_096

# The connection of each thread, and the pool whose settings it has.
_own = threading.local()


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
        numbers = [
            number
            for bucket in buckets
            for number in (bucket.rate.limit, bucket.rate.seconds * _MICROSECONDS, bucket.rate.burst)
        ]
        try:
            answer = _asked((len(buckets), *[bucket.key for bucket in buckets], *numbers))
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


def _asked(arguments: tuple[Any, ...]) -> list[int]:
    """What the script answers, over a connection itself: the client's retries and reports cost as much as the trip."""
    connection = _own_connection()
    try:
        _make_ready(connection)
        return _run(connection, arguments)
    except ValueError as error:
        connection.disconnect()
        # The client closes its buffer when a new connection gets no answer, and then tries to rewind it.
        raise redis.ConnectionError("no answer to the greeting") from error
    except BaseException:
        connection.disconnect()
        raise


def _own_connection() -> Any:
    """This thread's. Taking one from the client's pool and giving it back costs as much as the trip, too."""
    pool = redis_client("limits").connection_pool
    if getattr(_own, "pool", None) is not pool:
        _own.pool, _own.connection = pool, pool.connection_class(**pool.connection_kwargs)
    return _own.connection


def _make_ready(connection: Any) -> None:
    """Connect, if need be. An idle connection has nothing to read; one that the server has ended has."""
    connection.connect()
    try:
        ended = connection.can_read()
    except redis.ConnectionError:
        ended = True
    if ended:
        connection.disconnect()
        connection.connect()


def _run(connection: Any, arguments: tuple[Any, ...]) -> list[int]:
    try:
        answer = _said(connection, "EVALSHA", _digest(_SCRIPT), *arguments)
    except NoScriptError:
        # From now on this server knows it.
        answer = _said(connection, "EVAL", _SCRIPT, *arguments)
    return [int(number) for number in answer.split()]


def _said(connection: Any, *words: Any) -> bytes:
    connection.send_packed_command(_command(*words), check_health=False)
    return cast(bytes, connection.read_response())


@lru_cache(REMEMBERED_COMMANDS)
def _command(*words: Any) -> list[bytes]:
    """A command as it is sent (RESP, arrays of bulk strings); a caller sends the same one again and again."""
    texts = [str(word).encode() for word in words]
    return [b"*%d\r\n%b" % (len(texts), b"".join([b"$%d\r\n%b\r\n" % (len(text), text) for text in texts]))]


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
