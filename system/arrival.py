"""What was read after a request had arrived is new enough for it, whoever it was read for.

Requests that wait for their turn at the same time so share a reading, and none sees less than what was committed before
it was sent.
"""

from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from math import inf
from time import monotonic
from typing import Generic, TypeVar

# Key of a WSGI environment under which the server says when a request was whole, by `monotonic`.
ARRIVED = "server.arrived"

_arrived: ContextVar[float] = ContextVar("arrived", default=inf)

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


@contextmanager
def arrival_scope(arrived: float | None) -> Iterator[None]:
    """Everything inside is done for a request that arrived then; None: just now."""
    token = _arrived.set(monotonic() if arrived is None else arrived)
    try:
        yield
    finally:
        _arrived.reset(token)


class Readings(Generic[Key, Value]):
    """What was read last, by what was asked. For requests that only read: one that writes might miss its own writes.

    Args:
        size: how many are remembered; none is of use for long.
    """

    def __init__(self, size: int) -> None:
        self._size = size
        self._taken: dict[Key, tuple[float, Value]] = {}

    def read(self, key: Key, read: Callable[[], Value]) -> Value:
        """What `read` gives, or gave since the request of this moment arrived; outside of requests it always reads."""
        known = self._taken.get(key)
        if known and known[0] > _arrived.get():
            return known[1]
        begun = monotonic()
        value = read()
        if len(self._taken) >= self._size:
            self._taken.clear()
        self._taken[key] = begun, value
        return value
