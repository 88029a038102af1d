"""Reads of the SKUs of one product, as plain data."""

from collections.abc import Sequence
from typing import Any, NamedTuple

from django.db.models import Q

from products.models import Product, Sku
from products.selectors.listing import MAX_ID

COLUMNS = ("id", "source_sku_id", "spec_id", "code", "spec", "price", "price_tiers", "stock", "image")


class ListedSkus(NamedTuple):
    """One page of a product's SKUs in their order; `last` is where the next page goes on, None on the last one."""

    items: list[dict[str, Any]]
    total: int | None
    last: list[int] | None


class SkuDetail(NamedTuple):
    """One SKU, and the version of its product, which is its own."""

    sku: dict[str, Any]
    version: int


def sku_page(product_id: int, *, limit: int, offset: int = 0, after: Sequence[int] | None = None) -> ListedSkus | None:
    """A page of the SKUs of a product; None when there is no such product, or it is deleted.

    Args:
        after: `last` of the page before, instead of an offset; such pages are not counted.
    """
    if _version(product_id) is None:
        return None
    skus = Sku.objects.filter(product_id=product_id)
    total = skus.count() if after is None else None
    if after is not None:
        position, sku_id = after
        skus = skus.filter(Q(position__gt=position) | Q(position=position, pk__gt=sku_id))
    found = list(skus.order_by("position", "id").values("position", *COLUMNS)[offset : offset + limit + 1])
    places = [[sku.pop("position"), sku["id"]] for sku in found]
    return ListedSkus(found[:limit], total, places[limit - 1] if len(found) > limit else None)


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
