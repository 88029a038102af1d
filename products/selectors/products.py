"""Reads of products, as ready-made JSON."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import orjson

from products.search.highlight import marks
from products.selectors import anchors
from products.selectors.coverage import Coverage, counter, coverage
from products.selectors.facets import facets
from products.selectors.listing import (
    COUNT_LIMIT,
    MAX_ID,
    ORDERS,
    Look,
    Query,
    Selection,
    count_query,
    few,
    page_query,
    selection,
    with_attributes,
)
from products.selectors.search import best_candidates, find, matching
from products.selectors.shapes import PRODUCT_JOINS, whole_product
from system.naming import SNAKE, Naming
from system.sql import fetch_all, fetch_all_planned, fetch_one

# The order of a search that names none.
RELEVANCE = "relevance"

# All that the detail of a product is made from, in short: its version rises with its own columns, the fingerprint
# covers its SKUs and their order, too.
_STATE = """
    ROW(p.version, p.fingerprint, p.owned_fields, p.conflicts, c.name, c.path, h.id, h.name)::text
"""
_STATE_OF = f"""
    SELECT p.version, {_STATE} FROM products_product p {PRODUCT_JOINS} WHERE p.id = %s AND p.deleted_at IS NULL
"""  # noqa: S608 - constants only


class ListedProducts(NamedTuple):
    """One page of products.

    `items` is a JSON array. `total` is None when it was not asked for. Where writers count the list it is exact, else
    up to COUNT_LIMIT; beyond that it is the least it can be, and `total_exact` is False. `last` is where the next page
    goes on (sort value and id), None on the last page.
    """

    items: str
    total: int | None
    total_exact: bool
    last: list[Any] | None


class ProductState(NamedTuple):
    """The version of a product's row, and a text that differs whenever its detail does."""

    version: int
    text: str


class ProductDetail(NamedTuple):
    """A whole product as JSON text, and the state it shows."""

    json: str
    state: ProductState


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
    covered: Coverage | None = None,
) -> ListedProducts:
    """A page of the products that are not deleted.

    Args:
        filters: `category_id` and `category` (name or path) cover their descendants; `sku` takes bare offer ids;
            `qty` adds what a unit costs at that quantity; the others as `products.selectors.listing` names them.
        sort: a key of `products.selectors.listing.ORDERS`; products without a value there come last.
        after: `last` of the page before, instead of an offset.
        counted: whether the total is wanted.
        naming: how the names in the JSON are spelled.
        covered: what the filters cover, if that is known already.
    """
    if filters.get("q") is not None:
        asked: dict[str, Any] = {"limit": limit, "offset": offset, "after": after, "counted": counted}
        return search_page(filters, sort=sort, descending=descending, naming=naming, covered=covered, **asked)
    known, order = covered or coverage(filters), ORDERS[sort]
    taken, kept = taken_by(filters, known), counter(filters, known)
    count, is_whole = _counting(taken, kept, few(filters)) if counted else (None, False)
    is_plain = kept is not None and _is_plain(known, sort)

    def read(behind: Sequence[Any] | None, skipped: int) -> ListedProducts:
        query = page_query(
            taken,
            order,
            descending=descending,
            limit=limit + 1,
            offset=skipped,
            after=behind,
            count=count and count.query,
            look=Look(naming, filters.get("qty")),
            whole=is_whole,
            planned_once=is_plain,
        )
        return _listed(query, count, limit, offset, is_plain)

    if not is_plain or offset < anchors.SPACING:
        return read(after, offset)
    page = read(*anchors.nearest(known.stamp, taken, order, descending=descending, offset=offset))
    # Places that a commit has overtaken are not those of this list any more.
    return page if coverage(filters).stamp == known.stamp else read(None, offset)


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
    covered: Coverage | None = None,
) -> ListedProducts:
    """A page of the products that `q` finds, by title or code; see `product_page`.

    Args:
        filters: also `attribute`, pairs of name and value, and `highlight`: say where in title and shop the text is.
        sort: RELEVANCE, which is always best first, or one of the orders of the list.
    """
    found = find(
        selection(filters, (covered or coverage(filters)).categories),
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
    taken = selection(filters, coverage(filters).categories)
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
        SELECT {whole_product(naming, priced=quantity is not None)}::text, p.version, {_STATE}
        FROM products_product p {PRODUCT_JOINS} {extra.sql} WHERE p.id = %s AND p.deleted_at IS NULL
    """  # noqa: S608 - constants only
    row = fetch_one(sql, [*extra.parameters, product_id]) if 0 < product_id <= MAX_ID else None
    return ProductDetail(row[0], ProductState(*row[1:])) if row else None


def product_state(product_id: int) -> ProductState | None:
    """What `product_detail` would show, in short and without reading it; None as there."""
    row = fetch_one(_STATE_OF, [product_id]) if 0 < product_id <= MAX_ID else None
    return ProductState(*row) if row else None


def taken_by(filters: Mapping[str, Any], covered: Coverage | None = None) -> Selection:
    """The condition of these filters, and of what `q` finds.

    Args:
        covered: what they cover, if that is known already.
    """
    taken = selection(filters, (covered or coverage(filters)).categories)
    return taken if filters.get("q") is None else matching(taken, filters["q"])


class Count(NamedTuple):
    """How a list is counted; `capped`: up to one more than COUNT_LIMIT."""

    query: Query
    capped: bool


def _counting(taken: Selection, kept: Query | None, most: int | None) -> tuple[Count, bool]:
    """How a list is counted, and whether it has few rows: at most `most`, for which they are counted now."""
    if most is None:
        return Count(kept or count_query(taken), capped=kept is None), False
    ((counted,),) = fetch_all_planned(*count_query(taken, most))
    return Count(Query("SELECT %s::bigint", [counted]), capped=True), counted <= most


def _is_plain(covered: Coverage, sort: str) -> bool:
    """Whether one plan of a counted list is the best for all values: an index has its rows in its order."""
    return not covered.categories or (sort == "id" and len(covered.scopes) == 1)


def _listed(query: Query, count: Count | None, limit: int, offset: int, planned_once: bool) -> ListedProducts:
    found = fetch_all(*query) if planned_once else fetch_all_planned(*query)
    shown = found[:limit]
    total, exact = _total(count, found, limit, offset) if count else (None, False)
    last = [shown[-1][1], shown[-1][0]] if len(found) > limit else None
    return ListedProducts(f"[{','.join(row[2] for row in shown)}]", total, exact, last)


def _total(count: Count, found: Sequence[tuple[Any, ...]], limit: int, offset: int) -> tuple[int, bool]:
    """The total and whether it is exact. A page that is not full ends the list, so it says how long that is."""
    if 0 < len(found) <= limit or not offset + len(found):
        return offset + len(found), True
    row = found[0] if found else fetch_one(*count.query)
    counted: int = row[-1] if row else 0
    if count.capped and counted > COUNT_LIMIT:
        return COUNT_LIMIT, False
    return counted, True
