"""Query plans on a table large enough for the planner to care."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pytest_django import DjangoDbBlocker

from products.selectors.changes import Position, feed_query
from products.selectors.listing import ORDERS, Look, Query, count_query, page_query, selection
from products.selectors.tables import step_query
from system.sql import execute, fetch_one

pytestmark = [pytest.mark.django_db, pytest.mark.uncounted]

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
# A transaction a line, as the numbers of a long life would be.
FILL_CHANGES = f"""
    INSERT INTO products_productchange (product_id, kind, fields, at, xact)
    SELECT n %% 500, 'updated', '{{}}', now() - ({PRODUCTS} - n) * interval '1 minute', n::text::xid8
    FROM generate_series(1, {PRODUCTS}) AS n
"""  # noqa: S608
FILL_SKUS = f"""
    INSERT INTO products_sku (product_id, source_sku_id, spec_id, code, spec, price_tiers, stock, image, position,
        created_at, updated_at)
    SELECT n, 'a', '', '', '{{}}', '[]', 1, '', 0, now(), now() FROM generate_series(1, {PRODUCTS}) AS n
"""  # noqa: S608
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
        execute(FILL_CHANGES)
        execute(FILL_SKUS)
        # Rows whose commit is not on disk yet are not marked as visible to all.
        execute("CHECKPOINT")
        execute("VACUUM ANALYZE products_product, products_productchange, products_sku")
    yield
    with django_db_blocker.unblock():
        execute("TRUNCATE products_product, products_productchange, products_sku")


def nodes(top: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield top
    for child in top.get("Plans", []):
        yield from nodes(child)


def plan(query: Query) -> list[dict[str, Any]]:
    """All nodes of a query's plan."""
    row = fetch_one(f"EXPLAIN (FORMAT JSON) {query.sql}", query.parameters)
    assert row
    return list(nodes(row[0][0]["Plan"]))


def whole_reads(query: Query, table: str = "products_product") -> list[dict[str, Any]]:
    """Where the plan reads a whole table."""
    return [node for node in plan(query) if node["Node Type"] == "Seq Scan" and node["Relation Name"] == table]


def page(
    filters: dict[str, Any], sort: str, *, descending: bool, categories: Sequence[list[int]] = (), **place: Any
) -> Query:
    taken = selection(filters, categories)
    return page_query(taken, ORDERS[sort], descending=descending, limit=21, **place)


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


@pytest.mark.parametrize("after", [None, Position("1", 19_000, 1)])
@pytest.mark.parametrize("filters", [{}, {"kind": ["deleted"]}, {"source": "demo"}, {"followed": True}], ids=str)
def test_the_feed_walks_its_index(filters: dict[str, Any], after: Position | None) -> None:
    query, _ = feed_query(filters, after=after, limit=100, user_id=1)

    assert not whole_reads(query, "products_productchange")
    assert "change_feed" in {step.get("Index Name") for step in plan(query)}


def test_a_selective_filter_of_the_feed_reads_few_lines() -> None:
    for filters in ({"product_id": 7}, {"since": datetime.now(UTC) - timedelta(minutes=100)}):
        query, _ = feed_query(filters, after=None, limit=100, user_id=1)

        assert not whole_reads(query, "products_productchange")


@pytest.mark.parametrize("last", [0, 10_000])
def test_every_step_of_an_export_walks_the_key(last: int) -> None:
    assert not whole_reads(step_query(selection({}, []), "p.title", last))


def test_a_price_at_a_quantity_reads_no_more_than_the_page() -> None:
    priced = page_query(selection({}, []), ORDERS["id"], descending=True, limit=21, look=Look(quantity=120))

    assert not whole_reads(priced)
    assert not whole_reads(priced, "products_sku")


def test_the_check_itself_sees_a_whole_read() -> None:
    assert whole_reads(Query("SELECT sum(length(description)) FROM products_product", []))
