"""Which products a text finds, and in which order: pages, and a condition for everything else.

Best first is an exact code, then titles that begin with the text, then titles, attributes, suppliers; among equals what
sells best. Of a text that more than FOUND_LIMIT products have, that many are looked at, those that it begins, and those
that come first among the others: more nobody reads.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

from products.search.query import Sought, sought
from products.selectors.indexed import INDEX_IS_OLD
from products.selectors.listing import EVERYTHING, ORDERS, Look, Order, Query, Selection
from products.selectors.shapes import PRODUCT_JOINS, listed_product
from system.sql import fetch_all, fetch_one

# Totals are exact up to here; each product that is found is a row of its own, somewhere in the table.
FOUND_LIMIT = 5_000
# Of what begins with a text or bears it as a code.
_MOST_FIRST = 300
# Of a common text the best of a list are looked through, this far down, and so many of what the index finds.
_WALKED, _NEAR_OF_COMMON = 1_000, 1_000
# A text that so many of the first products of a list have is not looked up at all: the index would take longer to name
# the products than it takes to see them. Small tables are always looked up, so that totals are exact.
_PROBED, _MANY_OF_PROBED, _LARGE = 200, 12, 200_000
# A rank and the number sold as one number to sort by; below 2^53, so that cursors keep it.
_RANK_STEP = 10**15
_RELEVANCE = f"rank * {_RANK_STEP} + least(p.sold_count, {_RANK_STEP - 1})"
_MOST_SOLD = ORDERS["sold_count"]


def matching(taken: Selection, text: str) -> Selection:
    """Only what the text finds, all of it, however much that is: what a list walks through, or the few that are it."""
    wanted = sought(text)
    found = f"SELECT st.product_id FROM products_searchtext st WHERE {wanted.found.sql}"  # noqa: S608 - constants only, here and below
    probe = f"WITH hits AS MATERIALIZED ({found}) SELECT count(*) FROM (SELECT FROM hits LIMIT {FOUND_LIMIT + 1}) AS h"  # noqa: S608
    row = fetch_one(probe, wanted.found.parameters)
    if row and row[0] > FOUND_LIMIT:
        each = f"(SELECT {wanted.found.sql} FROM products_searchtext st WHERE st.product_id = p.id)"  # noqa: S608
        return taken.narrowed(each, *wanted.found.parameters)
    few = f"p.id = ANY(ARRAY(WITH hits AS MATERIALIZED ({found}) SELECT product_id FROM hits))"  # noqa: S608
    return taken.narrowed(few, *wanted.found.parameters)


class Found(NamedTuple):
    """A page: rows (id, sort value as text, the product as JSON). `total` is the least it can be if not `exact`."""

    rows: list[tuple[int, str, str]]
    total: int
    exact: bool


def find(
    taken: Selection,
    text: str,
    order: Order | None,
    *,
    descending: bool,
    limit: int,
    offset: int = 0,
    after: Sequence[Any] | None = None,
    look: Look = Look(),  # noqa: B008 - immutable
    checked: Selection = EVERYTHING,
) -> Found:
    """A page of what a text finds.

    Args:
        taken: what the other filters leave.
        checked: what no index helps with, so that only candidates are asked for it.
        order: None for the best first.
        after: sort value and id of the row the page follows.
    """
    key, _ = _key(order)
    found = candidates(taken, sought(text), key, order or _MOST_SOLD, _way(descending), checked)
    query = page_query(found, order, _way(descending), (limit, offset), after, look)
    rows = fetch_all(*query)
    *_, total, partly, least = rows[0]
    if partly and taken is EVERYTHING and checked is EVERYTHING:
        total = max(total, least)
    return Found([row[:3] for row in rows if row[0] is not None], min(total, FOUND_LIMIT), not partly)


def page_query(
    found: Query,
    order: Order | None,
    way: str,
    part: tuple[int, int],
    after: Sequence[Any] | None,
    look: Look,
) -> Query:
    """Rows (id, sort value, product, total, and `partly`); one without a product if the page is empty."""
    behind = _behind(way, _key(order)[1], after)
    sql = f"""
        WITH {found.sql}, page AS MATERIALIZED (
            SELECT id, key FROM candidates WHERE {behind.condition}
            ORDER BY key {way} NULLS LAST, id {way} LIMIT {part[0]} OFFSET {part[1]}
        )
        SELECT page.id, page.key::text, {listed_product(look.naming, priced=look.priced)}::text,
            (SELECT count(*) FROM candidates), partly.yes, partly.least
        FROM partly LEFT JOIN page ON true LEFT JOIN products_product p ON p.id = page.id
            {PRODUCT_JOINS} {look.join.sql}
        ORDER BY page.key {way} NULLS LAST, page.id {way}
    """  # noqa: S608 - constants and numbers only; every value is a parameter, here and below
    return Query(sql, [*found.parameters, *behind.parameters, *look.join.parameters])


def candidates(
    taken: Selection,
    wanted: Sought,
    key: str = "rank",
    order: Order = _MOST_SOLD,
    way: str = "DESC",
    checked: Selection = EVERYTHING,
) -> Query:
    """What stands in a WITH clause to give `candidates`: rows (id, key) of what is wanted and taken, each once.

    One row of `partly` says whether that is not all (`yes`), and how many there are at least whatever is taken.

    Args:
        key: an expression of `p` and `rank`.
        order, way: by which the others of a common text are looked through.
        checked: one more condition, which those that are looked through need not fulfil.
    """
    looked_up, rank = _looked_up(taken, wanted, order, way), wanted.rank
    sql = f"""
        {looked_up.sql},
        known AS (
            (SELECT id, {rank.sql} AS rank FROM near AS st
                LIMIT (SELECT CASE WHEN yes THEN {_NEAR_OF_COMMON} END FROM many))
            UNION (SELECT id, {rank.sql} FROM best AS st LIMIT {_MOST_FIRST})
            UNION SELECT walked.id, seen.rank FROM walked CROSS JOIN LATERAL (
                SELECT {rank.sql} AS rank FROM products_searchtext st
                WHERE st.product_id = walked.id AND ({wanted.found.sql}) OFFSET 0
            ) AS seen
        ),
        candidates AS MATERIALIZED (
            SELECT p.id, {key} AS key FROM known JOIN products_product p ON p.id = known.id
            WHERE {taken.condition} AND {checked.condition}
        )
    """  # noqa: S608
    seen = [*rank.parameters * 3, *wanted.found.parameters]
    return Query(sql, [*looked_up.parameters, *seen, *taken.parameters, *checked.parameters])


def _looked_up(taken: Selection, wanted: Sought, order: Order, way: str) -> Query:
    """What the index finds (`near`, and `best` before all others), and where to look besides for a common text.

    How well each fits takes longer to say than to find it, so that is left to whoever wants only some of them.
    """
    hit = "SELECT st.product_id AS id, st.text FROM products_searchtext st WHERE"
    listed = f"""SELECT p.id FROM products_product p WHERE {{}} AND {taken.condition}
        AND {order.column} IS NOT NULL ORDER BY {order.column} {way}, p.id {way} LIMIT"""  # noqa: S608
    sql = f"""
        large AS MATERIALIZED (
            SELECT reltuples > {_LARGE} AS yes FROM pg_class WHERE oid = 'products_searchtext'::regclass
        ),
        dense AS MATERIALIZED (
            SELECT count(*) >= {_MANY_OF_PROBED} AS yes
            FROM ({listed.format("(SELECT yes FROM large)")} {_PROBED}) AS probed CROSS JOIN LATERAL (
                SELECT FROM products_searchtext st WHERE st.product_id = probed.id AND ({wanted.found.sql}) OFFSET 0
            ) AS seen
        ),
        hits AS MATERIALIZED ({hit} NOT (SELECT yes FROM dense) AND ({wanted.found.sql})),
        best AS MATERIALIZED ({hit} {wanted.first.sql}),
        near AS MATERIALIZED (SELECT id, text FROM hits LIMIT {FOUND_LIMIT + 1}),
        many AS MATERIALIZED (
            SELECT dense.yes OR count(near.id) > {FOUND_LIMIT} AS yes,
                CASE WHEN dense.yes THEN {FOUND_LIMIT} ELSE count(near.id) END AS least
            FROM dense LEFT JOIN near ON true GROUP BY dense.yes
        ),
        walked AS MATERIALIZED ({listed.format("(SELECT yes FROM many)")} {_WALKED}),
        partly AS MATERIALIZED (
            SELECT least,
                many.yes AND ({order.nullable} OR (SELECT count(*) FROM walked) = {_WALKED}) OR {INDEX_IS_OLD} AS yes
            FROM many
        )
    """  # noqa: S608
    found, first = wanted.found.parameters, wanted.first.parameters
    return Query(sql, [*taken.parameters, *found, *found, *first, *taken.parameters])


def best_candidates(taken: Selection, text: str, checked: Selection) -> Query:
    """The `candidates` of `find`, their keys by relevance."""
    return candidates(taken, sought(text), _key(None)[0], checked=checked)


def _key(order: Order | None) -> tuple[str, str]:
    """What is sorted by, and its SQL type."""
    return (f"({order.column})", order.type) if order else (f"({_RELEVANCE})", "bigint")


def _way(descending: bool) -> str:
    return "DESC" if descending else "ASC"


def _behind(way: str, kind: str, after: Sequence[Any] | None) -> Selection:
    """Only candidates that follow a sort value and id; those without a value come last."""
    if after is None:
        return Selection("true", [])
    beyond = "<" if way == "DESC" else ">"
    if after[0] is None:
        return Selection(f"key IS NULL AND id {beyond} %s", [after[1]])
    return Selection(f"((key, id) {beyond} (%s::{kind}, %s) OR key IS NULL)", list(after))
