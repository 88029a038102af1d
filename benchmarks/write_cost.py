"""What the catalogue's write port costs a product, apart from the sync around it.

    python -m benchmarks.write_cost --products 10000 --batch 500

Writes the made-up products of the ingest benchmark (three SKUs each) batch by batch, each in a transaction of its own:
all new, then all known, then one in twenty changed. Prints processor microseconds a product, and those of a plain COPY
of the rows that are left behind.
"""

import argparse
import gc
from collections.abc import Iterator, Sequence
from typing import Any

import django

from benchmarks.ingest_cost import _copy_again, _show, _show_copy, empty_tables, start_servers

CHANGED_EVERY = 20


def main() -> None:
    """Start a server, write three times, print."""
    options = _options()
    start_servers()
    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0, interactive=False)
    from benchmarks.ingest_stages import Database, Stages

    stages, database = Stages(), Database()
    if not options.bare:
        _watch(stages)
    _prepare()
    first, later = (_pieces(options, edition) for edition in (0, 1))
    gc.collect()
    gc.freeze()
    _write(first[:3])
    empty_tables()
    for name, pieces in {"first load": first, "unchanged": first, "5 % changed": later}.items():
        print(f"\n== {name}")
        _reset()
        database.begin()
        stages.begin()
        _write(pieces)
        stages.end()
        _show(stages, database.spent(), options)
        if name == "first load":
            _show_copy(_copy_again(database), options)


def _watch(stages: Any) -> None:
    from products import catalog
    from products.ingest import products as product_rows
    from products.ingest import skus as sku_rows
    from products.ingest import stamps
    from products.search import upkeep, vocabulary

    stages.watch(catalog, "load_fingerprints", "fingerprints")
    stages.watch(catalog, "_incoming", "cells, references")
    stages.watch(catalog, "insert_missing", "new rows")
    stages.watch(catalog, "_update_known", "known rows")
    stages.watch(product_rows, "update_products", "update")
    stages.watch(sku_rows.SkuWrites, "write", "SKU rows")
    stages.watch(upkeep, "add", "text for the search: rows")
    stages.watch(upkeep, "document", "text for the search: text")
    stages.watch(vocabulary, "learn", "text for the search: pairs")
    stages.watch(upkeep, "refresh", "text for the search: known")
    stages.watch(catalog, "log_changes", "change rows")
    stages.watch(stamps, "products_changed", "stamps")
    stages.watch(catalog, "apply", "apply: rest")


def _write(pieces: Sequence[Sequence[Any]]) -> None:
    from django.db import transaction

    from products import catalog
    from products.records import ChangeSet

    for piece in pieces:
        with transaction.atomic():
            stored = catalog.load_fingerprints("bench", [product.record.source_id for product in piece])
            known = {source_id: row.fingerprint for source_id, row in stored.items()}
            due = tuple(product for product in piece if known.get(product.record.source_id) != product.fingerprint)
            if due:
                catalog.apply(ChangeSet(source="bench", job_id=1, products=due))


def _pieces(options: argparse.Namespace, edition: int) -> list[list[Any]]:
    products = list(_made_up(options.products, edition))
    return [products[start : start + options.batch] for start in range(0, options.products, options.batch)]


def _made_up(size: int, edition: int) -> Iterator[Any]:
    from benchmarks.world.products import product
    from products.records import FingerprintedProduct

    for number in range(size):
        record = product(number, size, edition if number % CHANGED_EVERY == 0 else 0)
        yield FingerprintedProduct(record, record.fingerprint())


def _prepare() -> None:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("CREATE EXTENSION IF NOT EXISTS pg_stat_statements")


def _reset() -> None:
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_statements_reset()")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.write_cost")
    parser.add_argument("--products", type=int, default=10_000)
    parser.add_argument("--batch", type=int, default=500, help="products a batch")
    parser.add_argument("--bare", action="store_true", help="without stages")
    parser.add_argument("--statements", action="store_true", help="also the database's dearest statements")
    return parser.parse_args()


if __name__ == "__main__":
    main()
