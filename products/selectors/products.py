"""Reads of products, as ready-made JSON."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from products.selectors.listing import (
    COUNT_LIMIT,
    EVERYTHING,
    MAX_ID,
    ORDERS,
    Selection,
    count_query,
    page_query,
    selection,
)
from products.selectors.shapes import PRODUCT_JOINS, WHOLE_PRODUCT
from system.sql import fetch_all, fetch_one

_DETAIL = f"""
    SELECT {WHOLE_PRODUCT}::text FROM products_product p {PRODUCT_JOINS}
    WHERE p.id = %s AND p.deleted_at IS NULL
"""  # noqa: S608 - constants only
_BELOW_ID = "SELECT id FROM products_category WHERE ancestors @> ARRAY[%s::bigint]"
_BELOW_NAME = """
    SELECT id FROM products_category
    WHERE ancestors && ARRAY(SELECT id FROM products_category WHERE name = %s OR path = %s)
"""
_ESTIMATE = "SELECT greatest(reltuples, 0)::bigint FROM pg_class WHERE oid = 'products_product'::regclass"


class ListedProducts(NamedTuple):
    """One page of products.

    `items` is a JSON array. `total` is None when it was not asked for; beyond COUNT_LIMIT it is the least it can be,
    or the database's estimate of all products, and `total_exact` is False. `last` is where the next page goes on
    (sort value and id), None on the last page.
    """

    items: str
    total: int | None
    total_exact: bool
    last: list[Any] | None


def product_page(
    filters: Mapping[str, Any],
    *,
    sort: str,
    descending: bool,
    limit: int,
    offset: int = 0,
    after: Sequence[Any] | None = None,
    counted: bool = True,
) -> ListedProducts:
    """A page of the products that are not deleted.

    Args:
        filters: `category_id` and `category` (name or path) cover their descendants; `sku` takes bare offer ids;
            the others as `products.selectors.listing` names them.
        sort: a key of `products.selectors.listing.ORDERS`; products without a value there come last.
        after: `last` of the page before, instead of an offset.
        counted: whether the total is wanted.
    """
    taken = selection(filters, _categories(filters))
    query = page_query(
        taken, ORDERS[sort], descending=descending, limit=limit + 1, offset=offset, after=after, counted=counted
    )
    found = fetch_all(*query)
    shown = found[:limit]
    total, exact = _total(taken, found, limit, offset) if counted else (None, False)
    last = [shown[-1][1], shown[-1][0]] if len(found) > limit else None
    return ListedProducts(f"[{','.join(row[2] for row in shown)}]", total, exact, last)


def product_detail(product_id: int) -> str | None:
    """One product with description and SKUs as JSON text; None when there is none, or it is deleted."""
    row = fetch_one(_DETAIL, [product_id]) if 0 < product_id <= MAX_ID else None
    return row[0] if row else None


def _categories(filters: Mapping[str, Any]) -> list[list[int]]:
    found = []
    if filters.get("category_id") is not None:
        found.append([row[0] for row in fetch_all(_BELOW_ID, [filters["category_id"]])])
    if filters.get("category") is not None:
        found.append([row[0] for row in fetch_all(_BELOW_NAME, [filters["category"]] * 2)])
    return found


def _total(taken: Selection, found: Sequence[tuple[Any, ...]], limit: int, offset: int) -> tuple[int, bool]:
    """The total and whether it is exact. A page that is not full ends the list, so it says how long that is."""
    if 0 < len(found) <= limit or not offset + len(found):
        return offset + len(found), True
    row = found[0] if found else fetch_one(*count_query(taken))
    counted = row[-1] if row else 0
    if counted <= COUNT_LIMIT:
        return counted, True
    estimate = fetch_one(_ESTIMATE) if taken is EVERYTHING else None
    return max(COUNT_LIMIT, estimate[0] if estimate else 0), False
