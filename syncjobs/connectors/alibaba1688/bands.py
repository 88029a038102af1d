"""Parts of a search: a keyword in a category between two prices, split until each part fits into the window."""

from collections.abc import Callable, Generator, Iterator
from math import isqrt
from typing import Any, Generic, NamedTuple, Protocol, TypeVar

import msgspec

from syncjobs.connectors.alibaba1688.apis import SEARCH_WINDOW
from syncjobs.connectors.alibaba1688.doubts import Doubts

# Measuring calls of one plan; a search that needs more is left in parts that are too large, and says so.
MOST_MEASURES = 2000
# Fen; above it prices are not looked at more closely.
HIGHEST_PRICE = 1_000_000_00


class Band(msgspec.Struct, frozen=True, kw_only=True):
    """One query; prices in fen, both ends included, None = no limit on that side."""

    keyword: str
    category_id: int | None = None
    low: int | None = None
    high: int | None = None

    def halves(self) -> "tuple[Band, ...]":
        """The cheaper and the dearer half, by ratio, since prices spread by ratio; none of a single price."""
        low = max(self.low or 0, 1)
        high = HIGHEST_PRICE if self.high is None else self.high
        if low >= high:
            return ()
        middle = isqrt(low * high)
        replace = msgspec.structs.replace
        return replace(self, high=middle), replace(self, low=middle + 1)

    def described(self) -> dict[str, Any]:
        """For a doubt; prices in yuan, as the options have them."""
        prices = {"price_from": self.low, "price_to": self.high}
        shown = {name: None if fen is None else f"{fen / 100:.2f}" for name, fen in prices.items()}
        return {"keyword": self.keyword, "category_id": self.category_id, **shown}


class Measured(Protocol):
    """The first page of a band."""

    @property
    def total(self) -> int | None:
        """How many offers the platform counts, at most as many as its window shows."""
        ...


M = TypeVar("M", bound=Measured)
Children = Callable[[int | None], tuple[int, ...]]


class Fitting(NamedTuple, Generic[M]):
    """A band that is read as it is, with the first page that measured it."""

    band: Band
    first: M


class Partition(Generic[M]):
    """Splits bands by categories as far as the tree goes, then by price, always the fullest view of the order.

    Categories first, because a product that changes its price between two bands while they are read is missed or met
    twice, while hardly any changes its category.
    """

    def __init__(self, measure: Callable[[Band], M], children: Children, doubts: Doubts) -> None:
        self._measure, self._children, self._doubts = measure, children, doubts
        self._measures = 0

    def fitting(self, root: Band) -> Iterator[Fitting[M]]:
        """The parts of `root`, lazily. Raises what `measure` and `children` raise."""
        yield from self._fit(root)

    def _fit(self, band: Band) -> Generator[Fitting[M], None, int]:
        """Yields the parts; returns how many offers they count together."""
        first = self._measure(band)
        self._measures += 1
        total = first.total or 0
        parts = self._parts(band, total) if total >= SEARCH_WINDOW else ()
        if not parts:
            yield Fitting(band, first)
            return total
        counted = 0
        for part in parts:
            counted += yield from self._fit(part)
        if counted < total:
            self._doubts.add("split_loses_offers", **band.described(), total=total, in_parts=counted)
        return counted

    def _parts(self, band: Band, total: int) -> tuple[Band, ...]:
        if self._measures >= MOST_MEASURES:
            self._doubts.add("too_many_parts", **band.described(), total=total)
            return ()
        categories = () if band.low is not None or band.high is not None else self._children(band.category_id)
        by_category = tuple(msgspec.structs.replace(band, category_id=number) for number in categories)
        parts = by_category or band.halves()
        if not parts:
            self._doubts.add("band_exceeds_window", **band.described(), total=total)
        return parts
