"""The numbers behind one product, before they take the platform's shape."""

from .categories import top_of
from .draw import Draw, mix
from .goods import GOODS
from .revision import History, Kind
from .vocabulary import TRADE_OF_TOP, Property

# quoteType: 0 no SKU, price by quantity; 1 a price per SKU; 2 SKUs, price by quantity; 3 a range per SKU.
_QUOTE_TYPES = (0,) * 3 + (1,) * 6 + (2,) * 9 + (3,) * 2
_MINIMUM_ORDERS = (1, 1, 1, 1, 2, 2, 3, 5, 10)
_TIER_PERCENT = (100, 92, 86, 80)
MAX_SKU_SLOTS = 60

# Rare but valid records, by a number below a thousand: what a mapper has to accept.
_ODDITIES = {
    **dict.fromkeys(range(0, 4), "title_128"),
    **dict.fromkeys(range(4, 10), "price_hidden"),
    **dict.fromkeys(range(10, 13), "weight_typo"),
    **dict.fromkeys(range(13, 18), "category_renamed"),
    **dict.fromkeys(range(18, 22), "shared_spec_ids"),
    **dict.fromkeys(range(22, 30), "text_prices"),
    **dict.fromkeys(range(30, 33), "script_in_description"),
    33: "huge_description",
}  # fmt: skip

_TOP_OF = {leaf: top_of(leaf) for leaf in GOODS}
TRADE_OF_LEAF = {leaf: TRADE_OF_TOP[top] for leaf, top in _TOP_OF.items()}


class Blueprint:
    """One product at one revision. Money in fen, weight in grams. A function of (seed, index, history) alone."""

    __slots__ = (
        "colours", "draw", "fen", "grams", "history", "index", "leaf", "minimum", "oddity", "quote_type", "salt",
        "sizes", "slots", "stock", "stocks", "tiers", "trade",
    )  # fmt: skip

    def __init__(self, seed: int, index: int, leaf: int, history: History) -> None:
        self.index, self.leaf, self.history = index, leaf, history
        self.trade = TRADE_OF_LEAF[leaf]
        self.salt = mix(seed ^ 0x5EED, index)
        self.draw = draw = Draw(seed, index)
        self.oddity = _ODDITIES.get(draw.below(1000), "")
        self.quote_type = draw.pick(_QUOTE_TYPES)
        self.fen = self._price(draw)
        self.minimum = draw.pick(_MINIMUM_ORDERS)
        self.tiers = self._tiers(1 if self.quote_type in (1, 3) else draw.between(1, 4))
        self.stock = draw.below(3000)
        self.grams = draw.between(*GOODS[leaf].grams)
        self.colours = _options(draw, self.trade.axes[0], 6)
        self.sizes = _options(draw, self.trade.axes[1], 4)
        self.slots = self._sku_slots()
        self.stocks = self._stocks()

    def _price(self, draw: Draw) -> int:
        fen = _draw_fen(draw, self.leaf)
        return fen + self.history.times(Kind.PRICE) * max(1, fen // 20)

    def _tiers(self, count: int) -> tuple[tuple[int, int], ...]:
        starts = (self.minimum, self.minimum + 49, 500, 5000)
        return tuple((starts[n], max(1, self.fen * _TIER_PERCENT[n] // 100)) for n in range(count))

    def _sku_slots(self) -> range:
        if self.quote_type == 0:
            return range(0)
        last = len(self.colours) * len(self.sizes) + self.history.times(Kind.SKU_ADD)
        return range(self.history.times(Kind.SKU_REMOVE), last)

    @property
    def prices_hidden(self) -> bool:
        """The seller shows prices only to approved buyers (`priceAuth`)."""
        return self.oddity == "price_hidden"

    def sku_options(self) -> list[tuple[str, str]]:
        """The two option values of every SKU; a SKU added to the matrix has a first value of its own."""
        matrix = [(colour, size) for colour in self.colours for size in self.sizes]
        added = [(f"新增{number + 1}", self.sizes[0]) for number in range(self.history.times(Kind.SKU_ADD))]
        return (matrix + added)[self.slots.start :]

    def sku_fen(self) -> list[int]:
        """The price of every SKU where SKUs have their own (quoteType 1 and 3)."""
        step = max(1, self.fen // 25)
        return [self.fen + slot % 7 * step for slot in self.slots]

    def _stocks(self) -> list[int]:
        """The stock of every SKU, or of the product without SKUs; about one in twenty is sold out."""
        salt, stock = self.salt, self.stock
        restocked = self.history.times(Kind.STOCK) * (1 + stock % 97)
        return [
            restocked + (0 if (salt + slot * 37) % 20 == 0 else (stock + slot * 7919) % 3000 + 1)
            for slot in self.slots or (0,)
        ]

    def can(self, kind: Kind) -> bool:
        """Whether a change of this kind would show."""
        if kind is Kind.SKU_ADD:
            return len(self.slots) > 0 and self.slots.stop < MAX_SKU_SLOTS
        if kind is Kind.SKU_REMOVE:
            return len(self.slots) > 1
        return not (kind is Kind.PRICE and self.prices_hidden)


def first_fen(seed: int, index: int, leaf: int) -> int | None:
    """`Blueprint.fen` of a product that never changed, None if its prices are hidden; at a tenth of the cost."""
    draw = Draw(seed, index)
    is_hidden = _ODDITIES.get(draw.below(1000)) == "price_hidden"
    draw.pick(_QUOTE_TYPES)
    return None if is_hidden else _draw_fen(draw, leaf)


def _draw_fen(draw: Draw, leaf: int) -> int:
    fen = draw.between(*GOODS[leaf].fen)
    return fen - fen % 10 if fen > 1000 else fen


def _options(draw: Draw, axis: Property, limit: int) -> tuple[str, ...]:
    return draw.some(axis[2], draw.between(1, limit))
