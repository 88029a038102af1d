"""The catalogue as it stands now: the seed's products, less the delisted ones, with the mutated ones changed."""

from collections.abc import Iterable, Sequence
from random import Random

from .catalogue import Catalogue
from .listing import Listing, Placed
from .product import Json
from .revision import UNCHANGED, History, Kind
from .suppliers import Supplier
from .wheel import ById, ByModification, Filter, Order, Traits

_CACHED_LISTINGS = 64
# A change that would not show on a product (a SKU more where there are none) becomes this one.
_ALWAYS_SHOWS = Kind.STOCK


class LiveCatalogue:
    """Remembers only what differs from the seed: a history and a time per mutated product, a set of delisted ones."""

    def __init__(self, catalogue: Catalogue) -> None:
        self.catalogue = catalogue
        self._changes: dict[int, tuple[History, int]] = {}
        self._gone: set[int] = set()
        self._choices = 0
        self._listings: dict[tuple[Filter, bool], Listing] = {}
        self.revision = 0

    @property
    def mutated(self) -> int:
        """How many products differ from the seed."""
        return len(self._changes)

    @property
    def delisted(self) -> int:
        """How many products are gone."""
        return len(self._gone)

    def find(self, product_id: int) -> int | None:
        """The index of a product that exists and is not delisted."""
        index = self.catalogue.index_of(product_id)
        return None if index is None or index in self._gone else index

    def product(self, index: int) -> Json:
        """The full record at its present revision."""
        return self.catalogue.product(index, *self._changes.get(index, (UNCHANGED, 0)))

    def fen(self, index: int) -> int | None:
        """The price of one unit at the minimum order, in fen; None where the seller hides it."""
        history = self._changes[index][0] if index in self._changes else UNCHANGED
        return self.catalogue.fen(index, history)

    def supplier(self, index: int) -> Supplier:
        """Whose product it is."""
        return self.catalogue.supplier(index)

    def traits(self, index: int) -> Traits:
        """Present category, status and modification time."""
        change = self._changes.get(index)
        return self.catalogue.traits(index, *change) if change else self.catalogue.base_traits(index)

    def listing(self, conditions: Filter, *, by_modification: bool) -> Listing:
        """The products that match, in ascending order of id or of modification time."""
        key = (conditions, by_modification)
        if key not in self._listings:
            if len(self._listings) >= _CACHED_LISTINGS:
                self._listings.pop(next(iter(self._listings)))
            self._listings[key] = self._build_listing(conditions, by_modification=by_modification)
        return self._listings[key]

    def _build_listing(self, conditions: Filter, *, by_modification: bool) -> Listing:
        order = self._order(conditions, by_modification=by_modification)
        base_traits = self.catalogue.base_traits
        touched = self._changes.keys() | self._gone
        hidden = [
            order.rank(index, base_traits(index).modified)
            for index in touched
            if conditions.matches(base_traits(index))
        ]
        placed = [
            Placed(order.rank(index, traits.modified), traits.modified if by_modification else 0, index)
            for index in touched - self._gone
            if conditions.matches(traits := self.traits(index))
        ]
        return Listing(order, hidden, placed)

    def _order(self, conditions: Filter, *, by_modification: bool) -> Order:
        table, size = self.catalogue.spokes, self.catalogue.size
        spokes = [number for number, traits in enumerate(table) if conditions.matches(traits)]
        return ByModification(spokes, size, table) if by_modification else ById(spokes, size)

    def _forget_listings(self) -> None:
        self._listings.clear()
        self.revision += 1

    def choose(self, count: int) -> list[int]:
        """`count` present products, ascending by id; the next call chooses others, in a repeatable way."""
        self._choices += 1
        random = Random(f"{self.catalogue.seed}/{self._choices}")
        size = self.catalogue.size
        drawn = random.sample(range(size), min(size, count + len(self._gone)))
        return sorted([index for index in drawn if index not in self._gone][:count])

    def mutate(self, indexes: Iterable[int], kinds: Sequence[Kind], now: int) -> dict[Kind, list[int]]:
        """Gives each product one change, kinds in turn; returns the indexes by the kind they really got."""
        done: dict[Kind, list[int]] = {}
        for number, index in enumerate(indexes):
            history = self._changes.get(index, (UNCHANGED, 0))[0]
            wanted = kinds[number % len(kinds)]
            kind = wanted if self.catalogue.blueprint(index, history).can(wanted) else _ALWAYS_SHOWS
            self._changes[index] = (history.then(kind), now)
            done.setdefault(kind, []).append(index)
        self._forget_listings()
        return done

    def delist(self, indexes: Iterable[int]) -> None:
        """Takes products away: they leave the listings and their detail says they do not exist."""
        self._gone.update(indexes)
        self._forget_listings()

    def relist(self, indexes: Iterable[int] | None) -> int:
        """Brings these, or all, delisted products back; returns how many."""
        back = self._gone if indexes is None else self._gone.intersection(indexes)
        count = len(back)
        self._gone = self._gone - back
        self._forget_listings()
        return count
