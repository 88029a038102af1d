"""Records as the products they would become, for somebody who looks before a sync."""

from collections.abc import Sequence
from typing import Any

import msgspec

from products import catalog
from products.ingest.products import SKU_PREFIX
from products.records import FingerprintedProduct, ProductRecord, SkuRecord


class Sample(msgspec.Struct, frozen=True, kw_only=True):
    """`effect` is created, updated or unchanged; `product` has the names of the product API."""

    effect: str
    product: dict[str, Any]


def samples_of(source: str, products: Sequence[FingerprintedProduct]) -> list[Sample]:
    """Show what would become of each."""
    stored = catalog.load_fingerprints(source, [product.record.source_id for product in products])
    known = {source_id: row.fingerprint for source_id, row in stored.items()}
    return [Sample(effect=_effect(product, known), product=_product(source, product.record)) for product in products]


def _effect(product: FingerprintedProduct, known: dict[str, bytes]) -> str:
    if product.record.source_id not in known:
        return "created"
    return "unchanged" if known[product.record.source_id] == product.fingerprint else "updated"


def _product(source: str, record: ProductRecord) -> dict[str, Any]:
    plain = {name: getattr(record, name) for name in PLAIN}
    category, shop = record.category, record.shop
    return plain | {
        "sku": SKU_PREFIX + record.source_id,
        "source": source,
        "category_id": category.id if category else None,
        "category": category.names[-1] if category and category.names else None,
        "shop": shop.name if shop else None,
        "price_tiers": [{"start_quantity": tier.start_quantity, "price": tier.price} for tier in record.price_tiers],
        "images": list(record.images),
        "skus": [_sku(sku) for sku in record.skus],
    }


PLAIN = (
    "source_id",
    "title",
    "price",
    "price_min",
    "price_max",
    "currency",
    "stock",
    "min_order_quantity",
    "unit",
    "sold_count",
    "attributes",
    "status",
    "url",
    "source_updated_at",
)


def _sku(sku: SkuRecord) -> dict[str, Any]:
    names = ("source_sku_id", "spec_id", "code", "spec", "price", "stock", "image")
    return {name: getattr(sku, name) for name in names}
