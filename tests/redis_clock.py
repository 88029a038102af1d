"""A clock that tests move, for scripts that go by the clock of Redis."""

from typing import Any

import redis

BEGIN = 1_767_225_600.0
KEY = "clock-of-a-test"
MICROSECONDS = 1_000_000
REAL = "redis.call('TIME')"
OURS = f"redis.call('HMGET', '{KEY}', 'seconds', 'microseconds')"


class RedisClock:
    """The time that scripts see; it stands still unless it is moved.

    Attributes:
        now: seconds since 1970.
    """

    def __init__(self, client: "redis.Redis") -> None:
        self._client: Any = client
        self.set(BEGIN)

    def set(self, moment: float) -> None:
        """Go to a moment; to be said again when Redis has lost everything."""
        self.now = moment
        seconds, microseconds = divmod(round(moment * MICROSECONDS), MICROSECONDS)
        self._client.hset(KEY, mapping={"seconds": seconds, "microseconds": microseconds})

    def advance(self, seconds: float) -> None:
        """Let time pass."""
        self.set(self.now + seconds)


def read_by(script: str) -> str:
    """A script that looks at the test's clock."""
    assert REAL in script
    return script.replace(REAL, OURS)
