"""Records as table cells, and what differs between the stored and the incoming ones."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from hashlib import blake2b
from typing import Any

import msgspec

from products.records import PriceTier, ProductRecord, SkuRecord

Cells = tuple[Any, ...]
Fields = dict[str, Any]

JSON_COLUMNS = ("price_tiers", "images", "attributes")
PLAIN_COLUMNS = (
    "title",
    "description",
    "category_id",
    "shop_id",
    "price",
    "price_min",
    "price_max",
    "currency",
    "quote_type",
    "stock",
    "min_order_quantity",
    "unit",
    "sold_count",
    "status",
    "url",
    "source_updated_at",
)
# Everything a source says about a product, in the order of `product_cells`; what is stored as JSON comes last.
SYNCED_COLUMNS = PLAIN_COLUMNS + JSON_COLUMNS
SKU_COLUMNS = ("source_sku_id", "spec_id", "code", "price", "stock", "image", "price_tiers", "spec", "position")
# What a change line tells about a SKU: its key stands before, and its place moves whenever a neighbour goes.
_SKU_FACTS = slice(1, -1)

_encoder = msgspec.json.Encoder(order="deterministic", decimal_format="number")


def to_json(value: object) -> str:
    """JSON text of records and plain values; money as numbers."""
    return _encoder.encode(value).decode()


def product_cells(record: ProductRecord, category_id: int | None, shop_id: int | None) -> Cells:
    """The values of SYNCED_COLUMNS, comparable with stored ones."""
    return (
        record.title,
        record.description,
        category_id,
        shop_id,
        record.price,
        record.price_min,
        record.price_max,
        record.currency,
        record.quote_type,
        record.stock,
        record.min_order_quantity,
        record.unit,
        record.sold_count,
        record.status,
        record.url,
        record.source_updated_at,
        _tier_cell(record.price_tiers),
        list(record.images),
        record.attributes,
    )


def _tier_cell(tiers: Sequence[PriceTier]) -> list[Fields]:
    return [{"start_quantity": tier.start_quantity, "price": float(tier.price)} for tier in tiers]


def copy_cells(cells: Cells) -> Cells:
    """The same values as COPY takes them. Times go as text: the driver takes 3 µs for one, Python's own format 0.3."""
    moment, tiers, images, attributes = cells[-4:]
    return (*cells[:-4], moment and moment.isoformat(), to_json(tiers), to_json(images), to_json(attributes))


def copy_sku_cells(cells: Cells) -> Cells:
    """A SKU's values as COPY takes them."""
    return (*cells[:-3], to_json(cells[-3]), to_json(cells[-2]), cells[-1])


def sku_cells(record: ProductRecord) -> dict[str, Cells]:
    """The values of SKU_COLUMNS by SKU, without repeated ids (the last one counts)."""
    return {
        key: (
            *(key, sku.spec_id, sku.code, sku.price, sku.stock, sku.image),
            *(_tier_cell(sku.price_tiers), sku.spec, position),
        )
        for position, sku in enumerate(record.skus)
        for key in (sku.source_sku_id or _synthetic_key(sku),)
    }


def _synthetic_key(sku: SkuRecord) -> str:
    """A key that stays the same as long as the variant's properties do, for sources that give SKUs no id."""
    identity = sku.spec_id or sku.spec or sku.code
    return f"spec:{blake2b(_encoder.encode(identity), digest_size=16).hexdigest()}"


def plain(value: object) -> Any:
    """A cell as change lines show it: times as text."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
    return value


def differences(columns: Sequence[str], before: Sequence[Any], after: Sequence[Any]) -> Iterator[tuple[str, Any, Any]]:
    """(column, before, after) of every cell that differs. Amounts are compared as numbers, times as moments."""
    for name, old, new in zip(columns, before, after, strict=True):
        if old != new:
            yield name, plain(old), plain(new)


def sku_differences(before: dict[str, Cells], after: dict[str, Cells]) -> list[Fields] | None:
    """[before, after], each {sku: the fields that differ}; a SKU that is on one side only shows all. None if equal."""
    old_side: Fields = {}
    new_side: Fields = {}
    for key in sorted(before.keys() | after.keys()):
        old, new = before.get(key), after.get(key)
        if old and new:
            changed = list(differences(SKU_COLUMNS[_SKU_FACTS], old[_SKU_FACTS], new[_SKU_FACTS]))
            if changed:
                old_side[key] = {name: value for name, value, _ in changed}
                new_side[key] = {name: value for name, _, value in changed}
        elif old:
            old_side[key] = _whole(old)
        elif new:
            new_side[key] = _whole(new)
    return [old_side, new_side] if old_side or new_side else None


def _whole(cells: Cells) -> Fields:
    return {name: plain(cell) for name, cell in zip(SKU_COLUMNS[_SKU_FACTS], cells[_SKU_FACTS], strict=True)}
