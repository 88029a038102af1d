"""GET products/{id}."""

from datetime import UTC, datetime
from decimal import Decimal

import pytest

from products.models import Product, Sku
from tests.client import ApiClient
from tests.products.records import apply, record, sku

pytestmark = [pytest.mark.django_db, pytest.mark.shows("000/2 GET products/{id}", "002/GET items?item_id")]


def test_a_detail_adds_description_and_skus_in_the_sources_order(reader: ApiClient) -> None:
    apply(record(skus=(sku("9", code="a", spec_id="f1"), sku("1", price=None, stock=0, image="https://a/1.jpg"))))
    product = Product.objects.get()
    ids = dict(Sku.objects.values_list("source_sku_id", "id"))

    detail = reader.get(f"products/{product.pk}")

    assert detail["description"] == "<p>降噪</p>"
    assert detail["skus"] == [
        {
            "id": ids["9"],
            "source_sku_id": "9",
            "spec_id": "f1",
            "code": "a",
            "spec": {"颜色": "红色"},
            "price": 9.9,
            "price_tiers": [],
            "stock": 10,
            "image": "",
        },
        {
            "id": ids["1"],
            "source_sku_id": "1",
            "spec_id": "",
            "code": "",
            "spec": {"颜色": "红色"},
            "price": None,
            "price_tiers": [],
            "stock": 0,
            "image": "https://a/1.jpg",
        },
    ]
    listed = reader.get("products")["items"][0]
    assert {name: detail[name] for name in listed} == listed


def test_money_keeps_its_two_places(reader: ApiClient) -> None:
    apply(record(price=Decimal("9999999999.99")))

    reader.get(f"products/{Product.objects.get().pk}")

    assert b'"price":9999999999.99' in reader.last.content.replace(b" ", b"")


@pytest.mark.parametrize("pk", ["0", "-1", "01", "abc", "1.5", "9223372036854775808", "1" * 30, "%00", "1%20", "١"])
def test_what_is_no_id_names_nothing(reader: ApiClient, pk: str) -> None:
    assert reader.get(f"products/{pk}", expect=404)["code"] == "E00005"
    assert reader.get(f"categories/{pk}", expect=404)["code"] == "E00005"


@pytest.mark.uncounted
def test_an_unknown_and_a_deleted_product_are_told_alike(reader: ApiClient) -> None:
    apply(record())
    Product.objects.update(deleted_at=datetime.now(UTC))

    deleted = reader.get(f"products/{Product.objects.get().pk}", expect=404)

    assert deleted == reader.get("products/999999", expect=404)


def test_a_product_without_skus_has_an_empty_list(reader: ApiClient) -> None:
    apply(record(skus=()))

    assert reader.get(f"products/{Product.objects.get().pk}")["skus"] == []
