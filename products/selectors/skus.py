"""Reads of the SKUs of one product, as plain data."""

from typing import Any, NamedTuple

from products.models import Product, Sku
from products.selectors.listing import MAX_ID

COLUMNS = ("id", "source_sku_id", "spec_id", "code", "spec", "price", "price_tiers", "stock", "image")


class ListedSkus(NamedTuple):
    """One page of a product's SKUs in their order, and how many there are."""

    items: list[dict[str, Any]]
    total: int


class SkuDetail(NamedTuple):
    """One SKU, and the version of its product, which is its own."""

    sku: dict[str, Any]
    version: int


def sku_page(product_id: int, *, limit: int, offset: int) -> ListedSkus | None:
    """A page of the SKUs of a product; None when there is no such product, or it is deleted."""
    if _version(product_id) is None:
        return None
    skus = Sku.objects.filter(product_id=product_id)
    items = skus.order_by("position", "id").values(*COLUMNS)[offset : offset + limit]
    return ListedSkus(list(items), skus.count())


def sku_detail(product_id: int, sku_id: int) -> SkuDetail | None:
    """One SKU; None when the product has no such SKU, does not exist or is deleted."""
    version = _version(product_id)
    if version is None or sku_id > MAX_ID:
        return None
    sku = Sku.objects.filter(pk=sku_id, product_id=product_id).values(*COLUMNS).first()
    return SkuDetail(sku, version) if sku else None


def _version(product_id: int) -> int | None:
    if product_id > MAX_ID:
        return None
    return Product.objects.filter(pk=product_id, deleted_at=None).values_list("version", flat=True).first()
