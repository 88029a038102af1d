"""The shape of a shop."""

from typing import Any

from drf_spectacular.utils import OpenApiExample
from rest_framework import serializers

from products.api.serializers.products import time_field


class ShopSerializer(serializers.Serializer[Any]):
    """A supplier, as one source names it."""

    id = serializers.IntegerField()
    source = serializers.CharField()  # type: ignore[assignment]
    source_id = serializers.CharField()
    name = serializers.CharField()
    url = serializers.CharField()
    location = serializers.CharField()
    created_at = time_field()
    updated_at = time_field()
    followed = serializers.BooleanField(help_text="Whether the caller follows it")
    product_count = serializers.IntegerField(required=False, help_text="In lists with `product_count=true` only")


SHOP_EXAMPLE = OpenApiExample(
    "Shop",
    value={
        "id": 7,
        "source": "1688",
        "source_id": "b2b-2208888888888",
        "name": "深圳市声学科技有限公司",
        "url": "https://shop1.1688.com",
        "location": "广东 深圳",
        "created_at": "2025-11-18T13:09:28Z",
        "updated_at": "2025-11-18T13:09:28Z",
        "followed": True,
        "product_count": 1000,
    },
    response_only=True,
)
