"""The change feed for those who are told of it: each product's changes in order, and how far behind somebody is."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from products.selectors.changes import _COLUMNS, _HORIZON, _KEPT, FeedPage, Position, _line, feed_page, name_jobs
from products.selectors.listing import MAX_ID
from system import sql

# Of one product's earlier lines so many are looked at: as many transactions would have to write a product while one
# that began before them all still waits for it.
EARLIER_LINES = 100

_END = f"""
    WITH horizon AS MATERIALIZED ({_HORIZON})
    SELECT (SELECT system_identifier FROM pg_control_system())::text, horizon.xact::text FROM horizon
"""  # noqa: S608 - constants only
_OF_PRODUCT = ("sku", "source", "shop_id")
_SHOWN = ", ".join(f"{'p' if name in _OF_PRODUCT else 's'}.{name}" for name in _COLUMNS)
_EARLIER = f"""
    SELECT {_SHOWN} FROM products_productchange shown CROSS JOIN LATERAL (
        SELECT c.* FROM products_productchange c WHERE c.product_id = shown.product_id AND c.id < shown.id
        ORDER BY c.id DESC LIMIT {EARLIER_LINES}
    ) s LEFT JOIN products_product p ON p.id = s.product_id
    WHERE shown.id = ANY(%s) AND (s.xact, s.id) > (%s::xid8, %s)
"""  # noqa: S608 - constants only
_LAGS = """
    SELECT asked.id, (SELECT count(*) FROM (
        SELECT FROM products_productchange c WHERE (c.xact, c.id) > (asked.xact::xid8, asked.line) LIMIT %s::int
    ) AS behind), (
        SELECT c.at FROM products_productchange c WHERE (c.xact, c.id) > (asked.xact::xid8, asked.line)
        ORDER BY c.xact, c.id LIMIT 1
    ) FROM unnest(%s::bigint[], %s::text[], %s::bigint[]) AS asked (id, xact, line)
"""
# The first line that is left is younger than the position; one that never had a line before it looks the same.
_FORGOTTEN = "SELECT xact > %s::xid8 FROM products_productchange ORDER BY xact, id LIMIT 1"


class Lag(NamedTuple):
    """How many lines a reader has not looked at yet, counted up to a limit, and when the oldest of them was written."""

    lines: int
    oldest_at: datetime | None


def feed_end() -> Position:
    """Where a reader begins who wants to know only of what is yet to come."""
    ((cluster, horizon),) = sql.fetch_all(_END)
    return Position(cluster, int(horizon) - 1, MAX_ID)


def changes_in_order(filters: Mapping[str, Any], *, after: Position, limit: int) -> FeedPage:
    """The next changes behind a position, each product's in the order in which they happened.

    The feed goes by transactions, and one that began early may write a product late: its line stands before others of
    that product that are older. Such older lines are brought forward and shown together with it, though they come
    again at their own place. A line's number is drawn while its product is locked, so of one product the greater
    number is the later change.

    Args:
        filters: kind, sources, updates_of; see `feed_page`.

    Raises:
        StalePosition: as `feed_page`.
    """
    page = feed_page(filters, after=after, limit=limit, user_id=0)
    earlier = _earlier(filters, page) if page.items else []
    lines = {line["id"]: line for line in (*earlier, *page.items)}
    return page._replace(items=[lines[number] for number in sorted(lines)])


def _earlier(filters: Mapping[str, Any], page: FeedPage) -> list[dict[str, Any]]:
    """Lines behind the page that are older than one of the same product on it."""
    wanted = [(_KEPT[name], value) for name, value in filters.items() if value is not None]
    conditions = "".join(f" AND {condition}" for condition, _ in wanted)
    shown: Sequence[int] = [line["id"] for line in page.items]
    parameters = [shown, str(page.position.xact), page.position.id, *(value for _, value in wanted)]
    found = sql.fetch_all(_EARLIER + conditions, parameters)
    return name_jobs([_line(row) for row in found])


def lags(positions: Mapping[int, Position], limit: int) -> dict[int, Lag]:
    """How far behind readers are who stand at these positions, by any number; counted up to `limit`."""
    if not positions:
        return {}
    places = positions.values()
    columns = [list(positions), [str(place.xact) for place in places], [place.id for place in places]]
    return {number: Lag(lines, oldest_at) for number, lines, oldest_at in sql.fetch_all(_LAGS, [limit, *columns])}


def is_forgotten(position: Position) -> bool:
    """Whether lines behind this position may have been removed: the first line that is left is younger than it."""
    row = sql.fetch_one(_FORGOTTEN, [str(position.xact)])
    return bool(row and row[0])
