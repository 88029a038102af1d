"""The SQL of product lists: what to take, in which order, and one page of it.

A page's ids come first, from an index that serves filter and order; only those rows are joined and turned into JSON.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, NamedTuple

import orjson

from products.selectors.quantities import QUANTITY_JOIN
from products.selectors.shapes import PRODUCT_JOINS, listed_product
from system.naming import SNAKE, Naming

# Totals are exact up to here; counting further would cost more than anybody reads.
COUNT_LIMIT = 10_000
MAX_ID = 2**63 - 1
LAST_SECOND = datetime.max.replace(microsecond=0, tzinfo=UTC)

_OFFER_PREFIX = "1688-"


class Order(NamedTuple):
    """A column to sort by, its SQL type, and whether it can be null (nulls come last either way)."""

    column: str
    type: str
    nullable: bool = False


ORDERS = {
    "id": Order("p.id", "bigint"),
    "price": Order("p.price", "numeric", nullable=True),
    "stock": Order("p.stock", "bigint"),
    "sold_count": Order("p.sold_count", "bigint"),
    "created_at": Order("p.created_at", "timestamptz"),
    "updated_at": Order("p.updated_at", "timestamptz"),
}


class Selection(NamedTuple):
    """A condition on `p` and its parameters."""

    condition: str
    parameters: list[Any]

    def narrowed(self, condition: str, *parameters: Any) -> "Selection":
        """This and one more condition."""
        return Selection(f"{self.condition} AND {condition}", [*self.parameters, *parameters])


class Query(NamedTuple):
    """A statement and its parameters."""

    sql: str
    parameters: list[Any]


# Where a row stands in a list: its sort value as text, and its id.
Place = tuple[str | None, int]

_NOTHING = Query("", [])


def containing(text: str) -> str:
    """A pattern that finds the text itself, wherever it stands."""
    escaped = text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"%{escaped}%"


EVERYTHING = Selection("p.deleted_at IS NULL", [])


def _as_is(value: Any) -> Any:
    return value


def skus_of(values: Sequence[str]) -> list[str]:
    """A SKU as it is stored, and the one a bare offer id stands for."""
    return [spelling for value in values for spelling in (value, f"{_OFFER_PREFIX}{value}")]


def _end(moment: datetime) -> datetime:
    """The end of the second a caller names, since answers show whole seconds."""
    return moment if moment.microsecond or moment >= LAST_SECOND else moment + timedelta(seconds=1)


_FILTERS: dict[str, tuple[str, Callable[[Any], Any]]] = {
    "ids": ("p.id = ANY(%s)", _as_is),
    "sku": ("p.sku = ANY(%s)", skus_of),
    "shop_id": ("p.shop_id = %s", _as_is),
    "source": ("p.source = %s", _as_is),
    "price_min": ("p.price >= %s", _as_is),
    "price_max": ("p.price <= %s", _as_is),
    "updated_since": ("p.updated_at >= %s", _as_is),
    "start_time": ("p.created_at >= %s", _as_is),
    "end_time": ("p.created_at < %s", _end),
}


# Filters by a range: all of their rows can lie at the far end of an order, whatever the planner expects. Those of new
# products do when the oldest come first.
_PRICES, _TIMES = ("price_min", "price_max"), ("updated_since", "start_time", "end_time")
# So many rows are read and sorted instead, for no more than a few milliseconds.
_FEW, _FEW_IN_TIME = COUNT_LIMIT, 50_000


def few(filters: Mapping[str, Any]) -> int | None:
    """How many rows a list with these filters may leave to be read as a whole; None: it is walked in its order."""
    given = {name for name in (*_PRICES, *_TIMES) if filters.get(name) is not None}
    return None if not given else _FEW if given.isdisjoint(_TIMES) else _FEW_IN_TIME


def narrowing(filters: Mapping[str, Any]) -> set[str]:
    """Which of the filters narrow a list, categories aside."""
    return {name for name in (*_FILTERS, "in_stock", "status", "q") if filters.get(name) is not None}


def selection(filters: Mapping[str, Any], categories: Sequence[Sequence[int]]) -> Selection:
    """The condition of a list.

    Args:
        filters: by name, as the API documents them; None and unknown names are passed over.
        categories: for each category filter the ids it covers; a product must be in all of them.
    """
    found = EVERYTHING
    for ids in categories:
        # Only a single category's rows leave the index in the order of the list.
        found = found.narrowed("p.category_id = %s", ids[0]) if len(ids) == 1 else _in_categories(found, ids)
    for name, (condition, convert) in _FILTERS.items():
        if filters.get(name) is not None:
            found = found.narrowed(condition, convert(filters[name]))
    if filters.get("in_stock") is not None:
        found = found.narrowed("p.stock > 0" if filters["in_stock"] else "p.stock <= 0")
    return _with_status(found, filters.get("status"))


def with_attributes(filters: Mapping[str, Any]) -> Selection:
    """The condition of the filter `attribute`: (name, value) pairs.

    A product must have one of the values of each name. No index helps with it: it is for what another one leaves.
    """
    values: dict[str, list[str]] = {}
    for name, value in filters.get("attribute") or ():
        values.setdefault(name, []).append(_json(value))
    found = EVERYTHING
    for name, wanted in values.items():
        found = found.narrowed("p.attributes -> %s::text @> ANY(%s::jsonb[])", name, wanted)
    return found


def _json(value: str) -> str:
    return orjson.dumps(value).decode()


def _in_categories(found: Selection, ids: Sequence[int]) -> Selection:
    return found.narrowed("p.category_id = ANY(%s::bigint[])", list(ids))


def _with_status(found: Selection, states: Sequence[str] | None) -> Selection:
    if states is None:
        return found
    found = found.narrowed("p.status = ANY(%s)", list(states))
    # The index on status leaves out what nearly all products are, and has to be told so.
    return found if "published" in states else found.narrowed("p.status <> 'published'")


class Look(NamedTuple):
    """How rows are shown: the spelling of names, and the quantity to price them at, None for no such price."""

    naming: Naming = SNAKE
    quantity: int | None = None

    @property
    def priced(self) -> bool:
        """Whether a price at a quantity is wanted."""
        return self.quantity is not None

    @property
    def join(self) -> Query:
        """What is joined to the product besides category and shop."""
        return Query(QUANTITY_JOIN, [self.quantity]) if self.priced else _NOTHING


class Part(NamedTuple):
    """Which rows of an order are a page.

    `hidden`: the planner is not told the offset, without which it makes one plan for all pages, and keeps it.
    """

    limit: int
    offset: int = 0
    hidden: bool = False

    @property
    def clause(self) -> Query:
        """What stands behind ORDER BY. The text has the size of a page but not its number."""
        if not self.offset:
            return Query(f"LIMIT {self.limit}", [])
        return Query(f"LIMIT {self.limit} OFFSET {'(SELECT %s::bigint)' if self.hidden else '%s'}", [self.offset])


def page_query(
    taken: Selection,
    order: Order,
    *,
    descending: bool,
    limit: int,
    offset: int = 0,
    after: Sequence[Any] | None = None,
    count: Query | None = None,
    look: Look = Look(),  # noqa: B008 - immutable
    whole: bool = False,
    planned_once: bool = False,
) -> Query:
    """Rows (id, sort value as text, the product as JSON, total) of one page.

    Args:
        after: sort value and id of the row the page follows.
        count: gives the total; that is null without it, and if the page is not full.
        whole: few rows are taken, so all of them are read and sorted, by whatever index finds them.
        planned_once: one plan is the best for all values.
    """
    way = "DESC" if descending else "ASC"
    part = Part(limit, offset, planned_once)
    ids = _sorted(taken, order, way, part) if whole else _ids(taken, order, way, part, after)
    total, extra = count or Query("SELECT NULL", []), look.join
    sql = f"""
        WITH page AS MATERIALIZED ({ids.sql})
        SELECT page.id, page.key::text, {listed_product(look.naming, priced=look.priced)}::text,
            CASE WHEN (SELECT count(*) FROM page) = {limit} THEN ({total.sql}) END
        FROM page JOIN products_product p ON p.id = page.id {PRODUCT_JOINS} {extra.sql}
        ORDER BY page.key {way} NULLS LAST, page.id {way}
    """  # noqa: S608 - constants and numbers only; every value is a parameter, here and below
    return Query(sql, [*ids.parameters, *total.parameters, *extra.parameters])


def count_query(taken: Selection, most: int = COUNT_LIMIT) -> Query:
    """How many products are taken, at most one more than `most`."""
    counted = f"SELECT FROM products_product p WHERE {taken.condition} LIMIT {most + 1}"
    return Query(f"SELECT count(*) FROM ({counted}) AS counted", taken.parameters)  # noqa: S608


def steps_query(taken: Selection, order: Order, *, descending: bool, step: int, start: Place | None) -> Query:
    """Every `step`-th row with a value (sort value as text, id) behind `start`; one parameter more says how many.

    Each is looked for in the index from the one before it on, so all of them cost what skipping as many rows does.
    """
    way = "DESC" if descending else "ASC"
    valued = taken.narrowed(f"{order.column} IS NOT NULL") if order.nullable else taken
    first = _ordered(valued if start is None else _behind(valued, order, way, start), order, way)
    onward = _ordered(valued.narrowed(f"({order.column}, p.id) {_beyond(way)} (s.key, s.id)"), order, way)
    sql = f"""
        WITH RECURSIVE stepped (number, id, key) AS (
            SELECT 1, f.id, f.key FROM ({first.sql} LIMIT 1 OFFSET {step - 1}) AS f
            UNION ALL
            SELECT s.number + 1, n.id, n.key
            FROM stepped s CROSS JOIN LATERAL ({onward.sql} LIMIT 1 OFFSET {step - 1}) AS n WHERE s.number < %s
        )
        SELECT key::text, id FROM stepped ORDER BY number
    """  # noqa: S608
    return Query(sql, [*first.parameters, *onward.parameters])


def _sorted(taken: Selection, order: Order, way: str, part: Part) -> Query:
    """The ids and sort values of one page of few rows; the planner may not walk the order instead."""
    rows = f"SELECT p.id, {order.column} AS key FROM products_product p WHERE {taken.condition} OFFSET 0"  # noqa: S608
    sql = f"SELECT id, key FROM ({rows}) AS whole ORDER BY key {way} NULLS LAST, id {way} {part.clause.sql}"  # noqa: S608
    return Query(sql, [*taken.parameters, *part.clause.parameters])


def _ids(taken: Selection, order: Order, way: str, part: Part, after: Sequence[Any] | None) -> Query:
    """The ids and sort values of one page."""
    if not order.nullable:
        return _part(taken if after is None else _behind(taken, order, way, after), order, way, part)
    *valued, blank = _valued_and_blank(taken, order, way, after)
    return _valued_then_blank(valued[0], blank, order, way, part) if valued else _part(blank, order, way, part)


def _part(taken: Selection, order: Order, way: str, part: Part) -> Query:
    """A page of rows in an order."""
    rows, clause = _ordered(taken, order, way), part.clause
    return Query(f"{rows.sql} {clause.sql}", [*rows.parameters, *clause.parameters])


def _valued_then_blank(valued: Selection, blank: Selection, order: Order, way: str, part: Part) -> Query:
    """A page of rows with a value, filled up with those without; the latter are passed over while there are others."""
    first, rest, offset = _part(valued, order, way, part), _ordered(blank, order, way), part.offset
    skipped = Query("0", [])
    if offset:
        before = f"SELECT FROM products_product p WHERE {valued.condition} LIMIT (SELECT %s::bigint)"
        over = f"greatest(%s::bigint - (SELECT count(*) FROM ({before}) AS counted), 0)"  # noqa: S608
        sql = f"CASE WHEN (SELECT count(*) FROM valued) > 0 THEN 0 ELSE {over} END"  # noqa: S608
        skipped = Query(sql, [offset, *valued.parameters, offset])
    sql = f"""
        WITH valued AS MATERIALIZED ({first.sql}),
        blank AS MATERIALIZED (
            {rest.sql} LIMIT {part.limit} - (SELECT count(*) FROM valued) OFFSET {skipped.sql}
        )
        SELECT id, key FROM valued UNION ALL SELECT id, key FROM blank
    """  # noqa: S608
    return Query(sql, [*first.parameters, *rest.parameters, *skipped.parameters])


def _ordered(taken: Selection, order: Order, way: str) -> Query:
    key = order.column
    by = f"{key} {way}" if key == "p.id" else f"{key} {way}, p.id {way}"
    rows = f"SELECT p.id, {key} AS key FROM products_product p WHERE {taken.condition} ORDER BY {by}"  # noqa: S608
    return Query(rows, taken.parameters)


def _valued_and_blank(taken: Selection, order: Order, way: str, after: Sequence[Any] | None) -> list[Selection]:
    """Rows with a value, if any are left, and those without: an index has these first or last."""
    valued, blank = taken.narrowed(f"{order.column} IS NOT NULL"), taken.narrowed(f"{order.column} IS NULL")
    if after is None:
        return [valued, blank]
    if after[0] is None:
        return [blank.narrowed(f"p.id {_beyond(way)} %s", after[1])]
    return [_behind(valued, order, way, after), blank]


def _behind(taken: Selection, order: Order, way: str, after: Sequence[Any]) -> Selection:
    """Only rows that follow a sort value and id."""
    return taken.narrowed(f"({order.column}, p.id) {_beyond(way)} (%s::{order.type}, %s)", *after)


def _beyond(way: str) -> str:
    return "<" if way == "DESC" else ">"
