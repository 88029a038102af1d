"""Records as table cells, and what differs between the stored and the incoming ones."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from hashlib import blake2b
from typing import Any

import msgspec

from products.records import PriceTier, ProductRecord, SkuRecord
from system import wire

Cells = tuple[Any, ...]
Fields = dict[str, Any]

# Columns, and the types in which `copy_cells` gives their values.
_PLAIN = {
    "title": "text",
    "description": "text",
    "category_id": "int8",
    "shop_id": "int8",
    "price": "numeric",
    "price_min": "numeric",
    "price_max": "numeric",
    "currency": "text",
    "quote_type": "int2",
    "stock": "int8",
    "min_order_quantity": "int4",
    "unit": "text",
    "sold_count": "int8",
    "status": "text",
    "url": "text",
    "source_updated_at": wire.MOMENT,
}
JSON_COLUMNS = ("price_tiers", "images", "attributes")
SYNCED_TYPES = _PLAIN | dict.fromkeys(JSON_COLUMNS, wire.JSONB)
SKU_TYPES = {
    **{
        "source_sku_id": "text",
        "spec_id": "text",
        "code": "text",
        "price": "numeric",
        "stock": "int8",
        "image": "text",
    },
    **{"price_tiers": wire.JSONB, "spec": wire.JSONB, "position": "int4"},
}
# Everything a source says about a product, in the order of `product_cells`; what is stored as JSON comes last.
SYNCED_COLUMNS = tuple(SYNCED_TYPES)
SKU_COLUMNS = tuple(SKU_TYPES)
# What a change line tells about a SKU: its key stands before, and its place moves whenever a neighbour goes.
_SKU_FACTS = slice(1, -1)

_encoder = msgspec.json.Encoder(order="deterministic", decimal_format="number")
_EMPTY: dict[type, bytes] = {list: wire.jsonb(b"[]"), dict: wire.jsonb(b"{}")}


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
    """The same values as COPY takes them, in SYNCED_TYPES."""
    moment, tiers, images, attributes = cells[-4:]
    return (*cells[:-4], moment and wire.moment(moment), json_cell(tiers), json_cell(images), json_cell(attributes))


def copy_sku_cells(cells: Cells) -> Cells:
    """A SKU's values as COPY takes them, in SKU_TYPES."""
    return (*cells[:-3], json_cell(cells[-3]), json_cell(cells[-2]), cells[-1])


def json_cell(value: object) -> bytes:
    """A list or dict as COPY takes it for a column of jsonb."""
    return wire.jsonb(_encoder.encode(value)) if value else _EMPTY[type(value)]


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
