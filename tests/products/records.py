"""Records for the tests of the catalogue, short to write and believable to read."""

from decimal import Decimal
from typing import Any

from django.db import transaction

from products import catalog
from products.records import (
    ApplyResult,
    CategoryRef,
    ChangeSet,
    FingerprintedProduct,
    PriceTier,
    ProductRecord,
    ShopRecord,
    SkuRecord,
)

SOURCE = "demo"


def sku(source_sku_id: str = "4839", **changes: Any) -> SkuRecord:
    """One red variant, but for what the test changes."""
    values: dict[str, Any] = {"spec": {"颜色": "红色"}, "price": Decimal("9.90"), "stock": 10}
    return SkuRecord(source_sku_id=source_sku_id, **values | changes)


def record(source_id: str = "600000000001", **changes: Any) -> ProductRecord:
    """A complete product, but for what the test changes."""
    values: dict[str, Any] = {
        "title": "无线蓝牙耳机",
        "description": "<p>降噪</p>",
        "category": CategoryRef(id=7, names=("数码", "耳机")),
        "shop": ShopRecord(source_id="b2b-1", name="深圳市耳机厂"),
        "price": Decimal("9.90"),
        "price_min": Decimal("8.00"),
        "price_max": Decimal("9.90"),
        "price_tiers": (PriceTier(2, Decimal("9.90")), PriceTier(100, Decimal("8.00"))),
        "stock": 100,
        "min_order_quantity": 2,
        "unit": "件",
        "images": ("https://cbu01.alicdn.com/img/1.jpg",),
        "attributes": {"品牌": "无", "颜色": ["红色", "蓝色"]},
        "skus": (sku(),),
    }
    return ProductRecord(source_id=source_id, **values | changes)


def apply(*records: ProductRecord, job_id: int | None = 5, source: str = SOURCE) -> ApplyResult:
    """Write records the way a batch does, in a transaction of its own."""
    products = tuple(FingerprintedProduct(record, record.fingerprint()) for record in records)
    with transaction.atomic():
        return catalog.apply(ChangeSet(source=source, job_id=job_id, products=products))
