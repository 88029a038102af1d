"""The plain records that connectors produce and the catalogue stores; no Django here.

They are msgspec structs: immutable, untracked by the garbage collector, and encoded to
canonical bytes in microseconds, which is what the fingerprint needs.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime
from decimal import Decimal
from hashlib import blake2b
from typing import Any

import msgspec

# Raise it when the meaning of a record changes: every stored fingerprint then differs once.
NORMALIZER_VERSION = b"2"
FINGERPRINT_BYTES = 16

_encoder = msgspec.json.Encoder(order="deterministic")


class PriceTier(msgspec.Struct, frozen=True, gc=False):
    """One step of a quantity price: `price` in the product's currency from `start_quantity` units on."""

    start_quantity: int
    price: Decimal


class CategoryRef(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """Which category a product belongs to: the platform's number, or a path of names from the root."""

    id: int | None = None
    names: tuple[str, ...] = ()


class CategoryRecord(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """A category of the platform's own tree; `id` and `parent_id` are the platform's numbers."""

    id: int
    name: str
    parent_id: int | None = None
    is_leaf: bool = False


class ShopRecord(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """A supplier as the source names it; `source_id` is unique inside the source."""

    source_id: str
    name: str
    url: str = ""
    location: str = ""


class SkuRecord(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """One sellable variant. `spec_id` is unique only inside its product (1688 open platform).

    `price_tiers` only where each SKU is quoted by quantity; `price` is then the one at the product's minimum.
    """

    source_sku_id: str
    spec_id: str = ""
    code: str = ""
    spec: dict[str, str] = {}
    price: Decimal | None = None
    price_tiers: tuple[PriceTier, ...] = ()
    stock: int = 0
    image: str = ""


class ProductRecord(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """A product as every source must describe it.

    `price` is what a buyer pays per unit at the minimum order quantity; None when the seller hides it.
    Money is Decimal with two places. `images` are absolute URLs. `attributes` maps a name to a string or,
    for repeated names, a list of strings. `status` is one of `products.models.Product.Status`.
    """

    source_id: str
    title: str
    description: str = ""
    category: CategoryRef | None = None
    shop: ShopRecord | None = None
    price: Decimal | None = None
    price_min: Decimal | None = None
    price_max: Decimal | None = None
    currency: str = "CNY"
    price_tiers: tuple[PriceTier, ...] = ()
    quote_type: int | None = None
    stock: int = 0
    min_order_quantity: int = 1
    unit: str = ""
    sold_count: int = 0
    images: tuple[str, ...] = ()
    attributes: dict[str, Any] = {}
    status: str = "published"
    url: str = ""
    source_updated_at: datetime | None = None
    skus: tuple[SkuRecord, ...] = ()

    def fingerprint(self) -> bytes:
        """16 bytes that change when anything stored about the product changes."""
        digest = blake2b(_encoder.encode(self), digest_size=FINGERPRINT_BYTES, salt=NORMALIZER_VERSION)
        return digest.digest()


class FingerprintedProduct(msgspec.Struct, frozen=True, gc=False):
    """A record together with its fingerprint, computed once."""

    record: ProductRecord
    fingerprint: bytes


class StockHint(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """What a source says of a stock without showing the product: an absolute number as it was at a moment.

    `sku_id` is the SKU's id at the source; "" means the product as a whole.
    """

    source_id: str
    sku_id: str = ""
    stock: int
    at: datetime


class ChangeSet(msgspec.Struct, frozen=True, kw_only=True):
    """What one batch wants written for the source of this name: only new or changed products, sorted by id."""

    source: str
    job_id: int | None
    products: tuple[FingerprintedProduct, ...] = ()


class ApplyResult(msgspec.Struct, frozen=True, kw_only=True):
    """What `catalog.apply` did. `unchanged` counts rows another writer had already brought up to date.

    `fields` says how often each field of a known product changed.
    """

    created: int = 0
    updated: int = 0
    unchanged: int = 0
    fields: dict[str, int] = {}


# What the catalogue's columns hold: characters of a text, largest whole number.
PRODUCT_ROOM = {"source_id": 100, "title": 500, "unit": 20, "currency": 3}
SHOP_ROOM = {"source_id": 100, "name": 200, "location": 200}
SKU_ROOM = {"source_sku_id": 100, "spec_id": 64, "code": 100}
CATEGORY_NAME_ROOM = 200
_PRODUCT_ROOM, _SHOP_ROOM = tuple(PRODUCT_ROOM.items()), tuple(SHOP_ROOM.items())
_SKU_ID, _SPEC_ID, _SKU_CODE = SKU_ROOM.values()
LARGEST_BIGINT, LARGEST_INTEGER, LARGEST_SMALLINT = 2**63 - 1, 2**31 - 1, 2**15 - 1


def without_room(record: ProductRecord) -> str | None:
    """The first field that does not fit its column, None when all do. One such row would fail a whole batch."""
    for row, room in _texts(record):
        for name, most in room:
            if len(getattr(row, name)) > most:
                return name
    for sku in record.skus:
        if len(sku.source_sku_id) > _SKU_ID or len(sku.spec_id) > _SPEC_ID or len(sku.code) > _SKU_CODE:
            return next(name for name, most in SKU_ROOM.items() if len(getattr(sku, name)) > most)
    if record.category and any(len(name) > CATEGORY_NAME_ROOM for name in record.category.names):
        return "category"
    return _number_without_room(record)


def _texts(record: ProductRecord) -> Iterator[tuple[msgspec.Struct, Iterable[tuple[str, int]]]]:
    yield record, _PRODUCT_ROOM
    if record.shop:
        yield record.shop, _SHOP_ROOM


def _number_without_room(record: ProductRecord) -> str | None:
    if not 0 <= record.min_order_quantity <= LARGEST_INTEGER:
        return "min_order_quantity"
    if not 0 <= (record.quote_type or 0) <= LARGEST_SMALLINT:
        return "quote_type"
    if record.sold_count > LARGEST_BIGINT:
        return "sold_count"
    largest = max([record.stock, *(sku.stock for sku in record.skus)])
    return "stock" if largest > LARGEST_BIGINT else None
