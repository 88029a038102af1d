"""`?qty=`: what a unit costs at a quantity, in lists, searches and details."""

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from products.models import Product
from products.records import PriceTier, ProductRecord
from products.selectors.products import product_detail, product_page
from system.naming import CAMEL
from tests.client import ApiClient
from tests.products.records import apply, record, sku

pytestmark = pytest.mark.django_db

MONEY = st.decimals(min_value=Decimal("0.01"), max_value=Decimal("9999.99"), places=2)
QUANTITY = st.integers(min_value=1, max_value=10**9)
TIERS = st.dictionaries(st.integers(min_value=1, max_value=10**6), MONEY, max_size=4).map(
    lambda prices: tuple(PriceTier(start, prices[start]) for start in sorted(prices))
)


def tiers(*steps: tuple[int, str]) -> tuple[PriceTier, ...]:
    return tuple(PriceTier(start, Decimal(price)) for start, price in steps)


def priced(client: ApiClient, quantity: int, **changes: Any) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The price of a product at a quantity as list, search and detail show it, and those of its SKUs."""
    apply(record(**changes))
    product = Product.objects.get()
    detail = client.get(f"products/{product.pk}", qty=quantity)
    for page in (client.get("products", qty=quantity), client.get("products/search", q=product.title, qty=quantity)):
        assert page["items"][0]["quantity_price"] == detail["quantity_price"]
    return detail["quantity_price"], [found["quantity_price"] for found in detail["skus"]]


@pytest.mark.parametrize(("quantity", "unit_price"), [(2, 9.9), (99, 9.9), (100, 8.0), (120, 8.0), (10**9, 8.0)])
@pytest.mark.parametrize("quote_type", [None, 0, 2])
def test_tiers_decide_where_the_whole_product_is_quoted_by_quantity(
    reader: ApiClient, quote_type: int | None, quantity: int, unit_price: float
) -> None:
    price, skus = priced(reader, quantity, quote_type=quote_type)

    total = round(unit_price * quantity, 2)
    assert price == {
        "quantity": quantity,
        "unit_price": unit_price,
        "total": total,
        "currency": "CNY",
        "unit": "件",
        "min_order_quantity": 2,
        "meets_minimum": True,
        "basis": "tiers",
    }
    assert skus == [{"unit_price": unit_price, "total": total}]


def test_below_the_minimum_the_price_is_that_of_the_minimum_and_nothing_can_be_bought(reader: ApiClient) -> None:
    price, skus = priced(reader, 7, min_order_quantity=100)

    assert (price["unit_price"], price["total"], price["meets_minimum"]) == (8.0, None, False)
    assert skus == [{"unit_price": 8.0, "total": None}]


def test_a_first_tier_above_the_minimum_counts_from_the_minimum_on(reader: ApiClient) -> None:
    price, _ = priced(reader, 3, price_tiers=tiers((10, "7.00"), (50, "6.00")))

    assert (price["unit_price"], price["total"], price["meets_minimum"]) == (7.0, 21.0, True)


def test_each_sku_has_its_price_and_the_cheapest_is_the_products(reader: ApiClient) -> None:
    variants = (sku("1", price=Decimal("9.90")), sku("2", price=Decimal("8.50")), sku("3", price=None))
    price, skus = priced(reader, 10, quote_type=1, price=Decimal("8.50"), price_tiers=(), skus=variants)

    assert (price["unit_price"], price["total"], price["basis"]) == (8.5, 85.0, "skus")
    assert [found["unit_price"] for found in skus] == [9.9, 8.5, 8.5]


def test_each_sku_can_have_tiers_of_its_own(reader: ApiClient) -> None:
    red = sku("1", price=Decimal("9.90"), price_tiers=tiers((2, "9.90"), (100, "5.00")))
    blue = sku("2", price=Decimal("8.50"), price_tiers=tiers((2, "8.50"), (100, "6.00")))
    kind: dict[str, Any] = {"quote_type": 3, "price": Decimal("8.50"), "price_tiers": (), "skus": (red, blue)}

    few, few_skus = priced(reader, 99, **kind)
    many, many_skus = priced(reader, 100, **kind)

    assert (few["unit_price"], few["basis"]) == (8.5, "skus")
    assert [found["unit_price"] for found in few_skus] == [9.9, 8.5]
    assert (many["unit_price"], many["basis"]) == (5.0, "skus")
    assert [found["unit_price"] for found in many_skus] == [5.0, 6.0]


def test_prices_of_skus_outweigh_tiers_where_each_sku_is_quoted(reader: ApiClient) -> None:
    price, _ = priced(reader, 200, quote_type=1, skus=(sku("1", price=Decimal("7.77")),))

    assert (price["unit_price"], price["basis"]) == (7.77, "skus")


def test_one_price_is_fixed(reader: ApiClient) -> None:
    price, skus = priced(reader, 3, price_tiers=(), skus=(sku("1", price=None),))

    assert (price["unit_price"], price["total"], price["basis"]) == (9.9, 29.7, "fixed")
    assert skus == [{"unit_price": 9.9, "total": 29.7}]


def test_a_hidden_price_stays_hidden(reader: ApiClient) -> None:
    price, skus = priced(reader, 3, price=None, price_tiers=(), skus=(sku("1", price=None),))

    assert (price["unit_price"], price["total"], price["basis"]) == (None, None, "hidden")
    assert skus == [{"unit_price": None, "total": None}]


def test_without_a_quantity_there_is_no_such_price(reader: ApiClient) -> None:
    apply(record())
    listed = reader.get("products")["items"][0]
    detail = reader.get(f"products/{listed['id']}")

    assert "quantity_price" not in listed
    assert "quantity_price" not in detail
    assert "quantity_price" not in detail["skus"][0]


@pytest.mark.parametrize("quantity", ["0", "-1", "1.5", "1e3", "", "x", "1000000001", "9" * 30, "１"])
def test_a_bad_quantity_is_named(reader: ApiClient, quantity: str) -> None:
    for path in ("products?", "products/search?q=x&", "products/1?"):
        assert "qty" in reader.get(f"{path}qty={quantity}", expect=400)["details"]


def first(*prices: Decimal | None) -> Decimal | None:
    return next((price for price in prices if price is not None), None)


def expected(product: ProductRecord, quantity: int) -> Decimal | None:
    """The rule, said once more in Python."""
    counted = max(quantity, product.min_order_quantity)

    def at(steps: tuple[PriceTier, ...]) -> Decimal | None:
        reached = [step.price for step in steps if step.start_quantity <= counted]
        return reached[-1] if reached else steps[0].price if steps else None

    by_quantity = at(product.price_tiers)
    own = [first(at(each.price_tiers), each.price) for each in product.skus]
    known = [price for price in own if price is not None]
    if known and (product.quote_type in {1, 3} or by_quantity is None):
        return min(known)
    return first(by_quantity, product.price)


@settings(max_examples=60)
@given(
    quantity=QUANTITY,
    minimum=st.integers(min_value=1, max_value=10**6),
    quote_type=st.sampled_from([None, 0, 1, 2, 3]),
    steps=TIERS,
    price=st.none() | MONEY,
    variants=st.lists(st.tuples(st.none() | MONEY, TIERS), max_size=3),
)
def test_the_database_follows_the_rule(
    quantity: int,
    minimum: int,
    quote_type: int | None,
    steps: tuple[PriceTier, ...],
    price: Decimal | None,
    variants: list[tuple[Decimal | None, tuple[PriceTier, ...]]],
) -> None:
    skus = tuple(sku(str(number), price=own, price_tiers=own_steps) for number, (own, own_steps) in enumerate(variants))
    values: dict[str, Any] = {
        "min_order_quantity": minimum,
        "quote_type": quote_type,
        "price_tiers": steps,
        "price": price,
    }
    product = record(skus=skus, **values)
    apply(product)

    found = loads(product_detail(Product.objects.get().pk, quantity=quantity).json)["quantity_price"]  # type: ignore[union-attr]

    unit_price = expected(product, quantity)
    total = None if unit_price is None or quantity < minimum else unit_price * quantity
    assert (found["unit_price"], found["total"]) == (unit_price, total)
    assert found["meets_minimum"] == (quantity >= minimum)


def test_names_are_spelled_as_the_version_does_but_never_inside_data() -> None:
    apply(record(attributes={"some_name": "x"}, skus=(sku(spec={"a_b": "c"}, price_tiers=tiers((2, "1.00"))),)))
    item = loads(product_page({"qty": 5}, sort="id", descending=True, limit=1, naming=CAMEL).items)[0]
    detail = product_detail(item["id"], naming=CAMEL, quantity=5)
    assert detail
    whole = loads(detail.json)

    assert item["priceTiers"][0] == {"startQuantity": 2, "price": Decimal("9.9")}
    assert item["attributes"] == {"some_name": "x"}
    assert item["quantityPrice"]["minOrderQuantity"] == 2
    assert whole["skus"][0]["spec"] == {"a_b": "c"}
    assert whole["skus"][0]["priceTiers"] == [{"startQuantity": 2, "price": 1}]
    assert set(whole["skus"][0]["quantityPrice"]) == {"unitPrice", "total"}
    assert not [name for name in (*item, *whole, *whole["quantityPrice"]) if "_" in name]
    assert detail.state.version == whole["version"]


def loads(text: str) -> Any:
    """JSON with its numbers as they are written."""
    return json.loads(text, parse_float=Decimal)
