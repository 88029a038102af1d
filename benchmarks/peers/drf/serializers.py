"""What goes out, as model serializers."""

from rest_framework import serializers

from benchmarks.peers.drf.models import Product, Shop, Sku

MOMENT = "%Y-%m-%dT%H:%M:%SZ"


class ShopSerializer(serializers.ModelSerializer[Shop]):
    """A shop."""

    class Meta:
        model = Shop
        fields = ("id", "name")


class SkuSerializer(serializers.ModelSerializer[Sku]):
    """A SKU."""

    price = serializers.FloatField()

    class Meta:
        model = Sku
        fields = ("id", "source_sku_id", "spec_id", "code", "spec", "price", "price_tiers", "stock", "image")


class ListedProductSerializer(serializers.ModelSerializer[Product]):
    """A product in a list."""

    price = serializers.FloatField()
    price_min = serializers.FloatField()
    price_max = serializers.FloatField()
    category = serializers.CharField(source="category.name", default=None)
    category_path = serializers.CharField(source="category.path", default=None)
    shop = ShopSerializer()
    created_at = serializers.DateTimeField(format=MOMENT)
    updated_at = serializers.DateTimeField(format=MOMENT)
    source_updated_at = serializers.DateTimeField(format=MOMENT)
    synced_at = serializers.DateTimeField(format=MOMENT)

    class Meta:
        model = Product
        fields: tuple[str, ...] = (
            *("id", "sku", "title", "price", "stock", "images", "category", "created_at", "updated_at", "category_id"),
            *("category_path", "shop", "price_min", "price_max", "currency", "price_tiers", "min_order_quantity"),
            *("unit", "sold_count", "status", "source", "source_id", "url", "attributes", "version"),
            *("source_updated_at", "synced_at"),
        )


class ProductSerializer(ListedProductSerializer):
    """A product by itself."""

    skus = SkuSerializer(many=True)
    conflicts = serializers.SerializerMethodField()

    class Meta(ListedProductSerializer.Meta):
        fields = (*ListedProductSerializer.Meta.fields, "description", "owned_fields", "conflicts", "skus")

    def get_conflicts(self, product: Product) -> list[str]:
        """Where its source disagrees with an operator."""
        return product.conflicts or []
