"""Reads of the change feed: all changes in an order that only grows, and those of one product."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import orjson
from django.db.models import QuerySet

from products.ingest.rows import SYNCED_COLUMNS
from products.models import Product, ProductChange
from products.selectors.listing import MAX_ID, Query, Selection
from system.sql import fetch_all
from system.task_kinds import job_names

# What a change can tell of.
CHANGED_FIELDS = ("sku", *SYNCED_COLUMNS, "skus", "owned_fields")
# So many lines one read looks at, however few of them the filters leave.
SCAN_LIMIT = 5_000

# The first transaction that may still write lines: of those in progress the earliest one, but for those that are seen
# to work in another database of the cluster; whoever has ended since the snapshot was taken is not seen, and counts.
_HORIZON = """
    SELECT coalesce((
        SELECT open.xact FROM (
            SELECT pg_snapshot_xip(pg_current_snapshot()) UNION ALL SELECT pg_current_xact_id_if_assigned()
        ) AS open (xact)
        WHERE open.xact IS NOT NULL AND NOT EXISTS (
            SELECT FROM pg_stat_activity a WHERE a.backend_xid = open.xact::xid AND a.datname <> current_database()
        )
        ORDER BY open.xact LIMIT 1
    ), pg_snapshot_xmax(pg_current_snapshot())) AS xact
