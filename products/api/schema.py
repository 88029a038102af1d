"""Examples of the bodies that write the catalogue, and of their answers."""

from typing import Any

from drf_spectacular.utils import OpenApiExample

_PRODUCT: dict[str, Any] = {
    "sku": "SKU123456",
    "title": "产品标题",
    "price": 99.99,
    "stock": 100,
    "images": ["https://img.example.com/1.jpg"],
    "category": "电子产品",
    "attributes": {"品牌": "无"},
}
_SKU: dict[str, Any] = {"code": "BT-BLACK", "spec": {"颜色": "黑色"}, "price": 99.99, "stock": 60}
_BATCH: dict[str, Any] = {
    "policy": "reject_failed",
    "operations": [
        {"op": "create", "data": _PRODUCT},
        {"op": "update", "id": 1, "data": {"stock": 80}},
        {"op": "update", "sku": "SKU000002", "data": {"price": 0.001}},
        {"op": "publish", "sku": "SKU000003"},
    ],
}
_FAILURE: dict[str, Any] = {
    "code": "E00002",
    "message": "参数无效",
    "details": {"operations[2].data.price": ["最多两位小数。"]},
    "suggestion": "请更正 details 中列出的字段。",
}
_REPORT: dict[str, Any] = {
    "results": [
        {"index": 0, "op": "create", "path": "operations[0]", "id": 12, "status": 201, "error": None},
        {"index": 1, "op": "update", "path": "operations[1]", "id": 1, "status": 200, "error": None},
        {"index": 2, "op": "update", "path": "operations[2].data.price", "id": 2, "status": 400, "error": _FAILURE},
        {"index": 3, "op": "publish", "path": "operations[3]", "id": 3, "status": 200, "error": None},
    ]
}

PRODUCT_BODY_EXAMPLE = OpenApiExample("Product to write", value=_PRODUCT, request_only=True)
SKU_BODY_EXAMPLE = OpenApiExample("SKU to write", value=_SKU, request_only=True)
SKU_EXAMPLE = OpenApiExample(
    "SKU",
    value={"id": 11, "source_sku_id": "own-5f0c2a9b1d3e4f60", "spec_id": "", **_SKU, "price_tiers": [], "image": ""},
    response_only=True,
)
BATCH_EXAMPLES = [
    OpenApiExample("Batch", value=_BATCH, request_only=True),
    OpenApiExample("Results", value=_REPORT, response_only=True),
]
