"""Examples of the API's documentation."""

from typing import Any

from drf_spectacular.utils import OpenApiExample

_LISTED: dict[str, Any] = {
    "id": 1,
    "sku": "1688-600000000001",
    "title": "无线蓝牙耳机 降噪 头戴式",
    "price": 99.99,
    "stock": 100,
    "images": ["https://cbu01.alicdn.com/img/ibank/2025/1.jpg", "https://cbu01.alicdn.com/img/ibank/2025/2.jpg"],
    "category": "头戴式耳机",
    "created_at": "2025-11-18T13:09:28Z",
    "updated_at": "2025-11-18T13:09:28Z",
    "category_id": 123456,
    "category_path": "数码 / 耳机 / 头戴式耳机",
    "shop": {"id": 7, "name": "深圳市声学科技有限公司"},
    "price_min": 79.99,
    "price_max": 99.99,
    "currency": "CNY",
    "price_tiers": [{"start_quantity": 2, "price": 99.99}, {"start_quantity": 100, "price": 79.99}],
    "min_order_quantity": 2,
    "unit": "件",
    "sold_count": 5800,
    "status": "published",
    "source": "1688",
    "source_id": "600000000001",
    "url": "https://detail.1688.com/offer/600000000001.html",
    "attributes": {"品牌": "无", "颜色": ["黑色", "白色"]},
    "version": 3,
    "source_updated_at": "2025-11-18T12:00:00Z",
    "synced_at": "2025-11-18T13:09:28Z",
}
_SKU: dict[str, Any] = {
    "id": 11,
    "source_sku_id": "4839204817",
    "spec_id": "b266e0726506185beaf205cbae88530d",
    "code": "BT-BLACK",
    "spec": {"颜色": "黑色"},
    "price": 99.99,
    "stock": 60,
    "image": "https://cbu01.alicdn.com/img/ibank/2025/3.jpg",
}

LISTED_PRODUCT = OpenApiExample("Product", value=_LISTED, response_only=True)
PRODUCT = OpenApiExample(
    "Product", value={**_LISTED, "description": "<p>主动降噪</p>", "skus": [_SKU]}, response_only=True
)
CATEGORY = OpenApiExample(
    "Category",
    value={
        "id": 123456,
        "parent_id": 1234,
        "name": "头戴式耳机",
        "path": "数码 / 耳机 / 头戴式耳机",
        "level": 3,
        "is_leaf": True,
        "created_at": "2025-11-18T13:09:28Z",
        "updated_at": "2025-11-18T13:09:28Z",
        "product_count": 1000,
    },
    response_only=True,
)
