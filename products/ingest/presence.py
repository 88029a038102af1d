"""Whether a source still shows a product: the ladder missing, suspect, delisted – and back, as soon as it is seen.

Only products that are missing now have a row here (`MissingProduct`). Everything joins the caller's transaction, and
products are locked in the order of every writer, by their id at the source.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Any, NamedTuple

from django.utils import timezone

from products.catalog import GONE, ChangeLine, delist, log_changes
from products.models import ProductChange
from system.sql import array, execute, fetch_all

REASON = ProductChange.Reason


class Step(StrEnum):
    """A step of the ladder, from the first to the last one."""

    MISSING = "missing"
    SUSPECT = "suspect"
    DELISTED = "delisted"


LADDER = tuple(Step)
# The same as `step_of` in SQL, on the number of walks before this one and how many it takes.
STEP_SQL = "CASE WHEN {walks} >= {most} THEN 'delisted' WHEN {walks} <= 1 THEN 'missing' ELSE 'suspect' END"

# The conditions are looked at again once a row is ours: whoever stored it meanwhile has seen it.
_LOCK = """
    SELECT id, source_id FROM products_product
    WHERE source = %s AND source <> '' AND id = ANY(%s) AND deleted_at IS NULL AND status <> ALL(%s)
        AND 'status' <> ALL(owned_fields) AND coalesce(synced_at < %s, true)
    ORDER BY source_id FOR UPDATE
"""
_COUNT = """
    INSERT INTO products_missingproduct AS m (product_id, source, source_id, walks, job_id, since)
    SELECT i.id, %(source)s, i.source_id, 1, %(job)s::bigint, %(now)s
    FROM unnest(%(ids)s::bigint[], %(source_ids)s::text[]) AS i (id, source_id) ORDER BY i.source_id
    ON CONFLICT (product_id) DO UPDATE SET walks = m.walks + 1, job_id = excluded.job_id
    WHERE coalesce(m.job_id < excluded.job_id, true)
    RETURNING product_id, walks
"""
_FORGET = "DELETE FROM products_missingproduct WHERE product_id = ANY(%s)"
_SEEN = """
    WITH seen AS (
        SELECT product_id, walks FROM products_missingproduct
        WHERE source = %s AND source_id = ANY(%s::text[]) ORDER BY source_id FOR UPDATE
    ), forgotten AS (DELETE FROM products_missingproduct m USING seen WHERE m.product_id = seen.product_id)
    INSERT INTO products_productchange (product_id, kind, fields, job_id, at)
    SELECT product_id, 'seen_again', '{}', %s::bigint, %s FROM seen WHERE walks > 0 ORDER BY product_id
"""
_ASKED = """
    SELECT source_id, id, status, 'status' = ANY(owned_fields) FROM products_product
    WHERE source = %s AND source <> '' AND source_id = ANY(%s) ORDER BY source_id FOR UPDATE
"""


class Missed(NamedTuple):
    """How many products went a step: `delisted` ones went the last."""

    missing: int
    delisted: int


class Gone(NamedTuple):
    """Known products of which the source says that they do not exist, by id there."""

    delisted: frozenset[str]
    known_before: frozenset[str]


def step_of(walks: int, delist_after: int) -> Step:
    """Where a product stands that so many complete walks in a row have missed."""
    if walks >= delist_after:
        return Step.DELISTED
    return Step.MISSING if walks <= 1 else Step.SUSPECT


def miss(source: str, at_most: Mapping[int, Step], *, job_id: int, began: datetime | None, delist_after: int) -> Missed:
    """A complete walk has not seen these products: each goes a step, with a line in its history.

    The same walk counts once, however often this is repeated. Products that somebody stored since the walk began, that
    are gone already, or whose status an operator owns stay where they are.

    Args:
        at_most: by product the furthest step it may go.
        delist_after: how many walks in a row must miss a product.
    """
    now = timezone.now()
    locked = fetch_all(_LOCK, [source, list(at_most), list(GONE), began or now])
    ids, source_ids = [row[0] for row in locked], [row[1] for row in locked]
    counted = fetch_all(_COUNT, {"source": source, "job": job_id, "now": now, "ids": ids, "source_ids": source_ids})
    steps = {id_: min(step_of(walks, delist_after), at_most[id_], key=LADDER.index) for id_, walks in counted}
    lost = [id_ for id_, step in steps.items() if step is Step.DELISTED]
    delisted = delist(source, lost, job_id, REASON.NOT_IN_WALK) if lost else 0
    forget(lost)
    lines: list[ChangeLine] = [
        (id_, ProductChange.Kind(step), {}) for id_, step in sorted(steps.items()) if step is not Step.DELISTED
    ]
    log_changes(lines, job_id, now, REASON.NOT_IN_WALK)
    return Missed(len(lines), delisted)


def saw(source: str, source_ids: Collection[str], job_id: int | None) -> int:
    """Products that a source has shown are missing no more; returns how many had been on the ladder."""
    if not source_ids:
        return 0
    return execute(_SEEN, [source, array(source_ids), job_id, timezone.now()])


def forget(product_ids: Collection[int]) -> None:
    """Take products off the ladder without a word: they are delisted, restored or purged."""
    if product_ids:
        execute(_FORGET, [list(product_ids)])


def say_gone(source: str, source_ids: Sequence[str], job_id: int | None) -> Gone:
    """The source was asked for exactly these products and says that they do not exist: known ones are delisted.

    Those that are unknown, or whose status an operator owns, are not in the answer.
    """
    known = [row for row in fetch_all(_ASKED, [source, list(source_ids)]) if not row[3]]
    listed = [row for row in known if row[2] not in GONE]
    if listed:
        delist(source, _ids(listed), job_id, REASON.SOURCE_SAYS_GONE)
    forget(_ids(known))
    delisted = frozenset(row[0] for row in listed)
    return Gone(delisted, frozenset(row[0] for row in known) - delisted)


def _ids(rows: Iterable[tuple[Any, ...]]) -> list[int]:
    return [row[1] for row in rows]
