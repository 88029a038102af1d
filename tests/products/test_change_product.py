"""PUT and PATCH products/{id}."""

from decimal import Decimal
from typing import Any

import pytest

from products.models import Product, ProductChange
from system.models import AuditLog
from tests.client import ApiClient
from tests.products.bodies import body, category, own
from tests.products.records import apply, record

pytestmark = pytest.mark.django_db

TIERS = [{"start_quantity": 2, "price": 9.9}, {"start_quantity": 100, "price": 8}]


@pytest.mark.shows("000/2 PUT products/{id}", "002/PUT items")
def test_put_replaces_the_whole_product(writer: ApiClient) -> None:
    product = own(price=Decimal("5.00"), stock=3, unit="件", attributes={"a": "b"}, images=["https://a/1.jpg"])

    changed = writer.put(f"products/{product.pk}", body(sku="NEW-1", stock=7))

    assert (changed["sku"], changed["price"], changed["stock"], changed["version"]) == ("NEW-1", 99.99, 7, 2)
    assert (changed["unit"], changed["attributes"], changed["images"]) == ("", {}, [])
    assert changed == writer.get(f"products/{product.pk}")


@pytest.mark.shows("002/PATCH items", "003/Story 1-2")
def test_patch_changes_what_it_names(writer: ApiClient) -> None:
    product = own(price=Decimal("5.00"), stock=3, unit="件")

    changed = writer.patch(f"products/{product.pk}", {"stock": 4})

    assert (changed["price"], changed["stock"], changed["unit"], changed["version"]) == (5, 4, "件", 2)
    assert changed["updated_at"] >= changed["created_at"]


def test_a_change_is_told_to_the_feed_and_the_audit_log(writer: ApiClient) -> None:
    product = own(price=Decimal("5.00"), stock=3)
    before = Product.objects.get().updated_at

    writer.patch(f"products/{product.pk}", {"price": 7.5, "price_tiers": TIERS, "stock": 3})

    line = ProductChange.objects.get(kind="updated")
    assert line.fields == {
        "price": [5, 7.5],
        "price_min": [5, 7.5],
        "price_max": [5, 9.9],
        "price_tiers": [[], TIERS],
    }
    log = AuditLog.objects.get(action="product.update")
    assert [set(side or {}) for side in (log.before, log.after)] == [set(line.fields)] * 2
    assert Product.objects.get().updated_at > before


@pytest.mark.parametrize("told", [{}, {"stock": 3}, {"title": " 茶杯 "}, {"price": 5}, {"attributes": {"a": 1}}])
def test_what_changes_nothing_is_not_written(writer: ApiClient, told: dict[str, Any]) -> None:
    product = own(price=Decimal("5.00"), stock=3, attributes={"a": 1})

    changed = writer.patch(f"products/{product.pk}", told)

    assert changed["version"] == 1
    assert ProductChange.objects.count() == 1
    assert Product.objects.get().updated_at == product.updated_at


def test_a_number_that_becomes_true_is_a_change(writer: ApiClient) -> None:
    product = own(attributes={"a": 1})

    assert writer.patch(f"products/{product.pk}", {"attributes": {"a": True}})["attributes"] == {"a": True}


def test_tiers_are_whole_even_in_a_part(writer: ApiClient) -> None:
    error = writer.patch(f"products/{own().pk}", {"price_tiers": [{"price": 1}]}, expect=400)

    assert list(error["details"]) == ["price_tiers"]


def test_the_sku_may_be_kept_but_not_taken_from_another(writer: ApiClient) -> None:
    first, second = own("first"), own("second")

    writer.put(f"products/{first.pk}", body(sku="first"))
    error = writer.patch(f"products/{second.pk}", {"sku": "first"}, expect=409)

    assert (error["code"], list(error["details"])) == ("E01001", ["sku"])


def test_a_product_can_be_taken_out_of_its_category(writer: ApiClient) -> None:
    category(7, "耳机")
    product = own(category_id=7)

    assert writer.patch(f"products/{product.pk}", {"category": None})["category_id"] is None


@pytest.mark.parametrize(
    "path", ["products/0", "products/abc", "products/-1", "products/9223372036854775808", "products/%00"]
)
def test_an_unknown_product_cannot_be_written(writer: ApiClient, path: str) -> None:
    for call in (writer.put, writer.patch):
        assert call(path, body(), expect=404)["code"] == "E00005"
    writer.delete(path, expect=404)


def test_a_stale_etag_is_refused(writer: ApiClient) -> None:
    path = f"products/{own().pk}"
    writer.get(path)
    old = writer.last.headers["ETag"]
    writer.patch(path, {"stock": 1}, headers={"If-Match": old})
    new = writer.last.headers["ETag"]

    assert writer.put(path, body(), headers={"If-Match": old}, expect=412)["code"] == "E00011"
    assert writer.delete(path, headers={"If-Match": old}, expect=412)["code"] == "E00011"
    writer.put(path, body(stock=2), headers={"If-Match": f'"other", {new}'})
    writer.patch(path, {"stock": 3}, headers={"If-Match": "*"})
    writer.patch(path, {"stock": 4}, headers={"If-Match": "nonsense"}, expect=400)


class TestOfASyncedProduct:
    """Fields an operator changes are left alone by later syncs."""

    def test_a_changed_field_survives_the_next_sync(self, writer: ApiClient) -> None:
        apply(record(title="from the source", stock=1))
        product = Product.objects.get()

        writer.patch(f"products/{product.pk}", {"title": "ours", "stock": 1})
        apply(record(title="newer", stock=2))

        product.refresh_from_db()
        assert (product.title, product.stock, product.owned_fields) == ("ours", 2, ["title"])

    def test_its_prices_are_owned_together(self, writer: ApiClient) -> None:
        apply(record())
        product = Product.objects.get()

        changed = writer.patch(f"products/{product.pk}", {"price": 1})
        apply(record(price=Decimal("50.00"), price_min=Decimal("50.00"), price_max=Decimal("60.00"), price_tiers=()))

        product.refresh_from_db()
        assert product.owned_fields == ["price", "price_max", "price_min", "price_tiers"]
        assert {changed["price_min"], product.price, product.price_min} == {1}

    @pytest.mark.parametrize("told", [{"shop_id": None}, {"category_id": None}])
    def test_its_references_are_owned_too(self, writer: ApiClient, told: dict[str, None]) -> None:
        apply(record())
        product = Product.objects.get()

        writer.patch(f"products/{product.pk}", told)
        apply(record(title="newer"))

        product.refresh_from_db()
        assert [getattr(product, name) for name in told] == [None]
        assert product.title == "newer"

    def test_only_what_a_replacement_changes_is_owned(self, writer: ApiClient) -> None:
        apply(record(price_tiers=(), stock=5))
        product = Product.objects.get()
        names = ("sku", "title", "price", "currency", "stock", "min_order_quantity", "unit", "images", "attributes")
        told = {name: getattr(product, name) for name in (*names, "description", "category_id", "shop_id", "url")}

        writer.put(f"products/{product.pk}", {**told, "price": 9.9, "stock": 6})

        product.refresh_from_db()
        assert product.owned_fields == ["stock"]

    def test_its_sku_stays(self, writer: ApiClient) -> None:
        apply(record())
        product = Product.objects.get()

        error = writer.patch(f"products/{product.pk}", {"sku": "mine"}, expect=422)
        writer.patch(f"products/{product.pk}", {"sku": product.sku})

        assert (error["code"], list(error["details"])) == ("E01004", ["sku"])
