"""The shapes of changes: one line of a product's history, and the feed of all."""

from typing import Any

from drf_spectacular.utils import OpenApiExample, extend_schema_field
from rest_framework import serializers

from products.api.serializers.products import time_field
from products.models import ProductChange


@extend_schema_field(
    {"type": "object", "additionalProperties": {"type": "array", "items": {}, "minItems": 2, "maxItems": 2}}
)
class ChangedFieldsField(serializers.JSONField):
    """The fields that changed: name to [before, after]."""


class HistoryPointSerializer(serializers.Serializer[Any]):
    """One change of a product."""

    id = serializers.IntegerField()
    at = time_field()
    kind = serializers.ChoiceField(choices=ProductChange.Kind.choices)
    reason = serializers.ChoiceField(
        choices=ProductChange.Reason.choices, allow_blank=True, help_text="Why it went a step towards delisting"
    )
    task_id = serializers.CharField(allow_null=True, help_text="The sync that caused it")
    fields = ChangedFieldsField(help_text="Name to [before, after]; empty when the product was created")  # type: ignore[assignment]


class ChangeSerializer(HistoryPointSerializer):
    """One line of the change feed."""

    product_id = serializers.IntegerField()
    sku = serializers.CharField(allow_null=True, help_text="As it is now; null once the product was purged")
    source = serializers.CharField(allow_null=True)  # type: ignore[assignment]
    shop_id = serializers.IntegerField(allow_null=True)


class FeedSerializer(serializers.Serializer[Any]):
    """The next changes, and where to go on."""

    items = ChangeSerializer(many=True)
    next_cursor = serializers.CharField(help_text="Always given; the same again while nothing new has happened")
    has_more = serializers.BooleanField(help_text="Whether to go on at once; also when this page is not full")


_POINT: dict[str, Any] = {
    "id": 41,
    "at": "2025-11-18T13:09:28Z",
    "kind": "updated",
    "reason": "",
    "task_id": "sync_20251118_001",
    "fields": {"price": [99.99, 89.99], "stock": [100, 80]},
}
_CHANGE = {**_POINT, "product_id": 1, "sku": "1688-600000000001", "source": "1688", "shop_id": 7}
HISTORY_EXAMPLE = OpenApiExample("Change", value=_POINT, response_only=True)
FEED_EXAMPLE = OpenApiExample(
    "Changes", value={"items": [_CHANGE], "next_cursor": "dGhpcyBpcyBvcGFxdWU", "has_more": False}, response_only=True
)
