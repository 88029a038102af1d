"""Which products a text finds, and in which order: the seam behind which another engine can do the same.

A text finds what bears it as SKU or offer id (bare, or inside a pasted offer link), and what has it in its title, taken
literally. Codes come first, then titles that begin with it, then the others, each newest first.
"""

import re
from collections.abc import Sequence
from typing import Any

from products.selectors.listing import COUNT_LIMIT, Look, Query, Selection, containing, shown_query, skus_of

_ID = r"([0-9]{6,30})"
# Offer links as people paste them (1688: `/offer/<id>.html`, mobile `.htm`, or `?offerId=<id>`).
_LINK = re.compile(
    rf"(?:https?://)?[\w.-]*\b1688\.com/(?:offer/{_ID}(?!\d)|\S*[?&]offerId={_ID}(?!\d))", re.ASCII | re.IGNORECASE
)

_CODE, _BEGINNING, _ANYWHERE = 2, 1, 0


def codes_in(text: str) -> list[str]:
    """The SKUs that a text can stand for."""
    link = _LINK.match(text)
    return skus_of([next(filter(None, link.groups())) if link else text])


def matching(taken: Selection, text: str) -> Selection:
    """Only what the text finds."""
    return taken.narrowed("(p.sku = ANY(%s) OR p.title ILIKE %s)", codes_in(text), containing(text))


def relevance_query(
    taken: Selection,
    text: str,
    *,
    limit: int,
    offset: int = 0,
    after: Sequence[Any] | None = None,
    counted: bool = True,
    look: Look = Look(),  # noqa: B008 - immutable
) -> Query:
    """Rows as those of `page_query`, best first; the sort value is how well a product fits.

    Of the titles only the newest COUNT_LIMIT that have the text are compared: more nobody reads, and a text that
    nearly all have must not cost a look at all of them.

    Args:
        taken: what the other filters leave.
        after: sort value and id of the row the page follows.
    """
    codes, pattern = codes_in(text), containing(text)
    candidates = f"""
        (SELECT p.id, {_CODE} AS key FROM products_product p WHERE {taken.condition} AND p.sku = ANY(%s))
        UNION ALL
        (SELECT p.id, CASE WHEN p.title ILIKE %s THEN {_BEGINNING} ELSE {_ANYWHERE} END FROM products_product p
        WHERE {taken.condition} AND p.title ILIKE %s AND p.sku <> ALL(%s) ORDER BY p.id DESC LIMIT {COUNT_LIMIT + 1})
    """  # noqa: S608 - constants and numbers only; every value is a parameter, here and below
    found = Query(candidates, [*taken.parameters, codes, pattern[1:], *taken.parameters, pattern, codes])
    behind = Query("", []) if after is None else Query("WHERE (key, id) < (%s::int, %s)", list(after))
    page = f"SELECT id, key FROM candidates {behind.sql} ORDER BY key DESC, id DESC LIMIT {limit} OFFSET {offset}"  # noqa: S608
    count = Query("SELECT count(*) FROM candidates", []) if counted else None
    return shown_query(Query(page, behind.parameters), count, "DESC", limit, look, found)
