"""The catalogue as a pure function of (seed, product, revision); a million products cost one small table."""

from .blueprint import Blueprint, first_fen
from .categories import SIBLING_LEAVES, top_of
from .draw import mix
from .product import Json, build
from .revision import UNCHANGED, History, Kind
from .suppliers import Supplier, build_suppliers
from .wheel import EXPIRED, PUBLISHED, SPOKES, Traits, build_spokes

MAX_PRODUCTS = 10_000_000
_FIRST_ID = 520_000_000_000
_ID_STEP = 40_000
# Every fiftieth product is shown by alibaba.cross.productInfo only to buyers with a listing relation.
_RELATION_EVERY = 50


class Catalogue:
    """`size` products of one seed, numbered by index from 0; ids have 12 digits and grow with the index.

    Raises ValueError for a size the id space does not hold.
    """

    def __init__(self, seed: int, size: int) -> None:
        if not 0 <= size <= MAX_PRODUCTS:
            raise ValueError(f"between 0 and {MAX_PRODUCTS} products, not {size}")
        self.seed = seed
        self.size = size
        self.spokes = build_spokes(seed)
        self._suppliers = build_suppliers(seed)
        self._fen: dict[int, int | None] = {}

    def id_of(self, index: int) -> int:
        """The 12-digit product id."""
        return _FIRST_ID + index * _ID_STEP + mix(self.seed, index) % _ID_STEP

    def index_of(self, product_id: int) -> int | None:
        """The index of an id, None when no product has it."""
        index = (product_id - _FIRST_ID) // _ID_STEP
        return index if 0 <= index < self.size and self.id_of(index) == product_id else None

    def needs_relation(self, index: int) -> bool:
        """Whether `alibaba.cross.productInfo` hides the product from buyers without a listing relation."""
        return index % _RELATION_EVERY == _RELATION_EVERY - 1

    def base_traits(self, index: int) -> Traits:
        """Category, status and modification time before any mutation."""
        return self.spokes[index % SPOKES]

    def traits(self, index: int, history: History, modified: int) -> Traits:
        """The same after the mutations of `history`, the last of them at `modified`."""
        leaf, status, _ = self.base_traits(index)
        siblings = SIBLING_LEAVES[leaf]
        moved = siblings[(siblings.index(leaf) + history.times(Kind.CATEGORY)) % len(siblings)]
        if history.times(Kind.STATUS) % 2:
            status = EXPIRED if status == PUBLISHED else PUBLISHED
        return Traits(moved, status, modified)

    def blueprint(self, index: int, history: History = UNCHANGED) -> Blueprint:
        """The product's numbers."""
        return Blueprint(self.seed, index, self.base_traits(index).leaf, history)

    def product(self, index: int, history: History = UNCHANGED, modified: int = 0) -> Json:
        """The full `productInfo`; `modified` (milliseconds) counts only with a history."""
        traits = self.traits(index, history, modified) if history else self.base_traits(index)
        blueprint = self.blueprint(index, history)
        return build(self.id_of(index), blueprint, traits, self._supplier(blueprint))

    def fen(self, index: int, history: History = UNCHANGED) -> int | None:
        """The price of one unit at the minimum order, in fen; None where the seller hides it."""
        if history:
            blueprint = self.blueprint(index, history)
            return None if blueprint.prices_hidden else blueprint.fen
        if index not in self._fen:
            self._fen[index] = first_fen(self.seed, index, self.base_traits(index).leaf)
        return self._fen[index]

    def supplier(self, index: int) -> Supplier:
        """Whose product it is."""
        return self._supplier(self.blueprint(index))

    def _supplier(self, blueprint: Blueprint) -> Supplier:
        suppliers = self._suppliers[top_of(blueprint.leaf)]
        return suppliers[blueprint.salt % len(suppliers)]
