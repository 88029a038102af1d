"""Whatever a product has become on its way, it is mapped or rejected, and what is mapped can be stored."""

import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from products.records import ProductRecord
from syncjobs.connectors.alibaba1688.mapping import STATUSES, map_product, source_id_of
from syncjobs.connectors.coerce import MONEY_LIMIT
from syncjobs.engine.errors import RecordRejected
from tests.connectors.alibaba1688.support import cross_border_product, seller_product

ODD_SCALARS: list[Any] = [
    None, True, "", " ", "0", "-1", "1e400", "NaN", "面议", "1_000", "\x00", "２", -1, 0, 2**31, 2**64, 10**400, 0.5,
    -0.0, 1e300, "true", "x" * 600, "20251118091205000+0800", "javascript:1", "//a/b", "\u200b",
]  # fmt: skip
json_values = st.recursive(
    st.sampled_from(ODD_SCALARS) | st.text() | st.integers() | st.floats(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


def places_in(value: Any) -> list[tuple[Any, Any]]:
    """Every (container, key) inside a JSON value."""
    if isinstance(value, dict):
        inner = list(value.items())
    elif isinstance(value, list):
        inner = list(enumerate(value))
    else:
        return []
    return [(value, key) for key, _ in inner] + [place for _, each in inner for place in places_in(each)]


@st.composite
def mutated_products(draw: st.DrawFn) -> Any:
    product = draw(st.sampled_from([seller_product, cross_border_product]))()
    for _ in range(draw(st.integers(1, 4))):
        container, key = draw(st.sampled_from(places_in(product)))
        container[key] = draw(json_values)
        if not places_in(product):
            break
    return product


rejections: list[RecordRejected] = []


@pytest.fixture(autouse=True, scope="module")
def every_rejection_names_its_field() -> Iterator[None]:
    """Whatever was rejected on the way."""
    yield
    assert rejections
    assert all(rejection.code and rejection.field for rejection in rejections)


def mapped_or_none(payload: bytes) -> ProductRecord | None:
    try:
        return map_product(payload)
    except RecordRejected as rejection:
        rejections.append(rejection)
        return None


def texts_in(record: ProductRecord) -> str:
    return "".join(map(repr, (record.title, record.description, record.attributes, record.skus, record.shop)))


@given(mutated_products())
def test_a_mutated_product_is_mapped_to_what_can_be_stored_or_rejected(product: Any) -> None:
    payload = json.dumps(product).encode()
    record = mapped_or_none(payload)
    if record is None:
        return
    assert record.source_id == source_id_of(payload)
    assert 0 < len(record.title) <= 500
    assert record.status in STATUSES.values()
    assert 1 <= record.min_order_quantity < 2**31
    assert record.stock >= 0
    assert "\\x00" not in texts_in(record)
    assert all(image.startswith(("http://", "https://")) for image in record.images)
    assert len(record.fingerprint()) == 16


@given(mutated_products())
def test_the_money_of_a_mutated_product_fits(product: Any) -> None:
    record = mapped_or_none(json.dumps(product).encode())
    if record is None:
        return
    amounts = [record.price, record.price_min, record.price_max, *(sku.price for sku in record.skus)]
    amounts += [tier.price for tier in record.price_tiers]
    for amount in filter(None, amounts):
        assert Decimal() <= amount <= MONEY_LIMIT
        assert amount == round(amount, 2)
    assert (record.price is None) == (record.price_min is None) == (record.price_max is None)


@given(st.binary() | json_values.map(lambda value: json.dumps(value).encode()))
def test_bytes_of_any_kind_are_rejected_or_mapped(payload: bytes) -> None:
    mapped_or_none(payload)


@given(st.integers(min_value=0), st.binary(min_size=1, max_size=4))
def test_a_damaged_product_is_rejected_or_mapped(place: int, damage: bytes) -> None:
    payload = json.dumps(seller_product()).encode()
    start = place % len(payload)
    mapped_or_none(payload[:start] + damage + payload[start + len(damage) :])
