"""The offers of the quality set as products of a database."""

from decimal import Decimal
from typing import Any

import orjson
from django.db import connection, transaction

from products import catalog
from products.records import CategoryRef, ChangeSet, FingerprintedProduct, ProductRecord, ShopRecord, SkuRecord
from products.selectors.products import search_page
from tests.products.search_quality.judge import OFFERS, Judged, lines

SOURCE = "1688"
PAGE = 100


def record(offer: dict[str, Any]) -> ProductRecord:
    """An offer as a source would describe it."""
    shop, names = offer.get("shop"), tuple(offer.get("category", ()))
    skus = enumerate(offer.get("skus", ()))
    return ProductRecord(
        source_id=offer["id"],
        title=offer["title"],
        category=CategoryRef(id=offer.get("category_id"), names=names) if names or "category_id" in offer else None,
        shop=ShopRecord(source_id=shop, name=shop) if shop else None,
        price=Decimal(offer["price"]),
        sold_count=offer["sold_count"],
        attributes=offer["attributes"],
        skus=tuple(SkuRecord(source_sku_id=f"{place}", code=sku["code"], spec=sku["spec"]) for place, sku in skus),
    )


def fill() -> None:
    """Write them the way a sync does."""
    records = sorted(map(record, lines(OFFERS)), key=lambda product: product.source_id)
    products = tuple(FingerprintedProduct(product, product.fingerprint()) for product in records)
    with transaction.atomic():
        catalog.apply(ChangeSet(source=SOURCE, job_id=None, products=products))
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE products_product")


def answer(judged: Judged) -> list[str]:
    """What the search finds, the best first."""
    found, offset = list[str](), 0
    while True:
        page = search_page({"q": judged.query}, limit=PAGE, offset=offset, counted=False)
        found += [item["source_id"] for item in orjson.loads(page.items)]
        offset += PAGE
        if page.last is None:
            return found
