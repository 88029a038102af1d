"""How the products that a search finds are spread over categories, prices, suppliers and attributes."""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator, Sequence
from itertools import accumulate
from typing import Any

import orjson

from products.selectors.listing import Query
from system.sql import fetch_one

FACETS = ("category", "price", "shop", "attributes")
# So many products are looked at; of more, those that fit best.
FACET_LIMIT = 2_000
MOST_VALUES, MOST_ATTRIBUTES = 20, 10
MOST_BANDS = 6

# Bands of prices end at these: 1, 2, 3, 5 and the same times ten, as often as money has digits.
_STEPS = [round(step * 10.0**power, 2) for power in range(-2, 10) for step in (1, 2, 3, 5)]
_CENT = 0.01

_COUNTED = f"""
    SELECT f.{{column}} AS id, count(*) AS count FROM found f WHERE f.{{column}} IS NOT NULL
    GROUP BY f.{{column}} ORDER BY count DESC, id LIMIT {MOST_VALUES}
"""  # noqa: S608 - constants only
_CATEGORIES = f"""
    SELECT json_agg(json_build_object('id', c.id, 'name', c.name, 'path', c.path, 'count', n.count)
        ORDER BY n.count DESC, n.id)
    FROM ({_COUNTED.format(column="category_id")}) n JOIN products_category c ON c.id = n.id
"""  # noqa: S608
_SHOPS = f"""
    SELECT json_agg(json_build_object('id', h.id, 'name', h.name, 'count', n.count) ORDER BY n.count DESC, n.id)
    FROM ({_COUNTED.format(column="shop_id")}) n JOIN products_shop h ON h.id = n.id
"""  # noqa: S608
_PRICES = """
    SELECT json_agg(json_build_array(n.step, n.count) ORDER BY n.step) FROM (
        SELECT width_bucket(f.price::float8, %s::float8[]) AS step, count(*) FROM found f
        WHERE f.price IS NOT NULL GROUP BY step
    ) n
"""
# Values are counted by us: to take the JSON apart costs the database five times as much.
_ATTRIBUTES = "SELECT '[' || string_agg(f.attributes::text, ',') || ']' FROM found f"
_LOOKED_AT = Query("SELECT count(*) FROM ids), (SELECT yes FROM partly", [])
_SQL: dict[str, Query] = {
    "category": Query(_CATEGORIES, []),
    "price": Query(_PRICES, [_STEPS]),
    "shop": Query(_SHOPS, []),
    "attributes": Query(_ATTRIBUTES, []),
}


def facets(found: Query, wanted: Collection[str]) -> dict[str, Any]:
    """The commonest values of what was found, with how many products have each.

    Args:
        found: what stands in a WITH clause to give `candidates` (id, key) and `partly`: see
            `products.selectors.search`.
        wanted: some of FACETS.

    Returns:
        `counted` products, whether that was all (`exact`), and for each wanted name a list.
    """
    parts = [_SQL[name] for name in wanted]
    columns = ", ".join(f"({part.sql})" for part in [_LOOKED_AT, *parts])
    sql = f"""
        WITH {found.sql},
        ids AS MATERIALIZED (SELECT id FROM candidates ORDER BY key DESC, id DESC LIMIT {FACET_LIMIT + 1}),
        found AS MATERIALIZED (
            SELECT p.category_id, p.shop_id, p.price {", p.attributes" if "attributes" in wanted else ""}
            FROM (SELECT id FROM ids LIMIT {FACET_LIMIT}) AS taken
            CROSS JOIN LATERAL (SELECT * FROM products_product WHERE id = taken.id OFFSET 0) AS p
        )
        SELECT {columns}
    """  # noqa: S608 - constants and numbers only; every value is a parameter
    row = fetch_one(sql, [*found.parameters, *(value for part in parts for value in part.parameters)]) or (0, False)
    count, more, *shown = row
    return {
        "counted": min(count, FACET_LIMIT),
        "exact": count <= FACET_LIMIT and not more,
        **{name: _SHOWN[name](part or "") for name, part in zip(wanted, shown, strict=False)},
    }


def price_bands(steps: Sequence[tuple[int, int]]) -> list[dict[str, Any]]:
    """Neighbouring steps joined to few bands that hold about as many products each.

    Args:
        steps: number of a step and how many products lie in it, in order.
    """
    total, bands = sum(count for _, count in steps), list[list[tuple[int, int]]]()
    for step, before in zip(steps, accumulate((count for _, count in steps), initial=0), strict=False):
        if not bands or before >= total * len(bands) / MOST_BANDS:
            bands.append([])
        bands[-1].append(step)
    starts = [band[0][0] for band in bands]
    ends: list[int | None] = [*starts[1:], *([None] if starts else [])]
    return [
        {
            "price_min": _low(start),
            "price_max": None if end is None else round(_low(end) - _CENT, 2),
            "count": _size(band),
        }
        for start, end, band in zip(starts, ends, bands, strict=True)
    ]


def _low(step: int) -> float:
    """The least price of a step."""
    return _STEPS[step - 1] if step else 0.0


def _size(band: Sequence[tuple[int, int]]) -> int:
    return sum(count for _, count in band)


def attribute_values(texts: str) -> list[dict[str, Any]]:
    """The attributes whose common values most products have.

    Args:
        texts: the attributes of all products, as the text of a JSON list.
    """
    documents = orjson.loads(texts) if texts else []
    values: defaultdict[str, list[tuple[str, int]]] = defaultdict(list)
    counted = Counter(_pairs(documents))
    for (name, value), count in sorted(counted.items(), key=lambda found: (-found[1], found[0])):
        if len(values[name]) < MOST_VALUES:
            values[name].append((value, count))
    best = sorted(values, key=lambda name: (-sum(count for _, count in values[name]), name))[:MOST_ATTRIBUTES]
    return [
        {"name": name, "values": [{"value": value, "count": count} for value, count in values[name]]} for name in best
    ]


def _pairs(documents: Sequence[Any]) -> Iterator[tuple[str, str]]:
    """Name and value, once a product; what is neither a text nor a list of texts is passed over."""
    for attributes in documents:
        for name, value in attributes.items() if isinstance(attributes, dict) else ():
            if isinstance(value, str):
                yield name, value
            elif isinstance(value, list):
                yield from {(name, each) for each in value if isinstance(each, str)}


_SHOWN: dict[str, Any] = {
    "category": list,
    "price": price_bands,
    "shop": list,
    "attributes": attribute_values,
}
