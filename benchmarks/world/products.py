"""Products made up from a number: the same number is the same product on every machine and on every day.

Titles come from the words that sellers of that trade use; categories are of unequal size, shops have a few dozen
products each, every product has three SKUs, three price tiers, pictures and attributes: about 1 KB of JSON in a list.
"""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cache
from itertools import accumulate
from random import Random
from typing import NamedTuple

from devstack.gateway.vocabulary import (
    BRANDS,
    DESCRIPTION_LINES,
    MAKER_NAMES,
    OPENINGS,
    TAILS,
    TRADE_OF_TOP,
    Trade,
)
from products.records import CategoryRecord, CategoryRef, PriceTier, ProductRecord, ShopRecord, SkuRecord

# Raise it when the same number stands for another product: kept databases are then filled anew.
VERSION = 1
ROOTS, MIDDLES, LEAVES = 10, 4, 5
# The category that lists are measured on: 5,000 of a million products, and never less than five pages.
MEASURED_SHARE, MEASURED_LEAST = 200, 100
# One product in so many has this word, no product has the other one.
RARE_WORD, RARE_EVERY = "霁蓝釉", 20_011
MISSING_WORD = "鑫麤骉"
# Pages of about 20, of different sizes so that more addresses are different ones.
PAGE_SIZES = range(18, 23)
PRODUCTS_A_SHOP = 40
FIRST_OFFER_ID = 700_000_000_000
FIRST_CATEGORY_ID = 900_000
_BEGINNING = datetime(2026, 1, 1, tzinfo=UTC)
_PICTURE = "https://cbu01.alicdn.com/img/ibank/O1CN01{:08x}_!!22{:010d}-0-cib.jpg"

_trades = tuple(dict.fromkeys(TRADE_OF_TOP.values()))[:ROOTS]


class Leaf(NamedTuple):
    """A category that holds products."""

    id: int
    names: tuple[str, ...]
    trade: Trade


def trades() -> tuple[Trade, ...]:
    """The lines of business whose words the titles are made of, one for each root of the tree."""
    return _trades


@cache
def leaves() -> tuple[Leaf, ...]:
    """The leaves of the tree; the first one is the measured one."""
    return tuple(
        Leaf(_number(root, middle, leaf), _names(root, middle, leaf), _trades[root])
        for root in range(ROOTS)
        for middle in range(MIDDLES)
        for leaf in range(LEAVES)
    )


def tree() -> Iterator[CategoryRecord]:
    """The whole tree, parents first."""
    for root in range(ROOTS):
        yield CategoryRecord(id=_number(root), name=_names(root)[-1])
        for middle in range(MIDDLES):
            yield CategoryRecord(id=_number(root, middle), name=_names(root, middle)[-1], parent_id=_number(root))
            for leaf in range(LEAVES):
                yield CategoryRecord(
                    id=_number(root, middle, leaf),
                    name=_names(root, middle, leaf)[-1],
                    parent_id=_number(root, middle),
                    is_leaf=True,
                )


def _number(root: int, middle: int | None = None, leaf: int | None = None) -> int:
    deeper = 0 if middle is None else (middle + 1) * 10
    return FIRST_CATEGORY_ID + root * 100 + deeper + (0 if leaf is None else leaf + 1)


def _names(root: int, middle: int | None = None, leaf: int | None = None) -> tuple[str, ...]:
    trade = _trades[root]
    names = [f"{trade.makers[0].removesuffix('有限公司').removesuffix('厂')}大类{root + 1}"]
    if middle is not None:
        names.append(f"{trade.styles[middle]}系列")
    if leaf is not None:
        names.append(f"{trade.styles[middle or 0]}{trade.materials[leaf % len(trade.materials)]}{leaf + 1}")
    return tuple(names)


@cache
def _weights() -> list[float]:
    """Few large categories and many small ones, but for the measured one."""
    return list(accumulate(1 / (place + 3) ** 0.6 for place in range(1, len(leaves()))))


def _leaf(number: int, size: int, random: Random) -> Leaf:
    every = min(MEASURED_SHARE, max(1, size // MEASURED_LEAST))
    if number % every == 0:
        return leaves()[0]
    return random.choices(leaves()[1:], cum_weights=_weights())[0]


def product(number: int, size: int, edition: int = 0) -> ProductRecord:
    """Product `number` of a catalogue of `size`.

    Args:
        edition: another one has another price and stock, as after some time at the source.
    """
    random = Random(number)
    leaf = _leaf(number, size, random)
    price = Decimal(random.randrange(200, 40_000) + edition) / 100
    tiers = tuple(
        PriceTier(start, (price * share).quantize(Decimal("0.01")))
        for start, share in ((2, Decimal(1)), (50, Decimal("0.93")), (500, Decimal("0.85")))
    )
    stock = random.randrange(20_000) + edition
    return ProductRecord(
        source_id=str(FIRST_OFFER_ID + number),
        title=_title(number, leaf.trade, random),
        description=f"<p>{'</p><p>'.join(random.sample(DESCRIPTION_LINES, 3))}</p>",
        category=CategoryRef(id=leaf.id, names=leaf.names),
        shop=_shop(number // PRODUCTS_A_SHOP),
        price=tiers[0].price,
        price_min=tiers[-1].price,
        price_max=tiers[0].price,
        price_tiers=tiers,
        quote_type=0,
        stock=stock,
        min_order_quantity=2,
        unit=leaf.trade.unit,
        sold_count=int(random.paretovariate(0.7)) % 1_000_000,
        images=tuple(_PICTURE.format(random.getrandbits(32), number) for _ in range(4)),
        attributes=_attributes(leaf.trade, random),
        url=f"https://detail.1688.com/offer/{FIRST_OFFER_ID + number}.html",
        source_updated_at=_BEGINNING + timedelta(seconds=number % 20_000_000 + edition),
        skus=_skus(number, leaf.trade, tiers[0].price, stock, random),
    )


def _title(number: int, trade: Trade, random: Random) -> str:
    words = [random.choice(OPENINGS), random.choice(trade.styles), *random.sample(trade.features, 3)]
    words += [random.choice(trade.materials), RARE_WORD if number % RARE_EVERY == 7 else "", random.choice(TAILS)]
    return " ".join(word for word in words if word)


def _attributes(trade: Trade, random: Random) -> dict[str, str | list[str]]:
    told: dict[str, str | list[str]] = {"品牌": random.choice(BRANDS), "材质": random.choice(trade.materials)}
    told |= {name: random.choice(values) for _, name, values in trade.extra}
    axis = trade.axes[0]
    return told | {axis[1]: random.sample(axis[2], min(3, len(axis[2])))}


def _skus(number: int, trade: Trade, price: Decimal, stock: int, random: Random) -> tuple[SkuRecord, ...]:
    (_, first, firsts), (_, second, seconds) = trade.axes
    return tuple(
        SkuRecord(
            source_sku_id=str(5_000_000_000_000 + number * 4 + place),
            spec_id=f"{random.getrandbits(128):032x}",
            code=f"A{number % 9973}-{place}",
            spec={first: firsts[(number + place) % len(firsts)], second: seconds[place % len(seconds)]},
            price=price,
            stock=stock // 3,
        )
        for place in range(3)
    )


@cache
def _shop(number: int) -> ShopRecord:
    random = Random(number)
    trade = random.choice(_trades)
    place = random.choice(trade.places)
    name = f"{place.split()[-1][:-1]}{random.choice(MAKER_NAMES)}{random.choice(trade.makers)}{number}"
    return ShopRecord(source_id=f"b2b-{2_200_000_000_000 + number}", name=name, location=place)
