"""Every pair of filters in every order of the product list: plans that read few rows, and never the whole table."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import combinations, product
from typing import Any

import pytest

from products.selectors.listing import ORDERS, Query, count_query, few, page_query, selection
from system.sql import fetch_one
from tests.products.test_plans import PRODUCTS, filled, nodes

pytestmark = [pytest.mark.django_db, pytest.mark.uncounted]

__all__ = ["filled"]

# What a list may read to show 20 rows or to count: some hundred rows of each filter, but never most of the table.
MOST_ROWS = PRODUCTS // 20
NOW = datetime.now(UTC)
CATEGORIES: dict[str, list[int]] = {"category": [7], "branch": list(range(20))}
# By name: few rows, or as many as a filter can leave.
FILTERS: dict[str, dict[str, Any]] = {
    "shop": {"shop_id": 7},
    "published": {"status": ["published"]},
    "expired": {"status": ["expired"]},
    "source": {"source": "demo"},
    "unknown source": {"source": "nobody"},
    "sku": {"sku": ["17", "1688-19"]},
    "ids": {"ids": [1, 2, 3]},
    "dear": {"price_min": 990},
    "not cheap": {"price_min": 300},
    "cheap": {"price_max": 5},
    "in stock": {"in_stock": True},
    "sold out": {"in_stock": False},
    "changed lately": {"updated_since": NOW - timedelta(hours=3)},
    "changed": {"updated_since": NOW - timedelta(days=12)},
    "created lately": {"start_time": NOW - timedelta(hours=3)},
    "created": {"start_time": NOW - timedelta(days=7)},
    "created before": {"end_time": NOW - timedelta(days=7)},
    "created long ago": {"end_time": NOW - timedelta(days=13, hours=18)},
}
NAMES = [*CATEGORIES, *FILTERS]


def together(size: int) -> list[tuple[str, ...]]:
    """All combinations of so many filters that can be given at once, one of each name."""
    return [some for some in combinations(NAMES, size) if len(set(map(parameter, some))) == size]


def parameter(name: str) -> str:
    return "category" if name in CATEGORIES else next(iter(FILTERS[name]))


PAIRS = together(2)
# Every one of them takes minutes.
TRIPLES = together(3)[::40]


def queries(names: tuple[str, ...]) -> Iterator[tuple[str, Query]]:
    """The first page in every order both ways, and the count; of ranges also as they are read when they leave few."""
    filters: dict[str, Any] = {}
    for name in names:
        filters |= FILTERS.get(name, {})
    taken = selection(filters, [CATEGORIES[name] for name in names if name in CATEGORIES])
    for sort, order in ORDERS.items():
        for descending, whole in product((True, False), (True, False) if few(filters) else (False,)):
            place = f"{sort} {descending} {whole}"
            yield place, page_query(taken, order, descending=descending, limit=21, whole=whole)
    yield "count", count_query(taken)


def rows_read(query: Query) -> tuple[int, bool]:
    """How many rows of products the plan read that an index did not tell of, and whether it read the whole table."""
    row = fetch_one(f"EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) {query.sql}", query.parameters)
    assert row
    scans = [step for step in nodes(row[0][0]["Plan"]) if step.get("Relation Name") == "products_product"]
    rows = sum(
        step["Heap Fetches"]
        if step["Node Type"] == "Index Only Scan"
        else (
            step["Actual Rows"] + step.get("Rows Removed by Filter", 0) + step.get("Rows Removed by Index Recheck", 0)
        )
        * step["Actual Loops"]
        for step in scans
    )
    return round(rows), any(step["Node Type"] == "Seq Scan" for step in scans)


@pytest.mark.parametrize("names", [*((name,) for name in NAMES), *PAIRS, *TRIPLES], ids=" + ".join)
def test_filters_are_backed_by_indexes_in_every_order(names: tuple[str, ...]) -> None:
    read = {name: rows_read(query) for name, query in queries(names)}

    assert {name: found for name, found in read.items() if found[1] or found[0] > MOST_ROWS} == {}
