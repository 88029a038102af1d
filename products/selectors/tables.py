"""The catalogue as a table: columns, and a walk over all rows that holds few of them in memory and no transaction open.

Each step is a short query that goes on after the last id, so every product comes at most once, and those that are there
all the time exactly once.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from products.selectors.listing import Query, Selection
from products.selectors.products import taken_by
from products.selectors.shapes import PRODUCT_JOINS, json_object, listed_product, time_text
from system.naming import Naming
from system.sql import fetch_all, fetch_one

STEP_ROWS = 1_000


class Column(NamedTuple):
    """A column: the SQL of its cell, and of the same as JSON where that says more."""

    cell: str
    json: str


def _plain(*names: str) -> dict[str, Column]:
    return {name: Column(f"p.{name}", f"p.{name}") for name in names}


def _document(*names: str) -> dict[str, Column]:
    return {name: Column(f"p.{name}::text", f"p.{name}") for name in names}


def _number_as_text(name: str, expression: str) -> dict[str, Column]:
    """Numbers that are names: spreadsheets would round and shorten them."""
    return {name: Column(f"{expression}::text", expression)}


def _moment(*names: str) -> dict[str, Column]:
    return {name: Column(time_text(f"p.{name}"), time_text(f"p.{name}")) for name in names}


COLUMNS: dict[str, Column] = {
    **_number_as_text("id", "p.id"),
    **_plain("sku", "title", "status"),
    **_number_as_text("category_id", "p.category_id"),
    "category": Column("c.name", "c.name"),
    "category_path": Column("c.path", "c.path"),
    **_number_as_text("shop_id", "p.shop_id"),
    "shop": Column("h.name", "h.name"),
    **_plain("price", "price_min", "price_max", "currency"),
    **_document("price_tiers"),
    **_plain("stock", "min_order_quantity", "unit", "sold_count", "source", "source_id", "url"),
    "images": Column(
        "(SELECT string_agg(address, ' ') FROM jsonb_array_elements_text(p.images) AS address)", "p.images"
    ),
    **_document("attributes"),
    **_moment("source_updated_at", "synced_at", "created_at", "updated_at"),
}


def counted(filters: Mapping[str, Any], most: int) -> int:
    """How many products these filters leave; `most` + 1 for any number above `most`."""
    taken = taken_by(filters)
    sql = f"SELECT count(*) FROM (SELECT FROM products_product p WHERE {taken.condition} LIMIT {most + 1}) AS found"  # noqa: S608
    row = fetch_one(sql, taken.parameters)
    return row[0] if row else 0


def table_rows(filters: Mapping[str, Any], columns: Sequence[str]) -> Iterator[list[tuple[Any, ...]]]:
    """The cells of these columns, some rows at a time, in the order of the ids."""
    return _walk(taken_by(filters), ", ".join(COLUMNS[name].cell for name in columns))


def json_rows(filters: Mapping[str, Any], columns: Sequence[str] | None, naming: Naming) -> Iterator[list[str]]:
    """Products as JSON text: as lists show them, or only these columns."""
    if columns is None:
        shown = listed_product(naming)
    else:
        shown = json_object({name: COLUMNS[name].json for name in columns}, naming)
    for rows in _walk(taken_by(filters), f"{shown}::text"):
        yield [row[0] for row in rows]


def _walk(taken: Selection, shown: str) -> Iterator[list[tuple[Any, ...]]]:
    last = 0
    while True:
        found = fetch_all(*step_query(taken, shown, last))
        if found:
            yield [row[1:] for row in found]
            last = found[-1][0]
        if len(found) < STEP_ROWS:
            return


def step_query(taken: Selection, shown: str, last: int) -> Query:
    """Rows (id and what is shown) of one step of a walk, behind the id `last`."""
    part = taken.narrowed("p.id > %s", last)
    sql = f"""
        SELECT p.id, {shown} FROM products_product p {PRODUCT_JOINS}
        WHERE {part.condition} ORDER BY p.id LIMIT {STEP_ROWS}
    """  # noqa: S608 - constants and numbers only; every value is a parameter
    return Query(sql, part.parameters)
