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

    own: Decimal | None = None
    tiers: Tiers = ()


class Pricing(msgspec.Struct, frozen=True, gc=False):
    """The prices of an offer; `skus` has one entry per SKU. None = hidden or unknown.

    `quote_type` is how the offer is really quoted: by quantity where it only claims to price each SKU.
    """

    price: Decimal | None = None
    low: Decimal | None = None
    high: Decimal | None = None
    tiers: Tiers = ()
    skus: tuple[SkuPrice, ...] = ()
    quote_type: int | None = None


def pricing(sale: WireSale, skus: Sequence[WireSku], minimum: int) -> Pricing:
    """The prices of an offer whose minimum order is `minimum` units.

    0 and 2: by quantity, every SKU costs the tier price at the minimum. 1: each SKU has a price. 3: each SKU has tiers
    of its own. The offer's price is then its cheapest SKU's, and its tiers count only where no SKU has a price. An
    offer that hides its prices (`priceAuth`) has none.

    Raises:
        RecordRejected: a price, quantity or `quoteType` cannot be used.
    """
    if is_true(sale.price_auth):
        return Pricing(skus=(SkuPrice(),) * len(skus), quote_type=quote_type_of(sale))
    tiers = _tiers("saleInfo.priceRanges", first(sale.price_ranges, sale.price_range_list))
    variants = [_sku_price(sku) for sku in skus]
    stated = quote_type_of(sale)
    quote_type = _likely_quote_type(variants) if stated is None else stated
    if quote_type in (PER_SKU, RANGE_PER_SKU):
        found = _per_sku(tiers, variants, minimum, has_ranges=quote_type == RANGE_PER_SKU)
        if found:
            return msgspec.structs.replace(found, quote_type=stated)
    by_quantity = _by_quantity(tiers, variants, minimum)
    claimed = stated in (PER_SKU, RANGE_PER_SKU)
    return msgspec.structs.replace(by_quantity, quote_type=BY_QUANTITY if claimed else stated)


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


def _per_sku(tiers: Tiers, variants: Sequence[SkuPrice], minimum: int, *, has_ranges: bool) -> Pricing | None:
    """None where no SKU has a price."""
    if has_ranges:
        own = [first(price_at(variant.tiers, minimum), variant.own) for variant in variants]
        amounts = [tier.price for variant in variants for tier in variant.tiers]
    else:
        own, amounts = [variant.own for variant in variants], []
    known = [price for price in own if price is not None]
    if not known:
        return None
    default = price_at(tiers, minimum)
    low, high = _spread(known + amounts)
    kept = [variant.tiers if has_ranges else () for variant in variants]
    skus = tuple(SkuPrice(first(price, default), own_tiers) for price, own_tiers in zip(own, kept, strict=True))
    return Pricing(min(known), low, high, (), skus)


def _by_quantity(tiers: Tiers, variants: Sequence[SkuPrice], minimum: int) -> Pricing:
    price = price_at(tiers, minimum)
    skus = tuple(SkuPrice(first(price, variant.own)) for variant in variants)
    if price is None:
        known = [sku.own for sku in skus if sku.own is not None]
        low, high = _spread(known)
        return Pricing(low, low, high, (), skus)
    low, high = _spread([tier.price for tier in tiers])
    return Pricing(price, low, high, tiers, skus)


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
    if not wire:
        return ()
    prices: dict[int, Decimal] = {}
    for tier in filter(None, wire):
        price = read(f"{name}.price", money, tier.price)
        if price is not None:
            prices[_start(name, tier.start_quantity)] = price
    return tuple(PriceTier(start, prices[start]) for start in sorted(prices))


def _start(name: str, value: Any) -> int:
    return max(1, read(f"{name}.startQuantity", count, value))
