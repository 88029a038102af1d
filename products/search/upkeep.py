"""Keeps what search compares as the products are: written in the transaction that writes them."""

from collections.abc import Collection, Iterator, Mapping
from typing import Any, NamedTuple

import orjson

from products.ingest.products import SKU_PREFIX, Incoming
from products.ingest.rows import SKU_COLUMNS, SYNCED_COLUMNS, to_json
from products.search import vocabulary
from products.search.documents import Document, document
from products.search.folding import VERSION, fold, pairs
from system import wire
from system.sql import copy_rows, execute, fetch_all

_TITLE, _SHOP, _ATTRIBUTES = (SYNCED_COLUMNS.index(name) for name in ("title", "shop_id", "attributes"))
_CODE, _SPEC = (SKU_COLUMNS.index(name) for name in ("code", "spec"))
_SEARCHED = frozenset({"sku", "title", "shop_id", "attributes"})
_SEARCHED_OF_SKUS = frozenset({"code", "spec"})

_COLUMNS = {"product_id": "int8", "shop_id": "int8", "text": "text", "numbers": wire.INTEGERS, "version": "int2"}
_READ = """
    SELECT p.id, p.shop_id, p.title, p.sku, p.source_id, p.attributes, s.codes, s.specs
    FROM products_product p LEFT JOIN LATERAL (
        SELECT array_agg(s.code) AS codes, jsonb_agg(s.spec) AS specs FROM (
            SELECT code, spec FROM products_sku WHERE product_id = p.id ORDER BY position, id
        ) AS s
    ) AS s ON true
    WHERE p.id = ANY(%s) ORDER BY p.id
"""
_STORE = """
    INSERT INTO products_searchtext AS st (product_id, shop_id, text, numbers, version)
    SELECT i.product_id, i.shop_id, i.text, i.numbers, i.version
    FROM json_populate_recordset(NULL::products_searchtext, %s::json) AS i ORDER BY i.product_id
    ON CONFLICT (product_id) DO UPDATE
    SET shop_id = excluded.shop_id, text = excluded.text, numbers = excluded.numbers, version = excluded.version
    WHERE (st.shop_id, st.text, st.version) IS DISTINCT FROM (excluded.shop_id, excluded.text, excluded.version)
"""

_STORE_SHOPS = """
    INSERT INTO products_searchshop AS sh (shop_id, text, numbers, version)
    SELECT i.shop_id, i.text, i.numbers, i.version
    FROM json_populate_recordset(NULL::products_searchshop, %s::json) AS i ORDER BY i.shop_id
    ON CONFLICT (shop_id) DO UPDATE
    SET text = excluded.text, numbers = excluded.numbers, version = excluded.version
    WHERE (sh.text, sh.version) IS DISTINCT FROM (excluded.text, excluded.version)
"""


class _Entry(NamedTuple):
    product_id: int
    shop_id: int | None
    document: Document


def add(source_ids: Mapping[str, int], incoming: Mapping[str, Incoming]) -> None:
    """Let search find new products, given by id at the source."""
    if source_ids:
        met = set[int]()
        copy_rows("products_searchtext", _COLUMNS, _copied(source_ids, incoming, met))
        vocabulary.learn(met)


def changes_search(fields: Mapping[str, Any]) -> bool:
    """Whether a change of these fields, each [before, after], can change what search finds."""
    if not _SEARCHED.isdisjoint(fields):
        return True
    sides = fields.get("skus") or ()
    return any(not _SEARCHED_OF_SKUS.isdisjoint(facts) for side in sides for facts in side.values())


def refresh(product_ids: Collection[int]) -> int:
    """Bring what is kept of these products to what is stored of them; returns how many rows were written."""
    if not product_ids:
        return 0
    entries = [_stored_entry(*row) for row in fetch_all(_READ, [list(product_ids)])]
    vocabulary.learn(set[int]().union(*(entry.document.title for entry in entries)))
    return execute(_STORE, [to_json([_record(entry) for entry in entries])])


def forget(product_ids: Collection[int]) -> None:
    """Remove what is kept of products that are no more."""
    execute("DELETE FROM products_searchtext WHERE product_id = ANY(%s)", [list(product_ids)])


def refresh_shops(names: Mapping[int, str]) -> int:
    """Let search find products by the names of their suppliers, given by id; returns how many rows were written."""
    folded = {shop_id: fold(name) for shop_id, name in names.items()}
    rows = [
        {"shop_id": shop_id, "text": name, "numbers": [*pairs(name)], "version": VERSION}
        for shop_id, name in folded.items()
    ]
    return execute(_STORE_SHOPS, [to_json(rows)]) if rows else 0


def _copied(
    source_ids: Mapping[str, int], incoming: Mapping[str, Incoming], met: set[int]
) -> Iterator[tuple[object, ...]]:
    """Rows made one after the other as they are sent; the numbers of their titles are added to `met`."""
    for source_id, product_id in source_ids.items():
        _, cells, skus = incoming[source_id]
        codes = [SKU_PREFIX + source_id, source_id, *[code for sku in skus.values() if (code := sku[_CODE])]]
        found = document(cells[_TITLE], codes, cells[_ATTRIBUTES], [sku[_SPEC] for sku in skus.values()])
        met.update(found.title)
        yield product_id, cells[_SHOP], found.text, wire.integers(found.numbers), VERSION


def _stored_entry(
    product_id: int,
    shop_id: int | None,
    title: str,
    sku: str,
    source_id: str,
    attributes: str,
    codes: list[str] | None,
    specs: str | None,
) -> _Entry:
    borne = filter(None, (sku, source_id, *(codes or ())))
    return _Entry(
        product_id, shop_id, document(title, borne, orjson.loads(attributes), orjson.loads(specs) if specs else ())
    )


def _record(entry: _Entry) -> dict[str, Any]:
    found = entry.document
    return {
        "product_id": entry.product_id,
        "shop_id": entry.shop_id,
        "text": found.text,
        "numbers": found.numbers.tolist(),
        "version": VERSION,
    }
