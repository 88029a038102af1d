"""What lists cost PostgreSQL: every pair of filters (and with --triples every third one more) in every order.

    DATABASE_URL=… python -m benchmarks.list_plans --buffers 5000 --milliseconds 50

Asks a filled catalogue for the first page and the count of each combination, with values that leave many products and
values that leave few, by EXPLAIN (ANALYZE, BUFFERS), and prints those that touch more pages of the buffer or take
more processor time than the limits, with planning. Neither moves much on busy machines.
"""

import argparse
from collections.abc import Iterator
from itertools import combinations
from typing import Any, NamedTuple

import django

django.setup()

from benchmarks.backend import Clock  # noqa: E402 (as above)
from products.selectors.listing import COUNT_LIMIT, ORDERS, Query, count_query, few, page_query, selection  # noqa: E402 (as above)
from system.sql import fetch_all, fetch_one  # noqa: E402

LIMIT = 21
# Values of today's rows at these shares of all, so that the same filters fit any catalogue.
SHARES = (0.001, 0.02, 0.5, 0.98)
CATEGORIES = ("leaf", "branch")


class Filter(NamedTuple):
    """A filter with its value, or the categories it covers."""

    label: str
    name: str
    value: Any


class Cost(NamedTuple):
    """Of one statement: milliseconds of a processor, pages touched, and how."""

    milliseconds: float
    pages: int
    nodes: str


def filters() -> list[Filter]:
    """The filters in use, each with typical, rare and frequent values."""
    found = [Filter(f"status={state}", "status", [state]) for state in ("published", "expired", "reviewing")]
    found += [Filter("source=most", "source", _commonest("source")), Filter("source=none", "source", "nobody")]
    found += [Filter("source=rare", "source", _commonest("source", "ASC"))]
    found += [Filter("shop", "shop_id", _commonest("shop_id"))]
    found += [Filter(f"in_stock={yes}", "in_stock", yes) for yes in (True, False)]
    for column, names in {
        "price": ("price_min", "price_max"),
        "created_at": ("start_time", "end_time"),
        "updated_at": ("updated_since",),
    }.items():
        places = ", ".join(map(str, SHARES))
        sql = f"SELECT percentile_disc(ARRAY[{places}]) WITHIN GROUP (ORDER BY {column}) FROM products_product"  # noqa: S608
        ((values,),) = fetch_all(sql)
        found += [
            Filter(f"{name}@{share}", name, value)
            for name in names
            for share, value in zip(SHARES, values, strict=True)
        ]
    leaf, branch = _categories()
    return [*found, Filter("leaf", "category", leaf), Filter("branch", "category", branch)]


def _commonest(column: str, way: str = "DESC") -> Any:
    sql = f"SELECT {column} FROM products_product GROUP BY 1 ORDER BY count(*) {way} LIMIT 1"  # noqa: S608
    return fetch_all(sql)[0][0]


def _categories() -> tuple[list[int], list[int]]:
    sizes = fetch_all("SELECT category_id FROM products_product GROUP BY 1 ORDER BY count(*) DESC LIMIT 20")
    ids = [row[0] for row in sizes]
    return ids[:1], ids


def combined(every: list[Filter], most: int) -> Iterator[tuple[Filter, ...]]:
    """All combinations of up to `most` filters, of one name once."""
    for size in range(1, most + 1):
        for some in combinations(every, size):
            if len({one.name for one in some}) == size:
                yield some


def statements(some: tuple[Filter, ...]) -> Iterator[tuple[str, Query]]:
    """The first page in every order both ways, and the count."""
    values = {one.name: one.value for one in some if one.name != "category"}
    taken = selection(values, [one.value for one in some if one.name == "category"])
    most = few(values)
    count = count_query(taken, most or COUNT_LIMIT)
    whole = most is not None and fetch_all(*count)[0][0] <= most
    for sort, order in ORDERS.items():
        for descending in (True, False):
            way = "desc" if descending else "asc"
            yield f"{sort} {way}", page_query(taken, order, descending=descending, limit=LIMIT, whole=whole)
    yield "count", count


def cost(query: Query, clock: Clock) -> Cost:
    """What a statement costs, planned for its own values."""
    before = clock.milliseconds()
    row = fetch_one(f"EXPLAIN (ANALYZE, BUFFERS, TIMING OFF, FORMAT JSON) {query.sql}", query.parameters)
    told = row[0][0] if row else {}
    top = told["Plan"]
    used = sorted({_step(node) for node in _nodes(top)} - {""})
    return Cost(clock.milliseconds() - before, top["Shared Hit Blocks"] + top["Shared Read Blocks"], ", ".join(used))


def _nodes(top: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield top
    for child in top.get("Plans", []):
        yield from _nodes(child)


def _step(node: dict[str, Any]) -> str:
    if node.get("Relation Name", "products_product") != "products_product" or "Scan" not in node["Node Type"]:
        return ""
    removed = node.get("Rows Removed by Filter", 0)
    return f"{node['Node Type']} {node.get('Index Name', '')} -{removed}" if "CTE" not in node["Node Type"] else ""


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.list_plans", description=__doc__.split("\n")[0])
    parser.add_argument("--buffers", type=int, default=5_000)
    parser.add_argument("--milliseconds", type=float, default=50)
    parser.add_argument("--triples", type=int, default=0, help="also every n-th combination of three")
    parser.add_argument("--only", default="", help="only combinations with this in their name")
    options = parser.parse_args()
    every, clock = filters(), Clock()
    chosen = list(combined(every, 2))
    if options.triples:
        chosen += [some for some in combined(every, 3) if len(some) == 3][:: options.triples]
    asked, above = 0, []
    for some in chosen:
        name = " ".join(one.label for one in some)
        if options.only not in name:
            continue
        for order, query in statements(some):
            found, asked = cost(query, clock), asked + 1
            if found.pages > options.buffers or found.milliseconds > options.milliseconds:
                above.append((found, name, order))
                print(
                    f"{found.milliseconds:8.1f} ms {found.pages:8,} pages  {name} | {order} | {found.nodes}", flush=True
                )
    print(f"{asked:,} statements, {len(above):,} above the limits")


if __name__ == "__main__":
    main()
