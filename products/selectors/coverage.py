"""Which categories a list covers, and the stamp of all that it can show: looked up in one trip, before any product.

See `products.ingest.stamps` for what a stamp promises.
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any, NamedTuple

from products.ingest.models import ProductStamp
from products.selectors.listing import Query, narrowing
from system.arrival import Readings
from system.sql import fetch_one

_BELOW = {
    "category_id": ("SELECT id FROM products_category WHERE ancestors @> ARRAY[%s::bigint]", 1),
    "category": (
        """
        SELECT id FROM products_category
        WHERE ancestors && ARRAY(SELECT id FROM products_category WHERE name = %s OR path = %s)
        """,
        2,
    ),
}
_NAMES = f"SELECT sum(version) FROM products_stamp WHERE scope = {ProductStamp.NAMES}"  # noqa: S608 - a constant
# The column that counts the products of a list narrowed by nothing but categories and these states.
_COUNTERS: dict[tuple[str, ...] | None, str] = {None: "products", ("published",): "published"}


# The category filters of a list.
Given = tuple[tuple[str, Any], ...]


class Coverage(NamedTuple):
    """What a list covers.

    Attributes:
        categories: the ids each category filter covers, its own and all below it.
        stamp: changes with whatever changes an answer about these categories, or about any product without a filter.
    """

    categories: list[list[int]]
    stamp: str

    @property
    def scopes(self) -> list[int]:
        """Where its products are counted."""
        if not self.categories:
            return [ProductStamp.WHOLE]
        first, *others = self.categories
        return [category for category in first if all(category in other for other in others)]


_readings: Readings[Given, Coverage] = Readings(64)


def coverage(filters: Mapping[str, Any]) -> Coverage:
    """Look up what a list with these filters covers; only `category_id` and `category` count."""
    return _looked_up(_given(filters))


def shared_coverage(filters: Mapping[str, Any]) -> Coverage:
    """The same for a request that only reads, which takes what another one found out since it arrived."""
    given = _given(filters)
    return _readings.read(given, lambda: _looked_up(given))


def _given(filters: Mapping[str, Any]) -> Given:
    return tuple([(name, filters[name]) for name in _BELOW if filters.get(name) is not None])


def _looked_up(given: Given) -> Coverage:
    parameters = [value for name, value in given for _ in range(_BELOW[name][1])]
    names, version, *categories = fetch_one(_statement(tuple([name for name, _ in given])), parameters) or ()
    return Coverage(categories, f"{names}.{version}")


def counter(filters: Mapping[str, Any], covered: Coverage) -> Query | None:
    """A statement that gives the exact length of the list from what writers count; None when they do not count it."""
    states = filters.get("status")
    column = _COUNTERS.get(None if states is None else tuple(sorted(set(states))))
    if column is None or narrowing(filters) - {"status"}:
        return None
    scopes = covered.scopes
    condition, value = ("scope = %s", scopes[0]) if len(scopes) == 1 else ("scope = ANY(%s::bigint[])", scopes)
    sql = f"SELECT coalesce(sum({column}), 0)::bigint FROM products_stamp WHERE {condition}"  # noqa: S608
    return Query(sql, [value])


@lru_cache
def _statement(given: tuple[str, ...]) -> str:
    """The stamps, then the ids that each of the filters given covers."""
    sets = ", ".join(f"{name} AS MATERIALIZED ({_BELOW[name][0]})" for name in given)
    scopes = " AND ".join(f"scope IN (TABLE {name})" for name in given) or f"scope = {ProductStamp.WHOLE}"
    ids = "".join(f", ARRAY(TABLE {name})" for name in given)
    version = f"SELECT coalesce(sum(version), 0) FROM products_stamp WHERE {scopes}"  # noqa: S608
    return f"{f'WITH {sets} ' if sets else ''}SELECT ({_NAMES}), ({version}){ids}"
