"""Product rows of a batch: insert the new ones, lock and update the known ones."""

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

import orjson
from django.db import IntegrityError, transaction

from products.ingest.rows import JSON_COLUMNS, SYNCED_COLUMNS, SYNCED_TYPES, Cells, copy_cells, to_json
from system import wire
from system.sql import array, copy_rows, execute, fetch_all

SKU_PREFIX = "1688-"

_COLUMNS = ", ".join(SYNCED_COLUMNS)
_INCOMING = ", ".join(f"i.{name}" for name in SYNCED_COLUMNS)
# The index on (source, source_id) holds synced products only, so every statement says source <> ''.
_KNOWN = "SELECT source_id FROM products_product WHERE source = %s AND source <> '' AND source_id = ANY(%s::text[])"
_NEW_IDS = "SELECT nextval('products_product_id_seq') FROM generate_series(1, %s)"
_COPIED = {
    **{"id": "int8", "source": "text", "source_id": "text", "sku": "text", "fingerprint": "bytea"},
    **SYNCED_TYPES,
    **{"owned_fields": wire.VARCHARS, "version": "int4"},
    **dict.fromkeys(("synced_at", "created_at", "updated_at"), wire.MOMENT),
}
_INSERT_MISSING = f"""
    INSERT INTO products_product (source, source_id, sku, fingerprint, {_COLUMNS},
        owned_fields, version, synced_at, created_at, updated_at)
    SELECT %s, i.source_id, %s || i.source_id, i.fingerprint, {_INCOMING}, '{{}}', 1, %s, %s, %s
    FROM json_populate_recordset(NULL::products_product, %s::json) AS i ORDER BY i.source_id
    ON CONFLICT (source, source_id) WHERE source <> '' DO NOTHING
    RETURNING source_id, id
"""  # noqa: S608 - the column names here and below are constants
_LOCK = f"""
    SELECT source_id, id, fingerprint, owned_fields, source_values, {_COLUMNS} FROM products_product
    WHERE source = %s AND source <> '' AND source_id = ANY(%s::text[]) ORDER BY source_id FOR UPDATE
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
    source_values: dict[str, Any]
    cells: list[Any]


def insert_missing(source: str, incoming: Mapping[str, Incoming], now: datetime) -> dict[str, int]:
    """Insert the products nobody has stored yet; returns their ids. One that another writer beats us to is left out."""
    known = {row[0] for row in fetch_all(_KNOWN, [source, array(incoming)])}
    missing = {source_id: product for source_id, product in incoming.items() if source_id not in known}
    if not missing:
        return {}
    try:
        with transaction.atomic():
            return _copy(source, missing, now)
    except IntegrityError:
        # COPY cannot pass over rows that another batch stored meanwhile; it is tried first for it is twice as fast.
        return _insert(source, missing, now)


def _copy(source: str, missing: Mapping[str, Incoming], now: datetime) -> dict[str, int]:
    ids = {source_id: row[0] for source_id, row in zip(missing, fetch_all(_NEW_IDS, [len(missing)]), strict=True)}
    stamp = wire.moment(now)
    bookkeeping = (wire.NO_VARCHARS, 1, stamp, stamp, stamp)
    rows = (
        (ids[key], source, key, SKU_PREFIX + key, fingerprint, *copy_cells(cells), *bookkeeping)
        for key, (fingerprint, cells, _) in missing.items()
    )
    copy_rows("products_product", _COPIED, rows)
    return ids


def _insert(source: str, missing: Mapping[str, Incoming], now: datetime) -> dict[str, int]:
    records = [
        {"source_id": key, **_json_record(product.fingerprint, product.cells)} for key, product in missing.items()
    ]
    return dict(fetch_all(_INSERT_MISSING, [source, SKU_PREFIX, now, now, now, to_json(records)]))


def _json_record(fingerprint: bytes, cells: Sequence[Any]) -> dict[str, Any]:
    return {"fingerprint": f"\\x{fingerprint.hex()}", **dict(zip(SYNCED_COLUMNS, cells, strict=True))}


def lock_products(source: str, source_ids: Collection[str]) -> list[StoredProduct]:
    """The stored rows of these products, locked until the transaction ends."""
    if not source_ids:
        return []
    return [stored_product(row) for row in fetch_all(_LOCK, [source, array(source_ids)])]


def stored_product(row: tuple[Any, ...]) -> StoredProduct:
    """A row of source_id, id, fingerprint, owned_fields, source_values and SYNCED_COLUMNS."""
    source_id, product_id, fingerprint, owned_fields, said, *cells = row
    plain_count = len(cells) - len(JSON_COLUMNS)
    cells[plain_count:] = map(orjson.loads, cells[plain_count:])
    source_values = json.loads(said, parse_float=Decimal) if said else {}
    return StoredProduct(source_id, product_id, fingerprint, owned_fields, source_values, cells)


def update_products(rows: Iterable[tuple[int, bytes, Sequence[Any]]], now: datetime) -> None:
    """Store new fingerprints and SYNCED_COLUMNS by product id, and raise the versions."""
    records = [{"id": product_id, **_json_record(digest, cells)} for product_id, digest, cells in rows]
    if records:
        execute(_UPDATE, [now, now, to_json(records)])


def update_fingerprints(fingerprints: Mapping[int, bytes]) -> None:
    """Remember what the source says where nothing of it is stored with the product: a shop's name, an owned field."""
    if fingerprints:
        execute(_FINGERPRINTS, [list(fingerprints), [value.hex() for value in fingerprints.values()]])
