"""GET products/{id}/history."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from products.models import Product, ProductChange
from tests.client import ApiClient
from tests.products.records import apply, record

pytestmark = pytest.mark.django_db


@pytest.fixture
def product(db: None) -> Product:
    """A product that was created, then became cheaper, then sold, then both."""
    apply(record(), job_id=1)
    apply(record(price=Decimal("8.80")), job_id=2)
    apply(record(price=Decimal("8.80"), stock=90), job_id=3)
    apply(record(price=Decimal("7.70"), stock=80), job_id=None)
    for number, change in enumerate(ProductChange.objects.order_by("id")):
        ProductChange.objects.filter(pk=change.pk).update(at=datetime(2026, 5, 1 + number, 12, tzinfo=UTC))
    return Product.objects.get()


def fields(page: dict[str, Any]) -> list[dict[str, Any]]:
    return [item["fields"] for item in page["items"]]


def test_every_change_newest_first_with_before_and_after(reader: ApiClient, product: Product) -> None:
    page = reader.get(f"products/{product.pk}/history")

    assert fields(page) == [{"price": [8.8, 7.7], "stock": [90, 80]}, {"stock": [100, 90]}, {"price": [9.9, 8.8]}, {}]
    assert page["total"] == 4
    newest = page["items"][0]
    assert newest == {
        "id": newest["id"],
        "at": "2026-05-04T12:00:00Z",
        "kind": "updated",
        "reason": "",
        "task_id": None,
        "fields": {"price": [8.8, 7.7], "stock": [90, 80]},
    }
    assert [item["task_id"] for item in page["items"]] == [None, "sync_3", "sync_2", "sync_1"]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("field=price", [{"price": [8.8, 7.7]}, {"price": [9.9, 8.8]}]),
        ("field=stock,price&page_size=1", [{"price": [8.8, 7.7], "stock": [90, 80]}]),
        ("field=title", []),
        ("kind=created", [{}]),
        ("kind=updated&start_time=2026-05-03", [{"price": [8.8, 7.7], "stock": [90, 80]}, {"stock": [100, 90]}]),
        ("end_time=2026-05-02T12:00:00Z", [{"price": [9.9, 8.8]}, {}]),
        ("offset=3&limit=5", [{}]),
    ],
)
def test_filters(reader: ApiClient, product: Product, query: str, expected: list[Any]) -> None:
    assert fields(reader.get(f"products/{product.pk}/history?{query}")) == expected


def test_a_walk_by_cursor_meets_every_change_once(reader: ApiClient, product: Product) -> None:
    seen = list[int]()
    place: Any = ""
    while place is not None:
        page = reader.get(f"products/{product.pk}/history?limit=1{place}")
        seen += [item["id"] for item in page["items"]]
        place = page["next_cursor"] and f"&cursor={page['next_cursor']}"

    assert seen == list(ProductChange.objects.order_by("-id").values_list("id", flat=True))


@pytest.mark.uncounted
def test_a_deleted_or_unknown_product_has_none(reader: ApiClient, product: Product) -> None:
    Product.objects.update(deleted_at=timezone.now())

    for number in (product.pk, product.pk + 1, "9" * 19, "x"):
        reader.get(f"products/{number}/history", expect=404)


@pytest.mark.parametrize(
    "query",
    [
        *["field=password", "field=", "field=fields__x", "kind=gone", "start_time=now", "foo=1", "page=0"],
        "start_time=2026-01-02&end_time=2026-01-01",
    ],
)
def test_a_bad_parameter_is_named(reader: ApiClient, product: Product, query: str) -> None:
    error = reader.get(f"products/{product.pk}/history?{query}", expect=400)

    assert query.partition("=")[0] in error["details"]


def test_another_products_cursor_is_refused(reader: ApiClient, product: Product) -> None:
    apply(record("2"))
    other = Product.objects.order_by("id").last()
    assert other
    cursor = reader.get(f"products/{product.pk}/history", limit=1)["next_cursor"]

    assert "cursor" in reader.get(f"products/{other.pk}/history", cursor=cursor, expect=400)["details"]
