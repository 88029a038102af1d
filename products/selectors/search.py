"""Which products a text finds, and in which order: the seam behind which another engine can do the same.

A text finds what bears it as SKU or offer id (bare, or inside a pasted offer link), and what has it in its title, taken
literally. Codes come first, then titles that begin with it, then the others, each newest first.
"""

import re
from collections.abc import Sequence
from typing import Any

from products.selectors.listing import Look, Query, Selection, containing, count_query, shown_query, skus_of

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

    Args:
        taken: the result of `matching`.
        after: sort value and id of the row the page follows.
    """
    ranks = [codes_in(text), containing(text)[1:]]
    sql = f"""
        SELECT id, key FROM (
            SELECT p.id, CASE WHEN p.sku = ANY(%s) THEN {_CODE} WHEN p.title ILIKE %s THEN {_BEGINNING}
                ELSE {_ANYWHERE} END AS key
            FROM products_product p WHERE {taken.condition}
        ) AS ranked
    """  # noqa: S608 - constants and numbers only; every value is a parameter
    ids = Query(sql, [*ranks, *taken.parameters])
    if after is not None:
        ids = Query(f"{ids.sql} WHERE (key, id) < (%s::int, %s)", [*ids.parameters, *after])
    ids = Query(f"{ids.sql} ORDER BY key DESC, id DESC LIMIT {limit} OFFSET {offset}", ids.parameters)
    return shown_query(ids, count_query(taken) if counted else None, "DESC", limit, look)
