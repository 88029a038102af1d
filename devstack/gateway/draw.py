"""Repeatable numbers: everything the simulator invents is drawn from a hash of the seed and a key."""

from collections.abc import Sequence
from hashlib import blake2b
from typing import TypeVar

T = TypeVar("T")

_DIGEST_BYTES = 64
_MASK = (1 << 64) - 1


class Draw:
    """Numbers that depend on `key` alone; cheaper by far than seeding `random.Random` for every product."""

    __slots__ = ("_pool",)

    def __init__(self, *key: object) -> None:
        digest = blake2b(repr(key).encode(), digest_size=_DIGEST_BYTES).digest()
        self._pool = int.from_bytes(digest, "big")

    def below(self, limit: int) -> int:
        """The next whole number from 0 up to, but not including, `limit`."""
        self._pool, value = divmod(self._pool, limit)
        return value

    def between(self, low: int, high: int) -> int:
        """The next whole number from `low` to `high`, both included."""
        self._pool, value = divmod(self._pool, high - low + 1)
        return low + value

    def pick(self, values: Sequence[T]) -> T:
        """One of `values`."""
        self._pool, place = divmod(self._pool, len(values))
        return values[place]

    def some(self, values: Sequence[T], count: int) -> tuple[T, ...]:
        """`count` neighbours of the circular sequence `values`, at most all of them, none twice."""
        size = len(values)
        self._pool, start = divmod(self._pool, size)
        stop = start + min(count, size)
        if stop <= size:
            return tuple(values[start:stop])
        return (*values[start:], *values[: stop - size])


def mix(seed: int, value: int) -> int:
    """64 well-mixed bits of two numbers (the finalizer of splitmix64): a hash that costs half a microsecond."""
    word = (value * 0x9E3779B97F4A7C15 + seed * 0xD1B54A32D192ED03 + 0x2545F4914F6CDD1D) & _MASK
    word = ((word ^ (word >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    word = ((word ^ (word >> 27)) * 0x94D049BB133111EB) & _MASK
    return word ^ (word >> 31)
