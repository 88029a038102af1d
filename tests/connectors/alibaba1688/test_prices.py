"""Which prices count, by `quoteType`."""

import json
from decimal import Decimal
from typing import Any

import pytest

from products.records import PriceTier
from syncjobs.connectors.alibaba1688.mapping import map_product
from syncjobs.engine.errors import RecordRejected
from tests.connectors.alibaba1688.support import Product, cross_border_product, mapped, seller_product


def money(*amounts: str | None) -> tuple[Decimal | None, ...]:
    return tuple(None if amount is None else Decimal(amount) for amount in amounts)


def prices(product: Product) -> tuple[Decimal | None, ...]:
    """Price, lowest, highest, and each SKU's."""
    record = mapped(product)
    return (record.price, record.price_min, record.price_max, *(sku.price for sku in record.skus))


def priced(quote_type: Any, *skus: Product, **sale: Any) -> Product:
    """A seller's product with these SKUs and this sale information."""
    product = seller_product()
    product["skuInfos"] = [{"skuId": number, "amountOnSale": 1, **sku} for number, sku in enumerate(skus, 1)]
    product["saleInfo"] |= {"quoteType": quote_type, **sale}
    return product


def tiers(*steps: tuple[int, Any]) -> list[Product]:
    return [{"startQuantity": start, "price": price} for start, price in steps]


def test_by_quantity_every_sku_costs_the_tier_price_at_the_minimum_order() -> None:
    assert prices(seller_product()) == money("19.90", "15.00", "19.90", "19.90", "19.90")


def test_tiers_come_in_rising_quantity_and_rounded_to_the_fen() -> None:
    assert mapped(seller_product()).price_tiers == (
        PriceTier(3, Decimal("19.90")),
        PriceTier(100, Decimal("17.13")),
        PriceTier(1000, Decimal("15.00")),
    )


@pytest.mark.parametrize(("minimum", "price"), [(1, "9.60"), (2, "9.60"), (20, "8.88"), (500, "8.00")])
def test_the_price_is_the_one_at_the_minimum_order(minimum: int, price: str) -> None:
    product = priced(0, priceRanges=tiers((2, 9.6), (20, 8.88), (100, 8)), minOrderQuantity=minimum)
    assert prices(product) == money(price, "8.00", "9.60")


def test_by_quantity_a_price_of_a_sku_does_not_count() -> None:
    assert prices(priced(2, {"price": 99}, priceRanges=tiers((1, 5)))) == money("5.00", "5.00", "5.00", "5.00")


def test_by_quantity_without_tiers_the_prices_of_the_skus_count() -> None:
    assert prices(priced(2, {"price": 9}, {"price": 7}, priceRanges=None)) == money(
        "7.00", "7.00", "9.00", "9.00", "7.00"
    )


def test_per_sku_the_product_costs_as_much_as_its_cheapest_sku() -> None:
    assert prices(cross_border_product()) == money("21.80", "21.80", "23.40", "23.40", "21.80")
    assert mapped(cross_border_product()).price_tiers == ()


def test_per_sku_a_sku_without_a_price_takes_that_of_the_tier() -> None:
    product = priced(1, {"price": "12.5"}, {"price": None}, {"price": ""}, priceRanges=tiers((1, 13)))
    assert prices(product) == money("12.50", "12.50", "12.50", "12.50", "13.00", "13.00")


def test_per_sku_without_any_price_the_tiers_count() -> None:
    product = priced(1, {}, priceRanges=tiers((1, 13), (10, 12)))
    assert prices(product) == money("13.00", "12.00", "13.00", "13.00")
    assert len(mapped(product).price_tiers) == 2


def test_with_a_range_per_sku_each_has_its_price_at_the_minimum_order() -> None:
    one, other = {"priceRange": tiers((1, 8), (3, 7), (50, 6))}, {"priceRange": tiers((1, 9.5))}
    assert prices(priced(3, one, other, {"price": 11}, priceRanges=None)) == money(
        "7.00", "6.00", "11.00", "7.00", "9.50", "11.00"
    )


@pytest.mark.parametrize("hidden", [True, "true", "True"])
def test_hidden_prices_are_none(hidden: Any) -> None:
    product = priced(1, {"price": 3}, priceAuth=hidden)
    assert prices(product) == money(None, None, None, None)
    assert mapped(product).price_tiers == ()


@pytest.mark.parametrize("text", ["价格面议", "面议", "", "  ", None])
def test_a_price_to_be_agreed_upon_is_a_hidden_one(text: Any) -> None:
    assert prices(priced(1, {"price": text}, priceRanges=tiers((1, text)))) == money(None, None, None, None)


@pytest.mark.parametrize("quote_type", [None, "", 7])
def test_an_offer_that_does_not_say_how_it_is_priced_shows_it(quote_type: Any) -> None:
    assert prices(priced(quote_type, {"price": 3}, priceRanges=tiers((1, 5))))[0] == Decimal("3.00")
    assert prices(priced(quote_type, {}, priceRanges=tiers((1, 5))))[0] == Decimal("5.00")
    assert prices(priced(quote_type, {"priceRange": tiers((1, 4))}, priceRanges=None))[0] == Decimal("4.00")
    assert mapped(priced(quote_type)).quote_type is None


@pytest.mark.parametrize("written", [39.8, "39.8", "39.80", " 39.80 ", 39.804999])
def test_a_price_may_be_a_number_or_text(written: Any) -> None:
    assert prices(priced(1, {"price": written}))[0] == Decimal("39.80")


def test_a_price_is_rounded_half_up_from_its_own_digits() -> None:
    assert prices(priced(1, {"price": 1.005}))[0] == Decimal("1.01")


BAD_AMOUNTS = [
    -1,
    "-1",
    "NaN",
    "Infinity",
    "1e400",
    "1_000",
    "١٢",
    "12.30-15.00",
    10**10,
    10**400,
    "abc",
    True,
    [1],
    {"a": 1},
]


@pytest.mark.parametrize("amount", BAD_AMOUNTS)
def test_an_amount_nobody_can_pay_rejects_the_record(amount: Any) -> None:
    for product, field in (
        (priced(1, {"price": amount}), "skuInfos.price"),
        (priced(0, priceRanges=tiers((1, amount))), "saleInfo.priceRanges.price"),
        (priced(3, {"priceRange": tiers((1, amount))}), "skuInfos.priceRange.price"),
    ):
        with pytest.raises(RecordRejected) as rejection:
            mapped(product)
        assert rejection.value.field.replace("[0]", "") == field


def test_a_number_beyond_all_numbers_rejects_the_record() -> None:
    for amount in ("1e400", "1e-400", "1e999999999999999999999"):
        payload = json.dumps(priced(1, {"price": 12345})).replace("12345", amount)
        with pytest.raises(RecordRejected) as rejection:
            map_product(payload.encode())
        assert rejection.value.field == "skuInfos.price"


def test_the_largest_amount_that_can_be_stored_is_kept() -> None:
    assert prices(priced(1, {"price": "9999999999.99"}))[0] == Decimal("9999999999.99")
