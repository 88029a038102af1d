"""Who writes what lists show: known by name, because each must see to it that the stamps of lists are raised."""

import re

from tests.architecture.source import files, name

# Statements and COPY; what the ORM writes goes through `products/services/store.py`, whose functions log all they do.
WRITE = re.compile(
    r"(?:INSERT INTO|UPDATE|DELETE FROM|MERGE INTO)\s+products_(product|sku|category|shop)\b"
    r"|copy_rows\(\s*\"products_(product|sku|category|shop)\""
)
# Each hands its lines to `catalog.log_changes`, calls `stamps.names_changed`, or writes what no list shows.
WRITERS = {
    "products/catalog.py": "delists, and logs it",
    "products/ingest/ownership.py": "who owns a field: details show it, and their ETag follows it",
    "products/ingest/products.py": "called by `catalog.apply` and `revert`, which log",
    "products/ingest/references.py": "makes categories that hold nothing yet; renames shops, and raises the names",
    "products/ingest/revert.py": "puts back, and logs it",
    "products/ingest/skus.py": "called by `catalog.apply`, `revert` and `release_fields`, which log",
    "products/ingest/stock.py": "called by `catalog.apply_stock`, which logs",
    "products/ingest/tree.py": "the platform's tree, and raises the names",
    "products/services/products.py": "purges what was deleted before",
    "products/services/store.py": "all edits, and logs them",
}


def test_who_writes_the_catalogue_is_known() -> None:
    found = {
        name(path)
        for path in files("config", "syncjobs", "products", "accounts", "system")
        if WRITE.search(path.read_text())
    }

    assert found == WRITERS.keys(), "see `products.ingest.stamps` before you write these tables from elsewhere"
