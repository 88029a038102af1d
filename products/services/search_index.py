"""What search keeps is made anew, product by product, after an upgrade has changed how texts are folded or read.

Each step is a transaction of its own that says how far it came, so it can be killed, run twice, and go on elsewhere.
Until a product's turn comes, search finds it by what was kept before, if there was anything: so no search calls its
total exact meanwhile, and an alert says how far it is.
"""

from collections.abc import Iterator
from typing import Any, NamedTuple

from django.db import transaction

from products.ingest import stamps
from products.search import upkeep, vocabulary
from products.search.folding import VERSION
from products.selectors.indexed import rebuilt_percent
from system.models import Task
from system.queue import LEASE_SECONDS, TaskContext, enqueue
from system.sql import execute, fetch_all, fetch_one

REINDEX_KIND = "products.reindex_search"
STEP = 500

_TAKE = "SELECT id, version, target, position FROM products_searchbuild WHERE version <> %s FOR UPDATE"
_NEXT = "SELECT id FROM products_product WHERE id > %s ORDER BY id LIMIT %s"
# In the order of all who write products, so that what is read stays so until it is kept.
_LOCK = "SELECT id FROM products_product WHERE id = ANY(%s) ORDER BY source, source_id, id FOR SHARE"
_SHOPS = "SELECT id, name FROM products_shop WHERE id > %s ORDER BY id LIMIT %s FOR SHARE"


class Step(NamedTuple):
    """One step: products up to the id `position` are done, so many of them (`products`) by this step."""

    position: int
    products: int


def start_over() -> None:
    """Have everything made anew, whatever is kept."""
    with transaction.atomic():
        execute("DELETE FROM products_searchbuild")
        execute("INSERT INTO products_searchbuild (version, target, position) VALUES (0, %s, 0)", [VERSION])


def reindex() -> Iterator[Step]:
    """Make anew what is kept of all products that are still due, step by step; nothing if none are."""
    while (step := _step()) is not None:
        yield step


def reindex_if_due() -> None:
    """Start the task, if what is kept is of another version and no task is at it."""
    if (
        rebuilt_percent() is not None
        and not Task.objects.filter(kind=REINDEX_KIND, state__in=Task.OPEN_STATES).exists()
    ):
        enqueue(REINDEX_KIND, {}, queue=Task.Queue.LOW)


def run_reindex(payload: dict[str, Any], context: TaskContext) -> dict[str, Any]:  # noqa: ARG001 (the queue's signature)
    """Handler of `products.reindex_search`; a second run goes on where the first was lost.

    Returns:
        products: how many were looked at.
    """
    count = 0
    for step in reindex():
        count += step.products
        context.heartbeat(LEASE_SECONDS)
    return {"products": count}


@transaction.atomic
def _step() -> Step | None:
    row = fetch_one(_TAKE, [VERSION])
    if row is None:
        return None
    build, _version, target, position = row
    if target != VERSION or not position:
        position = 0
        vocabulary.learn_anew()
        _refresh_shops()
    ids = [row[0] for row in fetch_all(_NEXT, [position, STEP])]
    if not ids:
        execute("UPDATE products_searchbuild SET version = %s, target = %s WHERE id = %s", [VERSION, VERSION, build])
        stamps.names_changed()
        return None
    fetch_all(_LOCK, [ids])
    if upkeep.refresh(ids):
        # Answers of searches that were kept may have missed these.
        stamps.names_changed()
    execute("UPDATE products_searchbuild SET target = %s, position = %s WHERE id = %s", [VERSION, ids[-1], build])
    return Step(ids[-1], len(ids))


def _refresh_shops() -> None:
    last = 0
    while names := dict(fetch_all(_SHOPS, [last, STEP])):
        upkeep.refresh_shops(names)
        last = max(names)
