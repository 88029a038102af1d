"""Bodies and products of our own, short to write in tests."""

from typing import Any

from products.models import Category, Product, Shop
from products.services.products import create_product

# As the specification prints it (seed 000), but for pictures that are addresses.
SEED = {
    "sku": "SKU123456",
    "title": "产品标题",
    "price": 99.99,
    "stock": 100,
    "images": ["https://img.example.com/1.jpg", "https://img.example.com/2.jpg"],
    "category": "电子产品",
    "attributes": {"品牌": "无"},
}


def body(**changes: Any) -> dict[str, Any]:
    """A body that is accepted as it is, but for what the test changes."""
    return {"sku": "SKU123456", "title": "产品标题", "price": 99.99, "stock": 100, **changes}


def own(sku: str = "SKU123456", **values: Any) -> Product:
    """A product of our own."""
    return create_product({"sku": sku, "title": "茶杯", **values})


def category(number: int, *names: str) -> Category:
    """A category of this path."""
    return Category.objects.create(id=number, name=names[-1], path=" / ".join(names), ancestors=[number])


def shop() -> Shop:
    """A supplier."""
    return Shop.objects.create(source="demo", source_id="b2b-9", name="义乌市茶杯厂")
