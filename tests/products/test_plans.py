"""Query plans on a table large enough for the planner to care."""

from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from pytest_django import DjangoDbBlocker

from products.selectors.listing import ORDERS, Query, count_query, page_query, selection
from system.sql import execute, fetch_one

pytestmark = pytest.mark.django_db

PRODUCTS = 20_000
FILL = f"""
    INSERT INTO products_product (source, source_id, sku, title, description, category_id, shop_id, price, currency,
        price_tiers, stock, min_order_quantity, unit, sold_count, images, attributes, status, url, fingerprint,
        owned_fields, version, created_at, updated_at)
    SELECT 'demo', n::text, '1688-' || n, 'title ' || n, repeat('x', 500), n %% 400, n %% 500,
        CASE WHEN n %% 10 > 0 THEN n %% 997 END, 'CNY', '[]',
        hashint4(n) & 8191, 1, '', hashint4(-n) & 8191, '[]', '{{}}',
        CASE WHEN n %% 100 = 0 THEN 'expired' ELSE 'published' END, '', '', '{{}}', 1,
        now() - n * interval '1 minute', now() - (n * 7919 %% {PRODUCTS}) * interval '1 minute'
    FROM generate_series(1, {PRODUCTS}) AS n
"""  # noqa: S608 - constants only
SELECTIVE: list[dict[str, Any]] = [
    {"shop_id": 7},
    {"status": ["expired"]},
    {"ids": [1, 2, 3]},
    {"sku": ["17", "1688-19"]},
    {"updated_since": "2099-01-01T00:00:00Z"},
    {"price_min": 995},
]


@pytest.fixture(scope="module", autouse=True)
def filled(django_db_setup: None, django_db_blocker: DjangoDbBlocker) -> Iterator[None]:
    """The table is filled once for the module, and committed, so that it can be vacuumed."""
    with django_db_blocker.unblock():
        execute(FILL)
        # Rows whose commit is not on disk yet are not marked as visible to all.
        execute("CHECKPOINT")
        execute("VACUUM ANALYZE products_product")
    yield
    with django_db_blocker.unblock():
        execute("TRUNCATE products_product")


def nodes(top: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield top
    for child in top.get("Plans", []):
        yield from nodes(child)


def plan(query: Query) -> list[dict[str, Any]]:
    """All nodes of a query's plan."""
    row = fetch_one(f"EXPLAIN (FORMAT JSON) {query.sql}", query.parameters)
    assert row
    return list(nodes(row[0][0]["Plan"]))


def whole_reads(query: Query) -> list[dict[str, Any]]:
    """Where the plan reads the whole table of products."""
    return [
        node for node in plan(query) if node["Node Type"] == "Seq Scan" and node["Relation Name"] == "products_product"
    ]


def page(
    filters: dict[str, Any], sort: str, *, descending: bool, categories: Sequence[list[int]] = (), **place: Any
) -> Query:
    taken = selection(filters, categories)
    return page_query(taken, ORDERS[sort], descending=descending, limit=21, counted=False, **place)


@pytest.mark.parametrize("descending", [True, False])
@pytest.mark.parametrize("sort", ORDERS)
def test_every_order_of_the_whole_list_walks_an_index(sort: str, descending: bool) -> None:
    key = "2026-01-01" if sort.endswith("_at") else "1"

    for after in (None, [key, 1]):
        assert not whole_reads(page({}, sort, descending=descending, after=after))
    assert not whole_reads(page({}, sort, descending=descending, offset=5000))


@pytest.mark.parametrize("sort", ORDERS)
@pytest.mark.parametrize("category_ids", [[7], list(range(20))], ids=["leaf", "branch"])
def test_every_order_of_a_category_uses_an_index(sort: str, category_ids: list[int]) -> None:
    assert not whole_reads(page({}, sort, descending=True, categories=[category_ids]))


def test_the_newest_of_a_category_leave_the_index_in_their_order() -> None:
    steps = plan(page({}, "id", descending=True, categories=[[7]]))

    assert [step.get("Scan Direction") for step in steps if step.get("Index Name") == "product_category"] == [
        "Backward"
    ]


@pytest.mark.parametrize("filters", SELECTIVE, ids=lambda filters: next(iter(filters)))
def test_a_filter_that_leaves_few_uses_an_index_for_page_and_total(filters: dict[str, Any]) -> None:
    assert not whole_reads(page(filters, "id", descending=True))
    assert not whole_reads(count_query(selection(filters, [])))


def test_a_category_is_counted_in_its_index_alone() -> None:
    steps = plan(count_query(selection({}, [[7]])))

    read = [(step["Node Type"], step.get("Index Name")) for step in steps if "Scan" in step["Node Type"]]
    assert read == [("Index Only Scan", "product_category")]


def test_the_check_itself_sees_a_whole_read() -> None:
    assert whole_reads(Query("SELECT sum(length(description)) FROM products_product", []))
