"""Fields an operator owns are given back to their source: of one product at once, of many by a task."""

from collections.abc import Callable, Collection
from functools import partial
from typing import Any

import msgspec
from django.db import transaction
from django.utils import timezone

from products.ingest.skus import SkuWrites, stored_skus
from products.models import Product
from products.selectors.ownership import owned_products
from products.services import store
from products.services.edits import Edit, Kind
from products.services.products import Versions
from system import audit
from system.actor import Actor, actor_scope, current_actor
from system.models import Task
from system.preconditions import check_version
from system.queue import LEASE_SECONDS, TaskContext, enqueue

RELEASE_KIND = "products.release"
# One transaction's worth of products of a task.
CHUNK = 200


@transaction.atomic
def release_fields(product_id: int, fields: Collection[str] | None = None, expected: Versions = None) -> Product:
    """Give fields back to the source. What it says of them counts at once where that is known, else from the next sync.

    Fields that nobody owns are left alone; the prices go together.

    Args:
        fields: names of columns, or `skus`; None for all.

    Raises:
        ApplicationError: NOT_FOUND, PRECONDITION_FAILED.
    """
    product = store.lock_product(product_id)
    check_version(product.version, expected)
    _release([product], fields)
    return product


@transaction.atomic
def start_release(filters: dict[str, Any], fields: Collection[str] | None) -> Task:
    """Have a task give back the fields of all products that the filters leave.

    Args:
        filters: `source`, `ids`, `field` (any of these is owned), `conflicts` (only where the source disagrees).
    """
    order = {"filters": filters, "fields": sorted(fields) if fields is not None else None}
    task = enqueue(RELEASE_KIND, order | {"actor": msgspec.to_builtins(current_actor())})
    audit.record("product.release_many", "task", str(task.pk), after=order)
    return task


def run_release(payload: dict[str, Any], context: TaskContext) -> dict[str, Any]:
    """Handler of `products.release`. Begun anew after a crash, it finds what is done already given back.

    Returns:
        released: how many products.
    """
    with actor_scope(msgspec.convert(payload["actor"], Actor)):
        beat = partial(context.heartbeat, LEASE_SECONDS)
        return {"released": release_many(payload["filters"], payload["fields"], beat)}


def release_many(
    filters: dict[str, Any], fields: Collection[str] | None, beat: Callable[[], object] = lambda: None
) -> int:
    """Give back the fields of all products that the filters leave, chunk by chunk; returns of how many products.

    Args:
        beat: called before each chunk.
    """
    last = released = 0
    while True:
        beat()
        found = owned_products(filters).filter(pk__gt=last).order_by("pk")
        ids = list(found.values_list("pk", flat=True)[:CHUNK])
        if not ids:
            return released
        with transaction.atomic():
            released += _release(store.lock_products(ids, ()), fields)
        last = ids[-1]


def _release(products: Collection[Product], fields: Collection[str] | None) -> int:
    """Give back fields of locked products; returns of how many."""
    now = timezone.now()
    ids = [product.pk for product in products if product.owned_fields]
    skus, stored, writes = store.skus_of(ids), stored_skus(ids), SkuWrites()
    edits = []
    for product in products:
        edit = Edit(product, skus.get(product.pk, ()), Kind.UPDATED, "product.release")
        cells = edit.release(fields)
        if cells is not None:
            writes.replace(product.pk, stored[product.pk], cells)
        edits.append(edit)
    writes.write(now)
    due = [edit for edit in edits if edit.matters]
    store.write(due)
    return len(due)
