"""GET products: what a list shows, and what its filters let through."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from products import catalog
from products.models import Product, Shop
from products.records import CategoryRecord, CategoryRef, PriceTier, ShopRecord
from tests.client import ApiClient
from tests.products.records import apply, record

pytestmark = [pytest.mark.django_db, pytest.mark.shows("000/2 GET products", "002/GET items", "000/AC-4")]

TREE = [
    CategoryRecord(id=1, name="数码"),
    CategoryRecord(id=2, name="耳机", parent_id=1),
    CategoryRecord(id=3, name="头戴式", parent_id=2, is_leaf=True),
    CategoryRecord(id=9, name="服装", is_leaf=True),
]

# Two ids are only known when it is stored.
LISTED: dict[str, Any] = {
    "id": 0,
    "sku": "1688-600000000001",
    "title": "无线蓝牙耳机",
    "price": 99.99,
    "stock": 100,
    "images": ["https://a/1.jpg", "https://a/2.jpg"],
    "category": "头戴式",
    "created_at": "2025-11-18T13:09:28Z",
    "updated_at": "2025-11-18T13:09:28Z",
    "category_id": 3,
    "category_path": "数码 / 耳机 / 头戴式",
    "shop": {"id": 0, "name": "深圳市耳机厂"},
    "price_min": 8.0,
    "price_max": 9.9,
    "currency": "CNY",
    "price_tiers": [{"start_quantity": 2, "price": 9.9}, {"start_quantity": 100, "price": 8.0}],
    "min_order_quantity": 2,
    "unit": "件",
    "sold_count": 0,
    "status": "published",
    "source": "demo",
    "source_id": "600000000001",
    "url": "",
    "attributes": {"品牌": "无", "颜色": ["红色", "蓝色"]},
    "version": 1,
    "source_updated_at": None,
    "synced_at": "2025-11-18T13:09:28Z",
}


def filed(source_id: str, category_id: int, **changes: Any) -> Any:
    return record(source_id, category=CategoryRef(id=category_id), **changes)


@pytest.fixture
def shelf(db: None) -> None:
    """Five products, each different in every way a list can tell."""
    catalog.apply_categories(TREE)
    other = ShopRecord(source_id="b2b-2", name="乙")
    apply(filed("101", 1, price=Decimal("1.00"), stock=0, title="100% cotton"))
    apply(filed("102", 2, price=Decimal("2.00"), stock=5, title="wire_less"))
    apply(filed("103", 3, price=Decimal("3.00"), stock=7, shop=other, title="back\\slash"))
    apply(filed("104", 9, price=None, stock=9, shop=other, status="expired", title="Wireless"))
    apply(filed("105", 9, price=Decimal("5.00"), stock=3, title="other"), source="feed")


def offers(page: dict[str, Any]) -> str:
    """The last digits of the offers on a page, in its order."""
    return "".join(item["source_id"][-1] for item in page["items"])


def test_a_list_answers_field_for_field_as_specified(reader: ApiClient) -> None:
    moment = datetime(2025, 11, 18, 13, 9, 28, 500_000, tzinfo=UTC)
    catalog.apply_categories(TREE)
    apply(filed("600000000001", 3, price=Decimal("99.99"), images=("https://a/1.jpg", "https://a/2.jpg")))
    Product.objects.update(created_at=moment, updated_at=moment, synced_at=moment)
    product = Product.objects.get()

    page = reader.get("products", page=1, page_size=20, category_id=3)

    item = LISTED | {"id": product.pk, "shop": LISTED["shop"] | {"id": product.shop_id}}
    numbers = {"total": 1, "page": 1, "page_size": 20, "pages": 1, "total_exact": True, "next_cursor": None}
    assert page == {"items": [item], **numbers}


@pytest.mark.usefixtures("shelf")
@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", "54321"),
        ("category_id=1", "321"),
        ("category_id=3", "3"),
        ("category_id=404", ""),
        ("category=耳机", "32"),
        ("category=数码 / 耳机 / 头戴式", "3"),
        ("category=nowhere", ""),
        ("category_id=1&category=服装", ""),
        ("status=expired", "4"),
        ("status=published", "5321"),
        ("status=published,expired", "54321"),
        ("status=expired&status=draft", "4"),
        ("source=feed", "5"),
        ("sku=1688-103", "3"),
        ("sku=103,105", "53"),
        ("price_min=2", "532"),
        ("price_max=2.00", "21"),
        ("price_min=2&price_max=3", "32"),
        ("in_stock=true", "5432"),
        ("in_stock=false", "1"),
        ("q=wire_", "42"),
        ("q=wire_less", "42"),
        ("q=wire", "42"),
        ("q=100%25", "1"),
        ("q=k%5Cs", "3"),
        ("q=%25", "1"),
        ("q=无", "54321"),
        ("q=无线", ""),
        ("category_id=1&in_stock=true&price_min=3", "3"),
        ("sortby=id&order=asc", "12345"),
        ("sort=stock", "43251"),
        ("sortby=stock&order=asc", "15234"),
        ("sortby=price", "53214"),
        ("sortby=price&order=asc", "12354"),
        ("sortby=created_at&order=asc", "12345"),
        ("sortby=updated_at", "54321"),
        ("sortby=sold_count", "54321"),
    ],
)
def test_filters_and_orders(reader: ApiClient, query: str, expected: str) -> None:
    page = reader.get(f"products?{query}")

    assert offers(page) == expected
    assert (page["total"], page["total_exact"]) == (len(expected), True)


@pytest.mark.usefixtures("shelf")
def test_products_by_id_and_by_shop(reader: ApiClient) -> None:
    ids = list(Product.objects.order_by("id").values_list("id", flat=True))
    shop = Shop.objects.get(source_id="b2b-2").pk

    assert offers(reader.get("products", ids=f"{ids[0]},{ids[2]},999999")) == "31"
    assert offers(reader.get("products", shop_id=shop)) == "43"


@pytest.mark.usefixtures("shelf")
def test_times_are_inclusive_to_the_second_they_are_shown_with(reader: ApiClient) -> None:
    moment = datetime(2026, 1, 1, 12, 0, 0, 700_000, tzinfo=UTC)
    Product.objects.filter(source_id="102").update(created_at=moment, updated_at=moment)
    Product.objects.exclude(source_id="102").update(created_at=moment.replace(year=2020))

    assert offers(reader.get("products", start_time="2026-01-01T12:00:00Z", end_time="2026-01-01T12:00:00Z")) == "2"
    assert offers(reader.get("products", end_time="2025-01-01 00:00:00")) == "5431"
    assert len(offers(reader.get("products", end_time="9999-12-31T23:59:59Z"))) > 1
    assert offers(reader.get("products", start_time="2026-01-01 20:00:00")) == "2"
    assert offers(reader.get("products", updated_since="2026-01-01T12:00:01Z")) == "5431"


@pytest.mark.uncounted
@pytest.mark.usefixtures("shelf")
def test_deleted_products_are_not_listed(reader: ApiClient) -> None:
    Product.objects.filter(source_id__in=["101", "105"]).update(deleted_at=datetime.now(UTC))

    page = reader.get("products")

    assert (offers(page), page["total"]) == ("432", 3)


@pytest.mark.uncounted
def test_products_whose_category_and_shop_are_gone_are_still_listed(reader: ApiClient) -> None:
    apply(record(shop=None, category=None, price=None, price_tiers=(PriceTier(1, Decimal("0.10")),)))
    Product.objects.update(category_id=404, shop_id=404)

    page = reader.get("products")

    item = page["items"][0]
    assert (page["total"], item["category"], item["category_path"], item["shop"], item["price"]) == (
        1,
        None,
        None,
        None,
        None,
    )


def test_strangers_see_nothing(api: ApiClient) -> None:
    api.get("products", expect=401)
    api.get("products/1", expect=401)
    api.get("categories", expect=401)
