"""Every pair of filters in every order of the product list: plans that read few rows, and never the whole table."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import combinations
from typing import Any

import pytest

from products.selectors.listing import ORDERS, Query, count_query, page_query, selection
from system.sql import fetch_one
from tests.products.test_plans import PRODUCTS, filled, nodes

pytestmark = [pytest.mark.django_db, pytest.mark.uncounted]

__all__ = ["filled"]

# What a list may look at to show 20 rows or to count: some hundred rows of each filter, but never most of the table.
MOST_ROWS = PRODUCTS // 4
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
}
NAMES = [*CATEGORIES, *FILTERS]
PAIRS = [
    (one, other)
    for one, other in combinations(NAMES, 2)
    if not (one in CATEGORIES and other in CATEGORIES)
    and not FILTERS.get(one, {}).keys() & FILTERS.get(other, {}).keys()
]


def queries(names: tuple[str, ...]) -> Iterator[tuple[str, Query]]:
    """The first page in every order both ways, and the count."""
    filters: dict[str, Any] = {}
    for name in names:
        filters |= FILTERS.get(name, {})
    taken = selection(filters, [CATEGORIES[name] for name in names if name in CATEGORIES])
    for sort, order in ORDERS.items():
        for descending in (True, False):
            yield f"{sort} {descending}", page_query(taken, order, descending=descending, limit=21)
    yield "count", count_query(taken)


def rows_read(query: Query) -> tuple[int, bool]:
    """How many rows of products the plan looked at, and whether it read the whole table."""
    row = fetch_one(f"EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) {query.sql}", query.parameters)
    assert row
    scans = [step for step in nodes(row[0][0]["Plan"]) if step.get("Relation Name") == "products_product"]
    rows = sum(
        (step["Actual Rows"] + step.get("Rows Removed by Filter", 0) + step.get("Rows Removed by Index Recheck", 0))
        * step["Actual Loops"]
        for step in scans
    )
    return round(rows), any(step["Node Type"] == "Seq Scan" for step in scans)


@pytest.mark.parametrize("names", [*((name,) for name in NAMES), *PAIRS], ids=" + ".join)
def test_filters_are_backed_by_indexes_in_every_order(names: tuple[str, ...]) -> None:
    read = {name: rows_read(query) for name, query in queries(names)}

    assert {name: found for name, found in read.items() if found[1] or (found[0] > MOST_ROWS and name != "count")} == {}
