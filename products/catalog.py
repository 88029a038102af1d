"""The write port of the catalogue: what a batch changed, written in a few set-based statements.

Every function joins the caller's transaction and never commits. Rows are locked in one order (categories, shops,
new products, known products, each by key), so concurrent batches wait for each other but never in a circle.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from django.db import connection
from django.utils import timezone

from products.ingest import stamps
from products.ingest.ownership import (
    NOBODYS,
    SKUS,
    Ownership,
    Policies,
    policies_of,
    settle,
    told,
    told_skus,
    write_ownership,
)
from products.ingest.products import (
    Incoming,
    StoredProduct,
    insert_missing,
    lock_products,
    update_fingerprints,
    update_products,
)
from products.ingest.references import resolve_categories, resolve_shops
from products.ingest.rows import (
    SYNCED_COLUMNS,
    Cells,
    differences,
    json_cell,
    product_cells,
    sku_cells,
    sku_differences,
)
from products.ingest.skus import SkuWrites, StoredSku, stored_skus
from products.ingest.stock import store_stock
from products.ingest.tree import write_tree
from products.models import Product, ProductChange
from products.records import ApplyResult, CategoryRecord, ChangeSet, FingerprintedProduct, ProductRecord, StockHint
from products.search import upkeep
from system import wire
from system.sql import array, copy_rows, fetch_all, fetch_one

# The states of a product that its source no longer offers.
GONE = (Product.Status.DELISTED.value, Product.Status.DELETED.value)

_STATUS, _CATEGORY, _SOURCE_TIME = (
    SYNCED_COLUMNS.index(name) for name in ("status", "category_id", "source_updated_at")
)
_FINGERPRINTS = """
    SELECT source_id, id, fingerprint, status, deleted_at IS NOT NULL FROM products_product
    WHERE source = %s AND source <> '' AND source_id = ANY(%s::text[])
"""
# An empty fingerprint makes the product's return a difference, whatever it looks like then.
_DELIST = """
    WITH listed AS (
        SELECT id, status FROM products_product
        WHERE source = %s AND source <> '' AND id = ANY(%s) AND status <> ALL(%s) AND 'status' <> ALL(owned_fields)
        ORDER BY source_id FOR UPDATE
    )
    UPDATE products_product AS p
    SET status = 'delisted', fingerprint = '', version = p.version + 1, synced_at = %s, updated_at = %s
    FROM listed WHERE p.id = listed.id RETURNING p.id, listed.status AS before
"""
_HAS_SKUS = """
SELECT EXISTS (SELECT 1 FROM products_product p JOIN products_sku s ON s.product_id = p.id WHERE p.source = %s)
"""
_COUNT_LISTED = """
    SELECT count(*) FROM products_product
    WHERE source = %s AND source <> '' AND status <> ALL(%s) AND deleted_at IS NULL
