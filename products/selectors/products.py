"""Reads of products, as ready-made JSON."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import orjson

from products.search.highlight import marks
from products.selectors.facets import facets
from products.selectors.listing import (
    COUNT_LIMIT,
    EVERYTHING,
    MAX_ID,
    ORDERS,
    Look,
    Query,
    Selection,
    count_query,
    page_query,
    selection,
    with_attributes,
)
from products.selectors.search import best_candidates, find, matching
from products.selectors.shapes import PRODUCT_JOINS, whole_product
from system.naming import SNAKE, Naming
from system.sql import fetch_all, fetch_one

# The order of a search that names none.
RELEVANCE = "relevance"

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


class ProductDetail(NamedTuple):
    """A whole product as JSON text, and the version of its row."""

    json: str
    version: int


def product_page(
    filters: Mapping[str, Any],
    *,
    sort: str,
    descending: bool,
    limit: int,
    offset: int = 0,
    after: Sequence[Any] | None = None,
    counted: bool = True,
    naming: Naming = SNAKE,
) -> ListedProducts:
    """A page of the products that are not deleted.

    Args:
        filters: `category_id` and `category` (name or path) cover their descendants; `sku` takes bare offer ids;
            `qty` adds what a unit costs at that quantity; the others as `products.selectors.listing` names them.
        sort: a key of `products.selectors.listing.ORDERS`; products without a value there come last.
        after: `last` of the page before, instead of an offset.
        counted: whether the total is wanted.
        naming: how the names in the JSON are spelled.
    """
    if filters.get("q") is not None:
        return search_page(
            filters,
            sort=sort,
            descending=descending,
            limit=limit,
            offset=offset,
            after=after,
            counted=counted,
            naming=naming,
        )
    taken = taken_by(filters)
    query = page_query(
        taken,
        ORDERS[sort],
        descending=descending,
        limit=limit + 1,
        offset=offset,
        after=after,
        counted=counted,
        look=Look(naming, filters.get("qty")),
    )
    return _listed(query, taken, limit, offset, counted=counted)


def search_page(
    filters: Mapping[str, Any],
    *,
    sort: str = RELEVANCE,
    descending: bool = True,
    limit: int,
    offset: int = 0,
    after: Sequence[Any] | None = None,
    counted: bool = True,
    naming: Naming = SNAKE,
) -> ListedProducts:
    """A page of the products that `q` finds, by title or code; see `product_page`.

    Args:
        filters: also `attribute`, pairs of name and value, and `highlight`: say where in title and shop the text is.
        sort: RELEVANCE, which is always best first, or one of the orders of the list.
    """
    found = find(
        selection(filters, _categories(filters)),
        filters["q"],
        None if sort == RELEVANCE else ORDERS[sort],
        descending=descending,
        limit=limit + 1,
        offset=offset,
        after=after,
        look=Look(naming, filters.get("qty")),
        checked=with_attributes(filters),
    )
    shown = found.rows[:limit]
    last = [shown[-1][1], shown[-1][0]] if len(found.rows) > limit else None
    marked = highlighted if filters.get("highlight") else _as_it_is
    items = f"[{','.join(marked(row[2], filters['q']) for row in shown)}]"
    return ListedProducts(items, found.total if counted else None, counted and found.exact, last)


def search_facets(filters: Mapping[str, Any]) -> dict[str, Any]:
    """How all that `search_page` finds is spread: see `products.selectors.facets`, whose names `facets` has."""
    taken = selection(filters, _categories(filters))
    return facets(best_candidates(taken, filters["q"], with_attributes(filters)), filters["facets"])


def highlighted(product: str, text: str) -> str:
    """The JSON of a product with where the words of a text stand in its title and in its shop's name."""
    shown = orjson.loads(product)
    shop = (shown["shop"] or {}).get("name", "")
    marked = {"title": marks(shown["title"], text), "shop": marks(shop, text)}
    return f'{product[:-1]}, "highlight": {orjson.dumps(marked).decode()}}}'


def _as_it_is(product: str, _text: str) -> str:
    return product


def product_detail(product_id: int, *, naming: Naming = SNAKE, quantity: int | None = None) -> ProductDetail | None:
    """One product with description and SKUs; None when there is none, or it is deleted.

    Args:
        naming: how the names in the JSON are spelled.
        quantity: adds what a unit of it and of each SKU costs at this quantity.
    """
    extra = Look(naming, quantity).join
    sql = f"""
        SELECT {whole_product(naming, priced=quantity is not None)}::text, p.version
        FROM products_product p {PRODUCT_JOINS} {extra.sql} WHERE p.id = %s AND p.deleted_at IS NULL
    """  # noqa: S608 - constants only
    row = fetch_one(sql, [*extra.parameters, product_id]) if 0 < product_id <= MAX_ID else None
    return ProductDetail(*row) if row else None


def taken_by(filters: Mapping[str, Any]) -> Selection:
    """The condition of these filters, categories looked up, and of what `q` finds."""
    taken = selection(filters, _categories(filters))
    return taken if filters.get("q") is None else matching(taken, filters["q"])


def _listed(query: Query, taken: Selection, limit: int, offset: int, *, counted: bool) -> ListedProducts:
    found = fetch_all(*query)
    shown = found[:limit]
    total, exact = _total(taken, found, limit, offset) if counted else (None, False)
    last = [shown[-1][1], shown[-1][0]] if len(found) > limit else None
    return ListedProducts(f"[{','.join(row[2] for row in shown)}]", total, exact, last)


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
