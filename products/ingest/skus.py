"""SKU rows of new and changed products: rows that say the same are left alone."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

import orjson

from products.ingest.rows import SKU_COLUMNS, SKU_TYPES, Cells, copy_sku_cells, to_json
from system import wire
from system.sql import copy_rows, execute, fetch_all

# SKUs without an id at the source were made by hand; a sync neither sees nor deletes them.
_STORED = """
    SELECT product_id, id, source_sku_id, spec_id, code, price, stock, image, price_tiers, spec, position
    FROM products_sku
    WHERE product_id = ANY(%s) AND source_sku_id <> '' ORDER BY product_id, position, id
"""
_DELETE = "DELETE FROM products_sku WHERE id = ANY(%s)"
_UPDATE = """
    UPDATE products_sku AS s SET spec_id = i.spec_id, code = i.code, price = i.price, stock = i.stock,
        image = i.image, price_tiers = i.price_tiers, spec = i.spec, position = i.position, updated_at = %s
    FROM json_populate_recordset(NULL::products_sku, %s::json) AS i WHERE s.id = i.id
"""
_COPIED = {"product_id": "int8", **SKU_TYPES, "created_at": wire.MOMENT, "updated_at": wire.MOMENT}


class StoredSku(NamedTuple):
    """A SKU row and its values in the order of SKU_COLUMNS."""

    id: int
    cells: Cells


class SkuWrites:
    """Collects what a batch does to SKUs and writes it in three statements."""

    def __init__(self) -> None:
        self._added: list[tuple[int, Cells]] = []
        self._changed: list[dict[str, object]] = []
        self._removed: list[int] = []

    def add(self, product_id: int, skus: Iterable[Cells]) -> None:
        """SKUs of a product that has none of them yet."""
        self._added.extend((product_id, cells) for cells in skus)

    def replace(self, product_id: int, before: Mapping[str, StoredSku], after: Mapping[str, Cells]) -> None:
        """Bring a known product's SKUs to what the source says now."""
        self._removed.extend(before[key].id for key in before.keys() - after.keys())
        self.add(product_id, (cells for key, cells in after.items() if key not in before))
        for key, stored in before.items():
            if key in after and after[key] != stored.cells:
                self._changed.append({"id": stored.id, **dict(zip(SKU_COLUMNS, after[key], strict=True))})

    def write(self, now: datetime) -> None:
        """Delete, update and insert, in the caller's transaction, whose locks on the products keep others away."""
        if self._removed:
            execute(_DELETE, [self._removed])
        if self._changed:
            execute(_UPDATE, [now, to_json(self._changed)])
        if self._added:
            copy_rows("products_sku", _COPIED, self._copied(now))

    def _copied(self, now: datetime) -> Iterator[Cells]:
        stamp = wire.moment(now)
        return ((product_id, *copy_sku_cells(cells), stamp, stamp) for product_id, cells in self._added)


def stored_skus(product_ids: Sequence[int]) -> dict[int, dict[str, StoredSku]]:
    """The SKUs a sync wrote earlier, by product and key."""
    found: dict[int, dict[str, StoredSku]] = {product_id: {} for product_id in product_ids}
    if not found:
        return found
    for product_id, sku_id, *cells in fetch_all(_STORED, [list(product_ids)]):
        cells[-3:-1] = map(orjson.loads, cells[-3:-1])
        found[product_id][cells[0]] = StoredSku(sku_id, tuple(cells))
    return found
