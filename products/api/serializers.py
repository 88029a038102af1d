"""The shapes of the catalogue's answers: documentation, and the measure for the JSON that PostgreSQL builds."""

from datetime import UTC
from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from products.models import Product, Sku


def _money(**options: Any) -> serializers.DecimalField:
    return serializers.DecimalField(max_digits=12, decimal_places=2, coerce_to_string=False, **options)


def _time(**options: Any) -> serializers.DateTimeField:
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


@extend_schema_field(
    {
        "type": "object",
        "additionalProperties": {"oneOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}}]},
    }
)
class AttributesField(serializers.JSONField):
    """What the source says about a product, by name; a name given several times has a list."""


class SkuSerializer(serializers.ModelSerializer[Sku]):
    """A sellable variant."""

    spec = SpecField()
    price = _money(allow_null=True)

    class Meta:
        model = Sku
        fields = ["id", "source_sku_id", "spec_id", "code", "spec", "price", "stock", "image"]


class ListedProductSerializer(serializers.ModelSerializer[Product]):
    """A product as lists show it. Money is a number in `currency`; times are UTC."""

    price = _money(allow_null=True, help_text="Per unit at the minimum order quantity; null when the seller hides it")
    images = serializers.ListField(child=serializers.CharField())
    category = serializers.CharField(source="category.name", allow_null=True, default=None)
    created_at = _time()
    updated_at = _time()
    category_id = serializers.IntegerField(allow_null=True)
    category_path = serializers.CharField(source="category.path", allow_null=True, default=None)
    shop = ShopReferenceSerializer(allow_null=True)
    price_min = _money(allow_null=True)
    price_max = _money(allow_null=True)
    price_tiers = PriceTierSerializer(many=True)
    attributes = AttributesField()
    source_updated_at = _time(allow_null=True)
    synced_at = _time(allow_null=True, help_text="When a sync last changed it")

    class Meta:
        model = Product
        fields = [
            *["id", "sku", "title", "price", "stock", "images", "category", "created_at", "updated_at"],
            *["category_id", "category_path", "shop", "price_min", "price_max", "currency", "price_tiers"],
            *["min_order_quantity", "unit", "sold_count", "status", "source", "source_id", "url", "attributes"],
            *["version", "source_updated_at", "synced_at"],
        ]


class ProductSerializer(ListedProductSerializer):
    """A whole product."""

    skus = SkuSerializer(many=True)

    class Meta(ListedProductSerializer.Meta):
        fields = [*ListedProductSerializer.Meta.fields, "description", "skus"]


class CategorySerializer(serializers.Serializer[Any]):
    """A node of the category tree. `path` joins the names from the top by " / "."""

    id = serializers.IntegerField()
    parent_id = serializers.IntegerField(allow_null=True)
    name = serializers.CharField()
    path = serializers.CharField()
    level = serializers.IntegerField()
    is_leaf = serializers.BooleanField()
    created_at = _time()
    updated_at = _time()
    product_count = serializers.IntegerField(required=False, help_text="Products in and below it")
