"""Product rows of a batch: insert the new ones, lock and update the known ones."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

import orjson

from products.ingest.rows import JSON_COLUMNS, SYNCED_COLUMNS, Cells, copy_cells, to_json
from system.sql import copy_rows, execute, fetch_all

SKU_PREFIX = "1688-"

_COLUMNS = ", ".join(SYNCED_COLUMNS)
_INCOMING = ", ".join(f"i.{name}" for name in SYNCED_COLUMNS)
# The index on (source, source_id) holds synced products only, so every statement says source <> ''.
_KNOWN = "SELECT source_id FROM products_product WHERE source = %s AND source <> '' AND source_id = ANY(%s)"
_TEMPORARY = f"""
    CREATE TEMP TABLE IF NOT EXISTS incoming_product ON COMMIT DELETE ROWS AS
    SELECT source_id, fingerprint, {_COLUMNS} FROM products_product WITH NO DATA
"""  # noqa: S608 - the column names here and below are constants
_INSERT = f"""
    INSERT INTO products_product (source, source_id, sku, fingerprint, {_COLUMNS},
        owned_fields, version, synced_at, created_at, updated_at)
    SELECT %s, source_id, %s || source_id, fingerprint, {_COLUMNS}, '{{}}', 1, %s, %s, %s
    FROM pg_temp.incoming_product ORDER BY source_id
    ON CONFLICT (source, source_id) WHERE source <> '' DO NOTHING
    RETURNING source_id, id
"""  # noqa: S608
_LOCK = f"""
    SELECT source_id, id, fingerprint, owned_fields, {_COLUMNS} FROM products_product
    WHERE source = %s AND source <> '' AND source_id = ANY(%s) ORDER BY source_id FOR UPDATE
"""  # noqa: S608
_UPDATE = f"""
    UPDATE products_product AS p SET ({_COLUMNS}) = ROW ({_INCOMING}),
        fingerprint = i.fingerprint, version = p.version + 1, synced_at = %s, updated_at = %s
    FROM json_populate_recordset(NULL::products_product, %s::json) AS i WHERE p.id = i.id
"""  # noqa: S608
_FINGERPRINTS = """
    UPDATE products_product AS p SET fingerprint = decode(i.digest, 'hex')
    FROM unnest(%s::bigint[], %s::text[]) AS i (id, digest) WHERE p.id = i.id
"""


class Incoming(NamedTuple):
    """A product as the source says it now: SYNCED_COLUMNS, and SKU_COLUMNS by SKU."""

    fingerprint: bytes
    cells: Cells
    skus: dict[str, Cells]


class StoredProduct(NamedTuple):
    """A locked row, its values in the order of SYNCED_COLUMNS."""

    source_id: str
    id: int
    fingerprint: bytes
    owned_fields: list[str]
    cells: list[Any]


def insert_missing(source: str, incoming: Mapping[str, Incoming], now: datetime) -> dict[str, int]:
    """Insert the products nobody has stored yet; returns their ids. One that another writer beats us to is left out."""
    known = {row[0] for row in fetch_all(_KNOWN, [source, list(incoming)])}
    missing = [(source_id, product) for source_id, product in incoming.items() if source_id not in known]
    if not missing:
        return {}
    execute(_TEMPORARY)
    execute("DELETE FROM pg_temp.incoming_product")
    rows = ((source_id, product.fingerprint, *copy_cells(product.cells)) for source_id, product in missing)
    copy_rows("pg_temp.incoming_product", ("source_id", "fingerprint", *SYNCED_COLUMNS), rows)
    return dict(fetch_all(_INSERT, [source, SKU_PREFIX, now, now, now]))


def lock_products(source: str, source_ids: Collection[str]) -> list[StoredProduct]:
    """The stored rows of these products, locked until the transaction ends."""
    if not source_ids:
        return []
    return [_stored(row) for row in fetch_all(_LOCK, [source, list(source_ids)])]


def _stored(row: tuple[Any, ...]) -> StoredProduct:
    source_id, product_id, fingerprint, owned_fields, *cells = row
    plain_count = len(cells) - len(JSON_COLUMNS)
    cells[plain_count:] = map(orjson.loads, cells[plain_count:])
    return StoredProduct(source_id, product_id, fingerprint, owned_fields, cells)


def update_products(rows: Iterable[tuple[int, bytes, Sequence[Any]]], now: datetime) -> None:
    """Store new fingerprints and SYNCED_COLUMNS by product id, and raise the versions."""
    records = [
        {"id": product_id, "fingerprint": f"\\x{digest.hex()}", **dict(zip(SYNCED_COLUMNS, cells, strict=True))}
        for product_id, digest, cells in rows
    ]
    if records:
        execute(_UPDATE, [now, now, to_json(records)])


def update_fingerprints(fingerprints: Mapping[int, bytes]) -> None:
    """Remember what the source says where nothing of it is stored with the product: a shop's name, an owned field."""
    if fingerprints:
        execute(_FINGERPRINTS, [list(fingerprints), [value.hex() for value in fingerprints.values()]])