"""
_SETTLED = "c.xact < (SELECT xact FROM horizon)"
# Answered by an index, alone or together with the order.
_SCANNED = {"product_id": "c.product_id = %s", "since": "c.at >= %s"}
_KEPT = {
    "kind": "s.kind = ANY(%s)",
    "source": "p.source = %s",
    "sources": "p.source = ANY(%s)",
    "updates_of": "(s.kind <> 'updated' OR s.fields ?| %s::text[])",
}
_FOLLOWED = "coalesce(p.shop_id IN (SELECT shop_id FROM products_shopfollow WHERE user_id = %s), false) = %s"
_COLUMNS = ("id", "product_id", "sku", "source", "shop_id", "kind", "fields", "reason", "job_id", "at")


class Position(NamedTuple):
    """Where a reader of the feed stands: behind this line of this database cluster.

    A restored copy counts its transactions anew, so there a position of the original means nothing.
    """

    cluster: str
    xact: int
    id: int


class FeedPage(NamedTuple):
    """Changes in the order of the feed; `position` is where to go on, also when there are no more by now."""

    items: list[dict[str, Any]]
    position: Position
    has_more: bool


class StalePosition(Exception):
    """The position belongs to another cluster, or to a future this one never had."""


def feed_page(filters: Mapping[str, Any], *, after: Position | None, limit: int, user_id: int) -> FeedPage:
    """The next changes behind a position.

    Nothing is left out and nothing comes twice, however many write at the same time: a line appears once every
    transaction of this database that began before its own has ended. A page may hold less than `limit` and have more
    behind it, since a read looks at SCAN_LIMIT lines at most.

    Args:
        filters: product_id, kind, source, since (at this time or later), followed (by `user_id`), sources (any of
            these), updates_of (of updates only those of any of these fields).

    Raises:
        StalePosition: start again, for example with `since`.
    """
    query, budget = feed_query(filters, after=after, limit=limit, user_id=user_id)
    found = fetch_all(*query)
    cluster, horizon, future, seen, *tail = found[0][:6]
    if after and (after.cluster != cluster or after.xact >= int(future)):
        raise StalePosition
    lines = [row[6:] for row in found if row[6] is not None]
    shown = lines[:limit]
    if len(lines) > limit:
        position = Position(cluster, int(shown[-1][0]), shown[-1][1])
    elif seen:
        position = Position(cluster, int(tail[0]), tail[1])
    else:
        position = after or Position(cluster, int(horizon) - 1, MAX_ID)
    return FeedPage(name_jobs([_line(row[1:]) for row in shown]), position, len(lines) > limit or seen == budget)


def feed_query(filters: Mapping[str, Any], *, after: Position | None, limit: int, user_id: int) -> tuple[Query, int]:
    """The statement of `feed_page`, and at how many lines it looks at most.

    Its rows: cluster, horizon, the next transaction's number, lines looked at, the last of them (transaction and id),
    and then a line with its transaction before it, or nulls. There is always one row.
    """
    scanned, kept = _selections(filters, after, user_id)
    budget = SCAN_LIMIT if kept.parameters else limit + 1
    sql = f"""
        WITH horizon AS MATERIALIZED ({_HORIZON}), scanned AS MATERIALIZED (
            SELECT c.id, c.xact, c.product_id, c.kind, c.fields, c.reason, c.job_id, c.at FROM products_productchange c
            WHERE {scanned.condition} ORDER BY c.xact, c.id LIMIT {budget}
        ), taken AS (
            SELECT s.xact, s.id, s.product_id, p.sku, p.source, p.shop_id, s.kind, s.fields, s.reason, s.job_id, s.at
            FROM scanned s LEFT JOIN products_product p ON p.id = s.product_id
            WHERE {kept.condition} ORDER BY s.xact, s.id LIMIT {limit + 1}
        ), tail AS (SELECT xact, id FROM scanned ORDER BY xact DESC, id DESC LIMIT 1)
        SELECT (SELECT system_identifier FROM pg_control_system())::text, horizon.xact::text,
            pg_snapshot_xmax(pg_current_snapshot())::text, (SELECT count(*) FROM scanned), tail.xact::text, tail.id,
            taken.*
        FROM horizon LEFT JOIN tail ON true LEFT JOIN taken ON true
        ORDER BY taken.xact, taken.id
    """  # noqa: S608 - constants and numbers only; every value is a parameter
    return Query(sql, [*scanned.parameters, *kept.parameters]), budget


def _selections(filters: Mapping[str, Any], after: Position | None, user_id: int) -> tuple[Selection, Selection]:
    """What is looked at, and what of that is shown."""
    scanned, kept = Selection(_SETTLED, []), Selection("true", [])
    if after:
        scanned = scanned.narrowed("(c.xact, c.id) > (%s::xid8, %s)", str(after.xact), after.id)
    for name, condition in _SCANNED.items():
        if filters.get(name) is not None:
            scanned = scanned.narrowed(condition, filters[name])
    for name, condition in _KEPT.items():
        if filters.get(name) is not None:
            kept = kept.narrowed(condition, filters[name])
    if filters.get("followed") is not None:
        kept = kept.narrowed(_FOLLOWED, user_id, filters["followed"])
    return scanned, kept


def _line(row: Sequence[Any]) -> dict[str, Any]:
    line = dict(zip(_COLUMNS, row, strict=True))
    line["fields"] = orjson.loads(line["fields"])
    return line


def name_jobs(lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The same lines with the public id of their sync, `task_id`, in place of its number; one query for all."""
    numbers = {line["job_id"] for line in lines} - {None}
    names = job_names().names(numbers) if numbers else {}
    for line in lines:
        line["task_id"] = names.get(line.pop("job_id"))
    return lines


def product_exists(product_id: int) -> bool:
    """Whether there is a product that is not deleted."""
    return 0 < product_id <= MAX_ID and Product.objects.filter(pk=product_id, deleted_at=None).exists()


def changes_of(product_id: int, filters: Mapping[str, Any]) -> "QuerySet[ProductChange]":
    """The changes of one product.

    Args:
        filters: field (any of these was changed), kind, start_time, end_time.
    """
    found = ProductChange.objects.filter(product_id=product_id)
    if filters.get("field"):
        found = found.filter(fields__has_any_keys=filters["field"])
    if filters.get("kind"):
        found = found.filter(kind__in=filters["kind"])
    if filters.get("start_time"):
        found = found.filter(at__gte=filters["start_time"])
    if filters.get("end_time"):
        found = found.filter(at__lte=filters["end_time"])
    return found


def point(change: ProductChange, fields: Sequence[str] | None) -> dict[str, Any]:
    """A change as the history shows it once its job is named; of its fields only these, None for all."""
    shown = change.fields if fields is None else {name: change.fields[name] for name in fields if name in change.fields}
    return {
        "id": change.pk,
        "at": change.at,
        "kind": change.kind,
        "reason": change.reason,
        "job_id": change.job_id,
        "fields": shown,
    }
