"""Rows that services lock, and edits that they write: a few statements, however many products there are.

Everybody locks in one order, so that nobody waits in a circle: products by source, id at the source and id (a sync's
batches lock those of one source, `products.catalog`), then the SKUs that are claimed, by a number made of each.
Categories and shops are only read.
"""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any

from django.db.models import Q
from django.utils import timezone

from products import catalog
from products.ingest.ownership import CONFLICTS_SINCE
from products.ingest.rows import to_json
from products.models import Product, ProductChange, Sku
from products.search import upkeep
from products.services.edits import COLUMNS, Edit
from system import audit
from system.errors import ApplicationError, ErrorCode
from system.sql import execute, fetch_all

_WRITTEN = (*COLUMNS, "owned_fields", "source_values", "conflicts", "deleted_at")
# What somebody wrote is compared at the next walk, whose policy may say that the source wins: the empty fingerprint
# differs from whatever it says.
_UPDATE = f"""
    UPDATE products_product AS p SET ({", ".join(_WRITTEN)}) = ROW ({", ".join(f"i.{name}" for name in _WRITTEN)}),
        fingerprint = '', conflicts_at = {CONFLICTS_SINCE},
        version = p.version + 1, updated_at = %s
    FROM json_populate_recordset(NULL::products_product, %s::json) AS i WHERE p.id = i.id
"""  # noqa: S608 - constants only
# Two callers who want the same SKU meet here and not in the unique index, where the order would be anybody's.
_CLAIM = """
    SELECT pg_advisory_xact_lock(1688, claimed.number) FROM (
        SELECT DISTINCT hashtext(sku) AS number FROM unnest(%s::text[]) AS sku ORDER BY number OFFSET 0
    ) AS claimed
"""
_TAKEN = "SELECT DISTINCT sku FROM products_product WHERE sku = ANY(%s::text[]) AND deleted_at IS NULL"


def lock_product(product_id: int, *, deleted: bool = False) -> Product:
    """A product, locked until the transaction ends.

    Args:
        deleted: take it even when it is deleted.

    Raises:
        ApplicationError: NOT_FOUND.
    """
    rows = Product.objects.select_for_update().filter(pk=product_id)
    product = (rows if deleted else rows.filter(deleted_at=None)).first()
    if product is None:
        raise ApplicationError(ErrorCode.NOT_FOUND)
    return product


def lock_products(ids: Collection[int], skus: Collection[str]) -> list[Product]:
    """The products of these ids or SKUs that are not deleted, locked until the transaction ends."""
    if not ids and not skus:
        return []
    named = Product.objects.filter(Q(pk__in=ids) | Q(sku__in=skus), deleted_at=None)
    return list(named.select_for_update().order_by("source", "source_id", "id"))


def claim_skus(skus: Collection[str]) -> set[str]:
    """Keep others from giving out these SKUs until the transaction ends; returns those that products already bear."""
    if not skus:
        return set()
    fetch_all(_CLAIM, [list(skus)])
    return {row[0] for row in fetch_all(_TAKEN, [list(skus)])}


def skus_of(product_ids: Collection[int]) -> dict[int, list[Sku]]:
    """The SKUs of these products, each product's in its order."""
    found: dict[int, list[Sku]] = {product_id: [] for product_id in product_ids}
    if found:
        for sku in Sku.objects.filter(product_id__in=found).order_by("product_id", "position", "id"):
            found[sku.product_id].append(sku)
    return found


def write(edits: Iterable[Edit]) -> None:
    """Write what matters of these edits: rows, lines of the change feed, lines of the audit log."""
    now = timezone.now()
    # What differs is worked out here, before new products get their ids.
    due = [(edit.product, edit.is_new, edit, edit.fields) for edit in edits if edit.matters]
    _insert([product for product, is_new, _, _ in due if is_new], now)
    _update([product for product, is_new, _, _ in due if not is_new], now)
    upkeep.refresh([product.pk for product, is_new, _, fields in due if is_new or upkeep.changes_search(fields)])
    catalog.log_changes([(product.pk, edit.kind, fields) for product, _, edit, fields in due], None, now)
    audit.record_all(_audited(edit, fields) for _, _, edit, fields in due)


def _insert(products: Sequence[Product], now: datetime) -> None:
    for product in products:
        product.created_at = product.updated_at = now
    Product.objects.bulk_create(products)


def _update(products: Sequence[Product], now: datetime) -> None:
    if products:
        records = [{"id": product.pk, **{name: getattr(product, name) for name in _WRITTEN}} for product in products]
        execute(_UPDATE, [now, now, to_json(records)])


def _audited(edit: Edit, fields: dict[str, Any]) -> audit.Change:
    before: dict[str, Any] | None = {name: pair[0] for name, pair in fields.items()}
    after: dict[str, Any] | None = {name: pair[1] for name, pair in fields.items()}
    if edit.kind in (ProductChange.Kind.CREATED, ProductChange.Kind.RESTORED):
        before, after = None, {"sku": edit.product.sku, "title": edit.product.title}
    if edit.kind is ProductChange.Kind.DELETED:
        before, after = {"sku": edit.product.sku, "title": edit.product.title}, None
    return audit.Change(edit.action, "product", edit.product.pk, before, after)
