"""Fills a database: migrations, users, products. A program: its orders are JSON on standard input, the answer is JSON.

Products go through the catalogue's own write path, so whatever is derived from them is derived here too.
"""

import multiprocessing
import os
import secrets
import sys
from collections.abc import Iterable
from typing import Any

import django
import msgspec
import psycopg

django.setup()

from django.core.management import call_command  # noqa: E402 (Django must be set up first)
from django.db import connection, connections, transaction  # noqa: E402

from accounts.models import User  # noqa: E402
from accounts.services import create_user, login  # noqa: E402
from benchmarks.world import products as made_up  # noqa: E402
from benchmarks.world.facts import WorldFacts  # noqa: E402
from products import catalog  # noqa: E402
from products.records import ChangeSet, FingerprintedProduct, ProductRecord  # noqa: E402
from system.sql import fetch_all  # noqa: E402

SOURCE = "bench"
BATCH = 500
# Fewer batches are written before other processes have started.
WORTH_PROCESSES = 20
TIERS = ("premium", "enterprise")
WATCHER = "viewer"
_COUNT = "SELECT count(*) FROM products_product WHERE source = %s"
_SIZES = "SELECT category_id, count(*) FROM products_product WHERE source = %s GROUP BY category_id"
_SOME_IDS = """
    SELECT array_agg(id) FROM (
        SELECT id FROM products_product WHERE source = %s ORDER BY md5(id::text) LIMIT 10000
    ) AS picked
"""


class Orders(msgspec.Struct, frozen=True, kw_only=True):
    """How many products there must be, 0 = tables only; `copy` names a copy to make before the first one is loaded."""

    products: int
    copy: str | None = None


def fill(orders: Orders) -> WorldFacts:
    """Bring the database to where the measurements begin; what is there already stays."""
    call_command("migrate", verbosity=0, interactive=False)
    tokens = {tier: _token(f"bench_{tier}", tier=tier) for tier in TIERS}
    tokens[WATCHER] = _token(f"bench_{WATCHER}", role=WATCHER)
    stored = _stored()
    if orders.copy and not stored:
        _copy(orders.copy)
    if stored < orders.products:
        _load(orders.products)
    sizes = dict(fetch_all(_SIZES, [SOURCE]))
    return WorldFacts(
        tokens=tokens,
        products=sum(sizes.values()),
        categories=[(leaf.id, sizes.get(leaf.id, 0)) for leaf in made_up.leaves()],
        product_ids=fetch_all(_SOME_IDS, [SOURCE])[0][0] or [],
    )


def _copy(name: str) -> None:
    """Copy this database; nobody may be connected to it meanwhile."""
    connections.close_all()
    here, _, database = os.environ["DATABASE_URL"].rpartition("/")
    with psycopg.connect(f"{here}/postgres", autocommit=True) as maintenance:
        maintenance.execute(f"CREATE DATABASE {name} TEMPLATE {database}")


def _stored() -> int:
    return int(fetch_all(_COUNT, [SOURCE])[0][0])


def _token(name: str, **kind: Any) -> str:
    """A token of a user of this tier or role; one that was made in an earlier run has another password by now."""
    password = secrets.token_urlsafe(16)
    user = User.objects.filter(username=name).first()
    if user is None:
        create_user(name, f"{name}@example.com", password, **kind)
    else:
        user.set_password(password)
        user.save(update_fields=["password"])
    return str(login(name, password)["token"])


def _load(size: int) -> None:
    catalog.apply_categories(made_up.tree())
    ranges = [(begin, min(begin + BATCH, size), size) for begin in range(0, size, BATCH)]
    if len(ranges) < WORTH_PROCESSES:
        for bounds in ranges:
            load_range(bounds)
    else:
        _load_together(ranges)
    with connection.cursor() as cursor:
        cursor.execute("VACUUM (ANALYZE)")
        cursor.execute("CHECKPOINT")


def _load_together(ranges: list[tuple[int, int, int]]) -> None:
    connections.close_all()
    cores = len(os.sched_getaffinity(0))
    with multiprocessing.get_context("spawn").Pool(cores) as pool:
        for number, _ in enumerate(pool.imap_unordered(load_range, ranges)):
            _say(number + 1, len(ranges))


def _say(done: int, all_: int) -> None:
    if done % max(1, all_ // 20) == 0:
        print(f"  {done * BATCH:,} of {all_ * BATCH:,} products loaded", file=sys.stderr, flush=True)


def load_range(bounds: tuple[int, int, int]) -> None:
    """Write products `begin` to `end` of a catalogue of `size`, in one transaction."""
    begin, end, size = bounds
    write(SOURCE, (made_up.product(number, size) for number in range(begin, end)))


def write(source: str, records: Iterable[ProductRecord]) -> None:
    """Write records as one batch of a sync does."""
    products = tuple(FingerprintedProduct(record, record.fingerprint()) for record in records)
    with transaction.atomic():
        catalog.apply(ChangeSet(source=source, job_id=None, products=products))


def main() -> None:
    """Read the orders, fill, print the facts."""
    facts = fill(msgspec.json.decode(sys.stdin.buffer.read(), type=Orders))
    sys.stdout.buffer.write(msgspec.json.encode(facts))


if __name__ == "__main__":
    main()
