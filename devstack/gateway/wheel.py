"""Category, status and modification time of a million products, held in one small table.

Product number `index` sits on spoke `index % SPOKES`. Each spoke has a leaf category, a status and a
modification time, so that every filtered listing is an arithmetic progression per matching spoke: counting
and paging never look at products one by one.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate
from random import Random
from typing import NamedTuple, Protocol

from .categories import LEAVES
from .clock import parse_date

SPOKES = 10_000
PUBLISHED = "published"
EXPIRED = "expired"

# Out of a thousand products; the rest is on sale.
_STATUS_SHARES = {
    EXPIRED: 14, "auto expired": 4, "member expired": 2, "auditing": 3, "modified": 2,
    "new": 1, "approved": 1, "untread": 1, "TBD": 1, "member deleted": 1,
}  # fmt: skip

# Unmutated products were last modified in the 400 days before this moment.
BASE_EPOCH = parse_date("20250901000000000+0800")
_BASE_SPAN_SECONDS = 400 * 86_400


class Traits(NamedTuple):
    """What listings filter by; `modified` in milliseconds since the epoch."""

    leaf: int
    status: str
    modified: int


@dataclass(frozen=True)
class Filter:
    """A listing's conditions; None means any. Both ends of the modification window are included."""

    leaves: frozenset[int] | None = None
    statuses: frozenset[str] | None = None
    modified_from: int | None = None
    modified_to: int | None = None

    def matches(self, traits: Traits) -> bool:
        """Whether a product with these traits belongs to the listing."""
        return (
            (self.leaves is None or traits.leaf in self.leaves)
            and (self.statuses is None or traits.status in self.statuses)
            and (self.modified_from is None or traits.modified >= self.modified_from)
            and (self.modified_to is None or traits.modified <= self.modified_to)
        )


def build_spokes(seed: int) -> tuple[Traits, ...]:
    """The table of one seed. Leaves have unequal shares, as in a real catalogue."""
    random = Random(seed)
    leaves = random.choices(LEAVES, weights=[random.randint(2, 10) for _ in LEAVES], k=SPOKES)
    statuses = [status for status, share in _STATUS_SHARES.items() for _ in range(share * SPOKES // 1000)]
    statuses += [PUBLISHED] * (SPOKES - len(statuses))
    random.shuffle(statuses)
    ages = random.sample(range(_BASE_SPAN_SECONDS), SPOKES)
    return tuple(
        Traits(leaf, status, BASE_EPOCH - age * 1000 + random.randrange(1000))
        for leaf, status, age in zip(leaves, statuses, ages, strict=True)
    )


class Order(Protocol):
    """The unmutated products of a listing in their order."""

    def __len__(self) -> int: ...

    def at(self, position: int) -> int:
        """The product index at a position."""

    def rank(self, index: int, modified: int) -> int:
        """How many products of the order come before a product with this index and modification time."""


class ById:
    """Ascending ids, which is ascending indexes: lap after lap over the matching spokes."""

    def __init__(self, spokes: Sequence[int], size: int) -> None:
        self._spokes = sorted(spokes)
        self._size = size

    def __len__(self) -> int:
        return self.rank(self._size, 0)

    def at(self, position: int) -> int:
        """See `Order`."""
        lap, spoke = divmod(position, len(self._spokes))
        return lap * SPOKES + self._spokes[spoke]

    def rank(self, index: int, modified: int) -> int:  # noqa: ARG002 - the same question for every order
        """See `Order`."""
        lap, spoke = divmod(index, SPOKES)
        return lap * len(self._spokes) + bisect_left(self._spokes, spoke)


class ByModification:
    """Ascending modification time, then id: all laps of one spoke share a time, so spokes follow each other."""

    def __init__(self, spokes: Sequence[int], size: int, table: Sequence[Traits]) -> None:
        self._spokes = sorted((s for s in spokes if s < size), key=lambda s: table[s].modified)
        self._times = [table[spoke].modified for spoke in self._spokes]
        self._starts = list(accumulate((_laps(size, spoke) for spoke in self._spokes), initial=0))

    def __len__(self) -> int:
        return self._starts[-1]

    def at(self, position: int) -> int:
        """See `Order`."""
        place = bisect_right(self._starts, position) - 1
        return self._spokes[place] + (position - self._starts[place]) * SPOKES

    def rank(self, index: int, modified: int) -> int:
        """See `Order`."""
        place = bisect_left(self._times, modified)
        if place == len(self._times) or self._times[place] != modified:
            return self._starts[place]
        within = _laps(index, self._spokes[place])
        return min(self._starts[place] + within, self._starts[place + 1])


def _laps(size: int, spoke: int) -> int:
    """How many indexes below `size` sit on a spoke."""
    return max(0, -(-(size - spoke) // SPOKES))
