"""Which of an offer's prices count: its `quoteType` decides."""

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any

import msgspec

from products.records import PriceTier
from syncjobs.connectors.alibaba1688.fields import count, first, is_true, read
from syncjobs.connectors.alibaba1688.shapes import WireSale, WireSku, WireTier
from syncjobs.connectors.coerce import money, whole_number

# quoteType; 0 is by quantity too, without SKUs.
PER_SKU, BY_QUANTITY, RANGE_PER_SKU = 1, 2, 3

Tiers = tuple[PriceTier, ...]


class SkuPrice(msgspec.Struct, frozen=True, gc=False):
    """What one variant says of its price: an amount of its own, or its own tiers."""

    own: Decimal | None
    tiers: Tiers


class Pricing(msgspec.Struct, frozen=True, gc=False):
    """The prices of an offer; `sku_prices` has one entry per SKU. None = hidden or unknown."""

    price: Decimal | None = None
    low: Decimal | None = None
    high: Decimal | None = None
    tiers: Tiers = ()
    sku_prices: tuple[Decimal | None, ...] = ()


def pricing(sale: WireSale, skus: Sequence[WireSku], minimum: int) -> Pricing:
    """The prices of an offer whose minimum order is `minimum` units.

    0 and 2: by quantity, every SKU costs the tier price at the minimum. 1: each SKU has a price. 3: each SKU has tiers
    of its own. The offer's price is then its cheapest SKU's, and its tiers count only where no SKU has a price. An
    offer that hides its prices (`priceAuth`) has none.

    Raises:
        RecordRejected: a price, quantity or `quoteType` cannot be used.
    """
    if is_true(sale.price_auth):
        return Pricing(sku_prices=(None,) * len(skus))
    tiers = _tiers("saleInfo.priceRanges", first(sale.price_ranges, sale.price_range_list))
    variants = [_sku_price(sku) for sku in skus]
    stated = quote_type_of(sale)
    quote_type = _likely_quote_type(variants) if stated is None else stated
    if quote_type in (PER_SKU, RANGE_PER_SKU):
        return _per_sku(tiers, variants, minimum, has_ranges=quote_type == RANGE_PER_SKU)
    return _by_quantity(tiers, variants, minimum)


def quote_type_of(sale: WireSale) -> int | None:
    """0 to 3; None when the offer says nothing we know.

    Raises:
        RecordRejected: not a number.
    """
    number = read("saleInfo.quoteType", whole_number, sale.quote_type)
    return number if number is not None and number <= RANGE_PER_SKU else None


def price_at(tiers: Tiers, quantity: int) -> Decimal | None:
    """The price a unit for this many units; the first tier's when even that asks for more."""
    reached = [tier.price for tier in tiers if tier.start_quantity <= quantity]
    if reached:
        return reached[-1]
    return tiers[0].price if tiers else None


def _per_sku(tiers: Tiers, variants: Sequence[SkuPrice], minimum: int, *, has_ranges: bool) -> Pricing:
    if has_ranges:
        own = [first(price_at(variant.tiers, minimum), variant.own) for variant in variants]
        amounts = [tier.price for variant in variants for tier in variant.tiers]
    else:
        own, amounts = [variant.own for variant in variants], []
    known = [price for price in own if price is not None]
    if not known:
        return _by_quantity(tiers, variants, minimum)
    default = price_at(tiers, minimum)
    low, high = _spread(known + amounts)
    return Pricing(min(known), low, high, (), tuple(first(price, default) for price in own))


def _by_quantity(tiers: Tiers, variants: Sequence[SkuPrice], minimum: int) -> Pricing:
    price = price_at(tiers, minimum)
    sku_prices = tuple(first(price, variant.own) for variant in variants)
    if price is None:
        known = [own for own in sku_prices if own is not None]
        low, high = _spread(known)
        return Pricing(low, low, high, (), sku_prices)
    low, high = _spread([tier.price for tier in tiers])
    return Pricing(price, low, high, tiers, sku_prices)


def _spread(amounts: Sequence[Decimal]) -> tuple[Decimal | None, Decimal | None]:
    return (min(amounts), max(amounts)) if amounts else (None, None)


def _likely_quote_type(variants: Iterable[SkuPrice]) -> int:
    if any(variant.tiers for variant in variants):
        return RANGE_PER_SKU
    return PER_SKU if any(variant.own is not None for variant in variants) else BY_QUANTITY


def _sku_price(sku: WireSku) -> SkuPrice:
    own = None if sku.price is None else read("skuInfos.price", money, sku.price)
    return SkuPrice(own, _tiers("skuInfos.priceRange", sku.price_range))


def _tiers(name: str, wire: Sequence[WireTier | None] | None) -> Tiers:
    """Tiers in rising quantity, those without a price left out, one per quantity."""
    prices: dict[int, Decimal] = {}
    for tier in filter(None, wire or ()):
        price = read(f"{name}.price", money, tier.price)
        if price is not None:
            prices[_start(name, tier.start_quantity)] = price
    return tuple(PriceTier(start, prices[start]) for start in sorted(prices))


def _start(name: str, value: Any) -> int:
    return max(1, read(f"{name}.startQuantity", count, value))
