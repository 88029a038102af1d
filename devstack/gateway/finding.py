"""What searches and offer pools hold, and in which order; remembered until the catalogue changes."""

from dataclasses import dataclass
from functools import cache
from hashlib import blake2b

from .categories import ROOT, leaves_under
from .crossborder import open_id
from .draw import mix
from .faults import Rule
from .live import LiveCatalogue
from .wheel import PUBLISHED, Filter

TAGS = ("shipIn24Hours", "shipIn48Hours", "certifiedFactory", "isOnePsale", "new7", "1688Selection")
# Pool 1 holds everything on sale, pool 2 every third of it.
POOLS = {1: 1, 2: 3}
_CACHED = 64
_KEPT_TASKS = 16


@dataclass(frozen=True)
class Query:
    """What a search asks for; prices in fen, both ends included. None means any."""

    leaves: frozenset[int] | None = None
    keyword: str = ""
    low: int | None = None
    high: int | None = None
    tags: frozenset[str] = frozenset()
    seller: str | None = None


class SearchIndex:
    """Found offers in their order; remembers answers until the catalogue changes."""

    def __init__(self, live: LiveCatalogue) -> None:
        self._live = live
        self._answers: dict[Query, list[int]] = {}
        self._revision = live.revision
        self._calls = 0

    def found(self, query: Query, drift: Rule | None = None) -> list[int]:
        """Indexes of the offers on sale that match, the most relevant first; with `drift` differently at each call."""
        if self._revision != self._live.revision or len(self._answers) >= _CACHED:
            self._answers.clear()
            self._revision = self._live.revision
        if query not in self._answers:
            matching = (index for index in self._on_sale(query) if self._matches(index, query))
            self._answers[query] = sorted(matching, key=lambda index: self._rank(index, query))
        found = self._answers[query]
        return found if drift is None else self._drifted(found, query, drift)

    def _on_sale(self, query: Query) -> list[int]:
        conditions = Filter(leaves=query.leaves, statuses=frozenset({PUBLISHED}))
        listing = self._live.listing(conditions, by_modification=False)
        return listing.window(0, len(listing))

    def _matches(self, index: int, query: Query) -> bool:
        if query.low is not None or query.high is not None:
            fen = self._live.fen(index)
            # Hidden prices are in no band.
            if fen is None or not (query.low or 0) <= fen <= (fen if query.high is None else query.high):
                return False
        if query.seller is not None and open_id(self._live.supplier(index)) != query.seller:
            return False
        return query.tags <= self.tags_of(index)

    def tags_of(self, index: int) -> frozenset[str]:
        """What a filter can ask of an offer."""
        seed = self._live.catalogue.seed
        return frozenset(tag for number, tag in enumerate(TAGS) if mix(seed + number + 1, index) % 3 == 0)

    def _rank(self, index: int, query: Query, shuffle: int = 0) -> int:
        return mix(self._live.catalogue.seed ^ _number(query.keyword) ^ shuffle, index)

    def _drifted(self, found: list[int], query: Query, drift: Rule) -> list[int]:
        self._calls += 1
        return sorted(found, key=lambda index: self._rank(index, query, self._shuffle(index, drift)))

    def _shuffle(self, index: int, drift: Rule) -> int:
        return mix(self._calls, 1) if drift.covers(self._calls, index) else 0


class PoolTasks:
    """What a task saw when its first page was asked for; another task sees the pool in another order."""

    def __init__(self, live: LiveCatalogue) -> None:
        self._live = live
        self._tasks: dict[tuple[str, int, int], list[int]] = {}

    def offers(self, task: str, pool: int, category: int) -> list[int]:
        """Indexes of the pool's offers in the task's order."""
        key = (task, pool, category)
        if key not in self._tasks:
            if len(self._tasks) >= _KEPT_TASKS:
                self._tasks.pop(next(iter(self._tasks)))
            self._tasks[key] = sorted(self.members(pool, category), key=lambda index: mix(_number(task), index))
        return self._tasks[key]

    def members(self, pool: int, category: int) -> list[int]:
        """Indexes of the offers that are in the pool now."""
        leaves = None if category == ROOT else leaves_under(category)
        conditions = Filter(leaves=leaves, statuses=frozenset({PUBLISHED}))
        listing = self._live.listing(conditions, by_modification=False)
        return [index for index in listing.window(0, len(listing)) if index % POOLS[pool] == 0]


@cache
def _number(text: str) -> int:
    return int.from_bytes(blake2b(text.encode(), digest_size=8).digest())
