"""Pages of plain tables, newest or oldest row first: by page, by offset, or by cursor over the id."""

from collections.abc import Callable
from typing import Any, TypeVar

from django.db.models import Model, QuerySet

from system.api.pagination import Page, encode_cursor, page_body
from system.api.query import Query

# Totals are exact up to here; counting further would cost more than anybody reads.
COUNT_LIMIT = 10_000

Row = TypeVar("Row", bound=Model)


def newest_page(found: "QuerySet[Row]", query: Query, *, scope: str, show: Callable[[Row], Any]) -> Page:
    """The page that `query` asks for.

    Args:
        found: the filtered rows.
        scope: names the list, so that its cursors fit no other.
        show: turns a row into plain data.
    """
    return _page(found, query, scope, show, newest_first=True)


def oldest_page(found: "QuerySet[Row]", query: Query, *, scope: str, show: Callable[[Row], Any]) -> Page:
    """The same, beginning with the oldest row."""
    return _page(found, query, scope, show, newest_first=False)


def _page(found: "QuerySet[Row]", query: Query, scope: str, show: Callable[[Row], Any], *, newest_first: bool) -> Page:
    window = query.window
    position = window.position(scope)
    rows = found.order_by("-pk" if newest_first else "pk")
    if position:
        rows = rows.filter(**{"pk__lt" if newest_first else "pk__gt": position[0]})
    read = list(rows[window.offset : window.offset + window.page_size + 1])
    shown = read[: window.page_size]
    more = len(read) > len(shown)
    total, exact = capped_count(found)
    cursor = encode_cursor(scope, [shown[-1].pk]) if more else None
    return page_body([show(row) for row in shown], total, query, total_exact=exact, next_cursor=cursor)


def capped_count(found: "QuerySet[Row]") -> tuple[int, bool]:
    """How many rows there are, and whether that is exact or only "at least"."""
    counted = found.order_by()[: COUNT_LIMIT + 1].count()
    return min(counted, COUNT_LIMIT), counted <= COUNT_LIMIT
