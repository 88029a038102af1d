"""Reads of the category tree, as plain data."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from products.selectors.listing import MAX_ID, Selection, containing
from system.sql import fetch_all, fetch_one, one, rows

Category = dict[str, Any]

_COLUMNS = "id, parent_id, name, path, level, is_leaf, created_at, updated_at"
_DETAIL = f"SELECT {_COLUMNS} FROM products_category WHERE id = %s"  # noqa: S608 - constants only
# What writers count of the products filed right in a category, summed up over all below each.
_PRODUCT_COUNTS = """
    SELECT node.id, sum(s.products)::bigint
    FROM products_category c JOIN products_stamp s ON s.scope = c.id CROSS JOIN LATERAL unnest(c.ancestors) AS node (id)
    WHERE c.ancestors && %s::bigint[] AND node.id = ANY(%s::bigint[]) GROUP BY node.id
"""
_FILTERS = {
    "parent_id": "parent_id = %s",
    "level": "level = %s",
    "is_leaf": "is_leaf = %s",
}


class ListedCategories(NamedTuple):
    """One page of categories in the order of the tree; `last` is where the next page goes on, None on the last one."""

    items: list[Category]
    total: int | None
    last: list[int] | None


def category_page(
    filters: Mapping[str, Any],
    *,
    limit: int,
    offset: int = 0,
    after: Sequence[int] | None = None,
    counted: bool = True,
) -> ListedCategories:
    """A page of the tree, every category right behind its parent.

    Args:
        filters: parent_id, level, is_leaf, `q` (part of the name); `product_count` adds the number of products in and
            below each category.
        after: `last` of the page before, instead of an offset.
        counted: whether the total is wanted.
    """
    taken = _selection(filters)
    part = taken if after is None else taken.narrowed("ancestors > %s::bigint[]", list(after))
    sql = f"SELECT {_COLUMNS}, ancestors FROM products_category WHERE {part.condition} ORDER BY ancestors, id"  # noqa: S608
    found = rows(f"{sql} LIMIT {limit + 1} OFFSET {offset}", part.parameters)
    places = [category.pop("ancestors") for category in found]
    items = found[:limit]
    if filters.get("product_count"):
        _add_counts(items)
    return ListedCategories(
        items, _count(taken) if counted else None, places[limit - 1] if len(found) > limit else None
    )


def category_detail(category_id: int) -> Category | None:
    """One category with the number of products in and below it; None when there is none."""
    category = one(_DETAIL, [category_id]) if 0 < category_id <= MAX_ID else None
    if category:
        _add_counts([category])
    return category


def _selection(filters: Mapping[str, Any]) -> Selection:
    found = Selection("true", [])
    for name, condition in _FILTERS.items():
        if filters.get(name) is not None:
            found = found.narrowed(condition, filters[name])
    if filters.get("q") is not None:
        found = found.narrowed("name ILIKE %s", containing(filters["q"]))
    return found


def _count(taken: Selection) -> int:
    row = fetch_one(f"SELECT count(*) FROM products_category WHERE {taken.condition}", taken.parameters)  # noqa: S608
    return row[0] if row else 0


def _add_counts(categories: Sequence[Category]) -> None:
    ids = [category["id"] for category in categories]
    counts = dict(fetch_all(_PRODUCT_COUNTS, [ids, ids]))
    for category in categories:
        category["product_count"] = counts.get(category["id"], 0)
