"""The shapes of the catalogue's answers: documentation, and the measure for the JSON that PostgreSQL builds."""

from datetime import UTC
from typing import Any

from drf_spectacular.utils import OpenApiExample, extend_schema_field
from rest_framework import serializers

from products.models import Product, Sku

PRICE_BASES = ("tiers", "skus", "fixed", "hidden")


def _money(**options: Any) -> serializers.DecimalField:
    return serializers.DecimalField(max_digits=12, decimal_places=2, coerce_to_string=False, **options)


def _total() -> serializers.FloatField:
    return serializers.FloatField(
        allow_null=True, help_text="Null below the minimum order quantity and without a price"
    )


def time_field(**options: Any) -> serializers.DateTimeField:
    """A time as answers show it."""
    return serializers.DateTimeField(format="%Y-%m-%dT%H:%M:%SZ", default_timezone=UTC, **options)


class PriceTierSerializer(serializers.Serializer[Any]):
    """What one unit costs from a quantity on."""

    start_quantity = serializers.IntegerField()
    price = serializers.FloatField()


class ShopReferenceSerializer(serializers.Serializer[Any]):
    """The supplier of a product."""

    id = serializers.IntegerField()
    name = serializers.CharField()


@extend_schema_field({"type": "object", "additionalProperties": {"type": "string"}})
class SpecField(serializers.JSONField):
    """The properties that tell a variant from the others."""


@extend_schema_field({"type": "object", "additionalProperties": {}})
class AttributesField(serializers.JSONField):
    """What is said about a product, by name: of a source texts, and lists of texts; of your own products anything."""


class UnitPriceSerializer(serializers.Serializer[Any]):
    """What one unit of a SKU costs at the quantity asked for, and all of them."""

    unit_price = _money(allow_null=True)
    total = _total()


class QuantityPriceSerializer(UnitPriceSerializer):
    """What one unit costs at the quantity asked for, and all of them."""

    quantity = serializers.IntegerField()
    currency = serializers.CharField()
    unit = serializers.CharField()
    min_order_quantity = serializers.IntegerField()
    meets_minimum = serializers.BooleanField(help_text="If not, the unit price is that of the minimum order quantity")
    basis = serializers.ChoiceField(
        choices=PRICE_BASES,
        help_text="tiers: by the product's tiers; skus: the cheapest SKU; fixed: one price; hidden: none is shown",
    )

    class Meta:
        fields = ["quantity", "unit_price", "total", "currency", "unit", "min_order_quantity", "meets_minimum", "basis"]


class SkuSerializer(serializers.ModelSerializer[Sku]):
    """A sellable variant."""

    spec = SpecField()
    price = _money(allow_null=True)
    price_tiers = PriceTierSerializer(many=True, help_text="Only of products that quote each SKU by quantity")
    quantity_price = UnitPriceSerializer(required=False, help_text="With `qty` only")

    class Meta:
        model = Sku
        fields = [
            *["id", "source_sku_id", "spec_id", "code", "spec", "price", "price_tiers", "stock", "image"],
            "quantity_price",
        ]


class ListedProductSerializer(serializers.ModelSerializer[Product]):
    """A product as lists show it. Money is a number in `currency`; times are UTC."""

    price = _money(allow_null=True, help_text="Per unit at the minimum order quantity; null when the seller hides it")
    images = serializers.ListField(child=serializers.CharField())
    category = serializers.CharField(source="category.name", allow_null=True, default=None)
    created_at = time_field()
    updated_at = time_field()
    category_id = serializers.IntegerField(allow_null=True)
    category_path = serializers.CharField(source="category.path", allow_null=True, default=None)
    shop = ShopReferenceSerializer(allow_null=True)
    price_min = _money(allow_null=True)
    price_max = _money(allow_null=True)
    price_tiers = PriceTierSerializer(many=True)
    attributes = AttributesField()
    source_updated_at = time_field(allow_null=True)
    synced_at = time_field(allow_null=True, help_text="When a sync last changed it")
    quantity_price = QuantityPriceSerializer(required=False, help_text="With `qty` only")

    class Meta:
        model = Product
        fields = [
            *["id", "sku", "title", "price", "stock", "images", "category", "created_at", "updated_at"],
            *["category_id", "category_path", "shop", "price_min", "price_max", "currency", "price_tiers"],
            *["min_order_quantity", "unit", "sold_count", "status", "source", "source_id", "url", "attributes"],
            *["version", "source_updated_at", "synced_at", "quantity_price"],
        ]


class ProductSerializer(ListedProductSerializer):
    """A whole product."""

    owned_fields = serializers.ListField(
        child=serializers.CharField(),
        help_text="What an operator set: syncs leave it alone, as the source's policy says",
    )
    conflicts = serializers.ListField(
        child=serializers.CharField(), help_text="Owned fields of which the source says something else"
    )
    skus = SkuSerializer(many=True)

    class Meta(ListedProductSerializer.Meta):
        fields = [
            *ListedProductSerializer.Meta.fields[:-1],
            *["description", "owned_fields", "conflicts", "skus", "quantity_price"],
        ]


class CategorySerializer(serializers.Serializer[Any]):
    """A node of the category tree. `path` joins the names from the top by " / "."""

    id = serializers.IntegerField()
    parent_id = serializers.IntegerField(allow_null=True)
    name = serializers.CharField()
    path = serializers.CharField()
    level = serializers.IntegerField()
    is_leaf = serializers.BooleanField()
    created_at = time_field()
    updated_at = time_field()
    product_count = serializers.IntegerField(required=False, help_text="Products in and below it")


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
    "price_tiers": [],
    "stock": 60,
    "image": "https://cbu01.alicdn.com/img/ibank/2025/3.jpg",
}

LISTED_PRODUCT_EXAMPLE = OpenApiExample("Product", value=_LISTED, response_only=True)
PRODUCT_EXAMPLE = OpenApiExample(
    "Product",
    value={**_LISTED, "description": "<p>主动降噪</p>", "owned_fields": [], "conflicts": [], "skus": [_SKU]},
    response_only=True,
)
CATEGORY_EXAMPLE = OpenApiExample(
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