"""
_CHANGE_COLUMNS = {
    **{"product_id": "int8", "kind": "text", "fields": wire.JSONB, "reason": "text", "job_id": "int8"},
    "at": wire.MOMENT,
}


# Product, kind and fields of a change.
ChangeLine = tuple[int, ProductChange.Kind, dict[str, Any]]


class Stored(NamedTuple):
    """What is known of a product before a batch is written. `fingerprint` is empty for a delisted one.

    `is_hidden`: somebody deleted it here, or took back the run that created it.
    """

    id: int
    fingerprint: bytes
    status: str
    is_hidden: bool = False


class _Decision(NamedTuple):
    """What becomes of a known product. `fields` empty = it says nothing new to its readers."""

    kind: ProductChange.Kind
    fields: dict[str, Any]
    cells: Sequence[Any]
    ownership: Ownership


def load_fingerprints(source: str, source_ids: Sequence[str]) -> dict[str, Stored]:
    """The stored products among these ids of a source, by id at the source."""
    rows = fetch_all(_FINGERPRINTS, [source, array(source_ids)])
    return {source_id: Stored(*rest) for source_id, *rest in rows}


def apply(changes: ChangeSet) -> ApplyResult:
    """Write new and changed products with their SKUs, shops, categories and change lines.

    Fields an operator owns stay (`owned_fields` names columns, with or without `_id`, or `skus`) as the source's policy
    says; what the source says of them is kept beside them. What the source
    dated before the stored state is left out. A product that only looks changed (its shop's name, an owned field)
    keeps its version and counts as unchanged. A product an operator deleted is kept up to date, but stays deleted.
    Locks last until the caller's transaction ends.

    Raises:
        RuntimeError: called outside a transaction.
    """
    if not connection.in_atomic_block:
        raise RuntimeError("catalog.apply belongs into the transaction that marks its batch as done")
    now = timezone.now()
    incoming = _incoming(changes, now)
    created = insert_missing(changes.source, incoming, now)
    skus = SkuWrites()
    for source_id, product_id in created.items():
        skus.add(product_id, incoming[source_id].skus.values())
    decisions = _update_known(changes.source, incoming, created, skus, now)
    skus.write(now)
    upkeep.add(created, incoming)
    upkeep.refresh([id_ for id_, decision in decisions.items() if upkeep.changes_search(decision.fields)])
    _log_batch(incoming, created, decisions, changes.job_id, now)
    unchanged = len(changes.products) - len(created) - len(decisions)
    fields = Counter(name for decision in decisions.values() for name in decision.fields)
    return ApplyResult(created=len(created), updated=len(decisions), unchanged=unchanged, fields=dict(fields))


def apply_categories(records: Iterable[CategoryRecord]) -> int:
    """Store the platform's category tree, parents first; returns how many rows were new or changed."""
    return write_tree(records, timezone.now())


def apply_stock(source: str, hints: Iterable[StockHint], covered_until: datetime | None) -> int:
    """Store stocks that the source told of without showing the product; returns how many products changed.

    A hint counts only where it is newer than all that is known: the product's last change by a sync or at the source,
    the hint stored before it, `covered_until`. What operators own stays. A changed product loses its fingerprint, so
    the next look at the source is compared in full. See `products.ingest.stock`.

    Raises:
        RuntimeError: called outside a transaction.
    """
    if not connection.in_atomic_block:
        raise RuntimeError("catalog.apply_stock belongs into the transaction that marks its messages as applied")
    now = timezone.now()
    lines = store_stock(source, hints, covered_until, list(GONE), now)
    log_changes([(id_, ProductChange.Kind.UPDATED, fields) for id_, fields in lines], None, now)
    return len(lines)


def delist(source: str, product_ids: Sequence[int], job_id: int | None, reason: str = "") -> int:
    """Mark products as no longer offered, with change lines; returns how many were still listed.

    Products whose status an operator owns are left alone.

    Args:
        reason: one of `ProductChange.Reason`.
    """
    now = timezone.now()
    gone = fetch_all(_DELIST, [source, list(product_ids), list(GONE), now, now])
    kind = ProductChange.Kind.DELISTED
    log_changes([(id_, kind, {"status": [before, "delisted"]}) for id_, before in sorted(gone)], job_id, now, reason)
    return len(gone)


def count_listed(source: str) -> int:
    """How many products of a source are neither delisted nor deleted."""
    row = fetch_one(_COUNT_LISTED, [source, list(GONE)])
    return row[0] if row else 0


def has_skus(source: str) -> bool:
    """Whether the catalogue holds any SKU of a source."""
    row = fetch_one(_HAS_SKUS, [source])
    return bool(row and row[0])


def _incoming(changes: ChangeSet, now: datetime) -> dict[str, Incoming]:
    """The products by id at the source, in that order, with the ids of their categories and shops."""
    products = _newest(changes.products)
    records = [product.record for product in products.values()]
    categories = resolve_categories([record.category for record in records if record.category], now)
    shops = resolve_shops(changes.source, [record.shop for record in records if record.shop], now)

    def cells(record: ProductRecord) -> Cells:
        category_id = categories.get(record.category) if record.category else None
        return product_cells(record, category_id, shops[record.shop.source_id] if record.shop else None)

    return {
        source_id: Incoming(product.fingerprint, cells(product.record), sku_cells(product.record))
        for source_id, product in products.items()
    }


def _newest(products: Iterable[FingerprintedProduct]) -> dict[str, FingerprintedProduct]:
    """One product an id, sorted by it: of repeated ones the latest by the source's clock, else the last."""
    newest: dict[str, FingerprintedProduct] = {}
    for product in products:
        rival = newest.get(product.record.source_id)
        if rival is None or not _older(product.record.source_updated_at, rival.record.source_updated_at):
            newest[product.record.source_id] = product
    return dict(sorted(newest.items()))


def _older(one: datetime | None, other: datetime | None) -> bool:
    return one is not None and other is not None and one < other


def _update_known(
    source: str, incoming: dict[str, Incoming], created: dict[str, int], skus: SkuWrites, now: datetime
) -> dict[int, _Decision]:
    """Write what changed in the products that were there already; returns the visible changes by product."""
    locked = lock_products(source, [source_id for source_id in incoming if source_id not in created])
    due = [
        (product, incoming[product.source_id]) for product in locked if _is_due(product, incoming[product.source_id])
    ]
    stored = stored_skus([product.id for product, _ in due])
    policies = policies_of(source) if any(product.owned_fields for product, _ in due) else {}
    decisions = {product.id: _decide(product, stored[product.id], news, policies) for product, news in due}
    for product, news in due:
        if SKUS not in decisions[product.id].ownership.fields:
            skus.replace(product.id, stored[product.id], news.skus)
    visible = {id_: decision for id_, decision in decisions.items() if decision.fields}
    fingerprints = {product.id: news.fingerprint for product, news in due}
    update_products([(id_, fingerprints.pop(id_), decision.cells) for id_, decision in visible.items()], now)
    update_fingerprints(fingerprints)
    write_ownership(((product.id, decisions[product.id].ownership) for product, _ in due if product.owned_fields), now)
    return visible


def _is_due(stored: StoredProduct, news: Incoming) -> bool:
    """Whether the incoming state differs from the stored one and is not older."""
    return stored.fingerprint != news.fingerprint and not _older(news.cells[_SOURCE_TIME], stored.cells[_SOURCE_TIME])


def _decide(stored: StoredProduct, stored_skus: dict[str, StoredSku], news: Incoming, policies: Policies) -> _Decision:
    known = {key: sku.cells for key, sku in stored_skus.items()}
    ownership = _settled(stored, known, news, policies) if stored.owned_fields else NOBODYS
    owned = set(ownership.fields)
    cells: Cells = tuple(
        before if name in owned or name.removesuffix("_id") in owned else after
        for name, before, after in zip(SYNCED_COLUMNS, stored.cells, news.cells, strict=True)
    )
    fields: dict[str, Any] = {
        name: [before, after] for name, before, after in differences(SYNCED_COLUMNS, stored.cells, cells)
    }
    sku_changes = None if SKUS in owned else sku_differences(known, news.skus)
    if sku_changes:
        fields[SKUS] = sku_changes
    if ownership.fields != stored.owned_fields:
        fields["owned_fields"] = [stored.owned_fields, ownership.fields]
    came_back = stored.cells[_STATUS] in GONE and cells[_STATUS] not in GONE
    return _Decision(ProductChange.Kind.RESTORED if came_back else ProductChange.Kind.UPDATED, fields, cells, ownership)


def _settled(stored: StoredProduct, skus: Mapping[str, Cells], news: Incoming, policies: Policies) -> Ownership:
    """Which of its fields an operator keeps, beside what the source says of them."""

    def told_by(cells: Sequence[Any], skus: Mapping[str, Cells]) -> Callable[[str], Any]:
        return lambda name: told_skus(skus) if name == SKUS else told(cells[SYNCED_COLUMNS.index(name)])

    return settle(
        stored.owned_fields,
        stored.source_values,
        said=told_by(news.cells, news.skus),
        current=told_by(stored.cells, skus),
        policies=policies,
    )


def _log_batch(
    incoming: Mapping[str, Incoming],
    created: Mapping[str, int],
    decisions: Mapping[int, _Decision],
    job_id: int | None,
    now: datetime,
) -> None:
    """As `log_changes`, without reading again what was just created."""
    known: list[ChangeLine] = [(id_, decision.kind, decision.fields) for id_, decision in decisions.items()]
    new: list[ChangeLine] = [(id_, ProductChange.Kind.CREATED, {}) for id_ in created.values()]
    if new or known:
        _copy_lines([*new, *known], job_id, now)
        added = [incoming[source_id].cells for source_id in created]
        stamps.products_changed(known, [(cells[_CATEGORY], cells[_STATUS]) for cells in added])


def log_changes(lines: Sequence[ChangeLine], job_id: int | None, now: datetime, reason: str = "") -> None:
    """Add these lines to the change feed, all for the same reason, once the products are written.

    Every change of what the catalogue shows comes through here, so here its readers' stamps are raised.
    """
    if lines:
        _copy_lines(lines, job_id, now, reason)
        stamps.products_changed(lines)


def _copy_lines(lines: Iterable[ChangeLine], job_id: int | None, now: datetime, reason: str = "") -> None:
    stamp = wire.moment(now)
    cells = ((product_id, kind.value, json_cell(fields), reason, job_id, stamp) for product_id, kind, fields in lines)
    copy_rows("products_productchange", _CHANGE_COLUMNS, cells)
