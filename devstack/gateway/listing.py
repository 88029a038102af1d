"""A filtered, ordered listing with its mutated and vanished products, paged without walking it."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from typing import NamedTuple

from .wheel import Order


class Placed(NamedTuple):
    """A mutated product that belongs to a listing: sorts by where it falls among the unmutated ones."""

    rank: int
    modified: int
    product: int


class Listing:
    """The unmutated products of `order`, less those at the `hidden` ranks, with `placed` ones merged in."""

    def __init__(self, order: Order, hidden: Iterable[int], placed: Iterable[Placed]) -> None:
        self._order = order
        ranks = sorted(hidden)
        # How many survivors come before each hidden rank.
        self._survivors_before = [rank - number for number, rank in enumerate(ranks)]
        self._placed = sorted(placed)
        # Where each placed product ends up in the merged sequence.
        self._positions = [
            place.rank - bisect_left(ranks, place.rank) + number for number, place in enumerate(self._placed)
        ]
        self._length = len(order) - len(ranks) + len(self._placed)

    def __len__(self) -> int:
        return self._length

    def at(self, position: int) -> int:
        """The index of the product at a position from 0 to the length, less one."""
        number = bisect_left(self._positions, position)
        if number < len(self._positions) and self._positions[number] == position:
            return self._placed[number].product
        survivor = position - number
        return self._order.at(survivor + bisect_right(self._survivors_before, survivor))

    def window(self, start: int, count: int, *, descending: bool = False) -> list[int]:
        """The indexes at `start` and the following positions, as many as there are, at most `count`."""
        positions = range(max(start, 0), min(start + count, self._length))
        if descending:
            return [self.at(self._length - 1 - position) for position in positions]
        return [self.at(position) for position in positions]
