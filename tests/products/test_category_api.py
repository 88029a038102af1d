"""GET categories and categories/{id}."""

from typing import Any

import pytest

from products import catalog
from products.records import CategoryRecord, CategoryRef
from tests.client import ApiClient
from tests.products.records import apply, record

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def tree(db: None) -> None:
    """Two trees whose numbers do not follow their order, one product in three of the nodes."""
    catalog.apply_categories(
        [
            CategoryRecord(id=1, name="数码"),
            CategoryRecord(id=5, name="服装", is_leaf=True),
            CategoryRecord(id=8, name="耳机", parent_id=1),
            CategoryRecord(id=3, name="头戴式", parent_id=8, is_leaf=True),
            CategoryRecord(id=9, name="50%_off", parent_id=1, is_leaf=True),
        ]
    )
    for source_id, category_id in (("1", 8), ("2", 3), ("3", 3)):
        apply(record(source_id, category=CategoryRef(id=category_id)))


def ids(page: dict[str, Any]) -> list[int]:
    return [item["id"] for item in page["items"]]


def test_categories_come_in_the_order_of_the_tree(reader: ApiClient) -> None:
    page = reader.get("categories")

    assert ids(page) == [1, 8, 3, 9, 5]
    assert (page["total"], page["total_exact"]) == (5, True)
    leaf = page["items"][2]
    assert leaf["created_at"] == leaf["updated_at"]
    del leaf["created_at"], leaf["updated_at"]
    assert leaf == {
        "id": 3,
        "parent_id": 8,
        "name": "头戴式",
        "path": "数码 / 耳机 / 头戴式",
        "level": 3,
        "is_leaf": True,
    }


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("parent_id=1", [8, 9]),
        ("level=1", [1, 5]),
        ("is_leaf=true", [3, 9, 5]),
        ("is_leaf=false&level=2", [8]),
        ("q=耳", [8]),
        ("q=%25_", [9]),
        ("q=_", [9]),
    ],
)
def test_filters(reader: ApiClient, query: str, expected: list[int]) -> None:
    page = reader.get(f"categories?{query}")

    assert (ids(page), page["total"]) == (expected, len(expected))


def test_products_are_counted_on_request_with_those_below(reader: ApiClient) -> None:
    page = reader.get("categories", product_count="true")

    assert {item["id"]: item["product_count"] for item in page["items"]} == {1: 3, 8: 3, 3: 2, 9: 0, 5: 0}


def test_pages_and_cursors(reader: ApiClient) -> None:
    first = reader.get("categories", page_size=2)
    second = reader.get("categories", page_size=2, cursor=first["next_cursor"])
    third = reader.get("categories", page_size=2, cursor=second["next_cursor"])

    assert ids(first) + ids(second) + ids(third) == [1, 8, 3, 9, 5]
    assert third["next_cursor"] is None
    assert ids(reader.get("categories", page=2, page_size=2)) == [3, 9]


def test_a_detail_tells_how_many_products_are_below(reader: ApiClient) -> None:
    detail = reader.get("categories/8")

    assert (detail["name"], detail["parent_id"], detail["product_count"]) == ("耳机", 1, 3)
    reader.get("categories/404", expect=404)
