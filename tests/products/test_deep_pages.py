"""Deep pages of lists are read from remembered places on, and are the pages they would be without."""

from decimal import Decimal
from typing import Any

import orjson
import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from products.models import Product
from products.selectors import anchors, products
from products.selectors.coverage import Coverage, coverage
from products.selectors.listing import ORDERS
from products.selectors.products import product_page
from system.sql import fetch_all
from tests.products.records import apply, record

pytestmark = pytest.mark.django_db

COUNT = 13
LISTS: list[dict[str, Any]] = [{}, {"status": ["published"]}, {"status": ["expired"]}, {"category": "耳机"}]


@pytest.fixture(autouse=True)
def thirteen(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Products of equal, different and hidden prices; every second row of a list is remembered."""
    prices = [None if number % 5 == 0 else Decimal(number % 4 + 1) for number in range(COUNT)]
    apply(*(record(str(number), price=price, stock=number % 3) for number, price in enumerate(prices)))
    monkeypatch.setattr(anchors, "SPACING", 2)
    anchors.forget()


def offers(filters: dict[str, Any], sort: str, *, descending: bool, offset: int) -> tuple[list[str], int | None, Any]:
    page = product_page(filters, sort=sort, descending=descending, limit=3, offset=offset)
    return [item["source_id"] for item in orjson.loads(page.items)], page.total, page.last


@pytest.mark.parametrize("descending", [True, False])
@pytest.mark.parametrize("sort", ORDERS)
@pytest.mark.parametrize("filters", LISTS, ids=str)
def test_pages_are_the_same_whatever_was_read_before(
    filters: dict[str, Any], sort: str, descending: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    offsets = [11, 4, 0, 6, 2, 12, 7, 20]
    with monkeypatch.context() as without:
        without.setattr(anchors, "SPACING", 1_000)
        plain = [offers(filters, sort, descending=descending, offset=offset) for offset in offsets]

    for _ in ("walked", "remembered"):
        assert [offers(filters, sort, descending=descending, offset=offset) for offset in offsets] == plain


def test_a_deep_page_skips_no_more_rows_than_lie_between_two_places() -> None:
    offers({}, "price", descending=True, offset=8)

    with CaptureQueriesContext(connection) as queries:
        offers({}, "price", descending=True, offset=7)
    (page,) = [query["sql"] for query in queries if "products_product p" in query["sql"]]
    assert "OFFSET (SELECT 1" in page
    assert "(p.price, p.id) <" in page


def test_a_change_forgets_the_places() -> None:
    before = offers({}, "id", descending=True, offset=6)

    apply(record("new"))

    assert offers({}, "id", descending=True, offset=7) == (before[0], COUNT + 1, before[2])


def test_a_commit_amid_a_read_makes_it_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Places that were found before a commit would name rows of a list that is no more."""
    before = offers({}, "id", descending=True, offset=6)

    def overtaken(filters: dict[str, Any]) -> Coverage:
        found = coverage(filters)
        if not Product.objects.filter(source_id="new").exists():
            apply(record("new"))
        return found

    monkeypatch.setattr(products, "coverage", overtaken)

    after = offers({}, "id", descending=True, offset=6)
    assert after[0][1:] == before[0][:2]


@pytest.mark.parametrize("sort", ["id", "price"])
def test_pages_of_any_depth_are_one_plan_that_is_kept(sort: str) -> None:
    """Planning takes as long as reading the page."""
    for read in range(20):
        offers({}, sort, descending=True, offset=8 + read % 2)

    kept = "SELECT max(generic_plans) FROM pg_prepared_statements WHERE statement LIKE '%%WITH page%%OFFSET%%'"
    assert fetch_all(kept)[0][0]


@pytest.mark.parametrize("sort", ["id", "price"])
def test_lists_whose_rows_no_index_has_in_order_are_not_walked(sort: str) -> None:
    with CaptureQueriesContext(connection) as queries:
        offers({"in_stock": True}, sort, descending=True, offset=6)
    assert not any("RECURSIVE" in query["sql"] for query in queries)
