"""GET products: pages, offsets, cursors and totals."""

from decimal import Decimal
from typing import Any

import pytest

from products.models import Product
from products.selectors import listing, products
from system.api.kept_pages import kept_pages
from tests.client import ApiClient
from tests.products.records import apply, record

pytestmark = pytest.mark.django_db

PRICES = [None, "1.00", "2.00", "2.00", "2.00", None, "3.00"]


@pytest.fixture
def seven(db: None) -> None:
    """Seven products, prices repeated and missing."""
    for number, price in enumerate(PRICES):
        apply(record(str(number), price=price and Decimal(price)))


def offers(page: dict[str, Any]) -> str:
    return "".join(item["source_id"] for item in page["items"])


def walk(reader: ApiClient, **query: Any) -> list[str]:
    """Everything, page by page, by cursor."""
    page = reader.get("products", **query)
    pages = [offers(page)]
    while page["next_cursor"]:
        page = reader.get("products", **query, cursor=page["next_cursor"])
        pages.append(offers(page))
    return pages


@pytest.mark.usefixtures("seven")
def test_pages_and_offsets_cut_the_same_list(reader: ApiClient) -> None:
    first = reader.get("products", page_size=3)
    last = reader.get("products", page=3, page_size=3)

    assert (offers(first), offers(last)) == ("654", "0")
    assert (last["total"], last["pages"], last["page"], last["next_cursor"]) == (7, 3, 3, None)
    assert offers(reader.get("products", offset=6, limit=3)) == "0"
    assert 'rel="prev"' in reader.last.headers["Link"]


@pytest.mark.usefixtures("seven")
def test_a_page_past_the_end_is_empty_and_still_counts(reader: ApiClient) -> None:
    page = reader.get("products", page=9)

    assert (page["items"], page["total"]) == ([], 7)


@pytest.mark.usefixtures("seven")
@pytest.mark.parametrize(
    ("sortby", "order", "expected"),
    [
        ("id", "desc", ["654", "321", "0"]),
        ("id", "asc", ["012", "345", "6"]),
        ("created_at", "desc", ["654", "321", "0"]),
        ("price", "desc", ["643", "215", "0"]),
        ("price", "asc", ["123", "460", "5"]),
    ],
)
def test_cursors_walk_everything_once_in_order(reader: ApiClient, sortby: str, order: str, expected: list[str]) -> None:
    assert walk(reader, sortby=sortby, order=order, page_size=3) == expected
    whole = reader.get("products", sortby=sortby, order=order)
    assert offers(whole) == "".join(expected)
    assert offers(reader.get("products", sortby=sortby, order=order, offset=4, limit=2)) == "".join(expected)[4:6]


@pytest.mark.usefixtures("seven")
def test_a_cursor_is_not_moved_by_what_is_added_or_changed_before_it(reader: ApiClient) -> None:
    first = reader.get("products", page_size=3)
    apply(record("7"))
    Product.objects.filter(source_id="6").update(stock=1)

    second = reader.get("products", page_size=3, cursor=first["next_cursor"])

    assert (offers(second), second["page"], second["total"]) == ("321", None, None)


@pytest.mark.usefixtures("seven")
def test_a_cursor_of_another_order_is_refused(reader: ApiClient) -> None:
    cursor = reader.get("products", page_size=3)["next_cursor"]

    assert "cursor" in reader.get("products", cursor=cursor, sortby="price", expect=400)["details"]
    assert "cursor" in reader.get("products", cursor="bm90aGluZw", expect=400)["details"]


@pytest.mark.usefixtures("seven")
def test_totals_are_counted_up_to_a_limit(reader: ApiClient, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (listing, products):
        monkeypatch.setattr(module, "COUNT_LIMIT", 5)

    page = reader.get("products", in_stock="true", page_size=2)

    assert (page["total"], page["total_exact"]) == (5, False)
    assert reader.get("products", page_size=2)["total"] >= 5
    assert reader.get("products", ids="1", page_size=2)["total_exact"] is True


@pytest.mark.usefixtures("seven")
@pytest.mark.parametrize("order", ["asc", "desc"])
@pytest.mark.parametrize("sortby", listing.ORDERS)
def test_many_rows_of_a_range_are_the_rows_few_would_be(
    reader: ApiClient, sortby: str, order: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Few are read as a whole and sorted, many are walked in their order."""
    asked: dict[str, Any] = {"sortby": sortby, "order": order, "start_time": "2020-01-01T00:00:00Z", "page_size": 3}
    sorted_pages = [offers(reader.get("products", **asked, page=page)) for page in (1, 2, 3)]

    monkeypatch.setattr(listing, "_FEW_IN_TIME", 2)
    kept_pages.forget()

    assert [offers(reader.get("products", **asked, page=page)) for page in (1, 2, 3)] == sorted_pages
    assert sorted("".join(sorted_pages)) == list("0123456")
