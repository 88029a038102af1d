"""Bodies and answers about the fields an operator owns."""

from typing import Any

from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import OpenApiExample, extend_schema_field
from rest_framework import serializers

from products.api.serializers.fields import MAX_ID, BoundedListField, TextField
from products.api.serializers.products import time_field
from products.ingest.ownership import OWNABLE
from system.api.serializers import EmptyBody, StrictSerializer
from system.models import Task

MOST_IDS = 1000


def _fields(**options: Any) -> BoundedListField:
    return BoundedListField(
        child=serializers.ChoiceField(choices=OWNABLE), min_length=1, max_length=len(OWNABLE), required=False, **options
    )


class ReleaseBody(EmptyBody):
    """Which fields go back to the source; no body at all means all of them."""

    def get_fields(self) -> dict[str, Any]:
        """`fields` is a word of the framework."""
        return {"fields": _fields(help_text=_("Left out: all that are owned"))}


class ReleaseManyBody(StrictSerializer):
    """Which fields of which products go back to their sources."""

    source = TextField(max_length=50, required=False)  # type: ignore[assignment]
    ids = BoundedListField(
        child=serializers.IntegerField(min_value=1, max_value=MAX_ID), min_length=1, max_length=MOST_IDS, required=False
    )
    conflicts = serializers.BooleanField(default=False, help_text=_("Only products whose source disagrees"))

    def get_fields(self) -> dict[str, Any]:
        """`fields` is a word of the framework."""
        return {**super().get_fields(), "fields": _fields(help_text=_("Left out: all that are owned"))}

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Nobody gives back everything by an empty body.

        Raises:
            serializers.ValidationError: by field.
        """
        if not attrs.keys() & {"source", "ids", "fields"}:
            raise serializers.ValidationError({"source": [_("Name a source, products or fields.")]})
        return attrs


class ReleaseTaskSerializer(serializers.Serializer[Any]):
    """The task that gives fields back; its result says of how many products."""

    task_id = serializers.UUIDField()
    status = serializers.ChoiceField(choices=Task.State.choices)


@extend_schema_field({})
class AnyValueField(serializers.JSONField):
    """Whatever the field holds; of `skus` an object by the SKUs' ids at the source."""


class ConflictSerializer(serializers.Serializer[Any]):
    """One field of which operator and source say different things."""

    field = serializers.ChoiceField(choices=OWNABLE)
    value = AnyValueField(help_text="The operator's", allow_null=True)
    source_value = AnyValueField(help_text="The source's", allow_null=True)


class ConflictingProductSerializer(serializers.Serializer[Any]):
    """A product with its conflicts."""

    product_id = serializers.IntegerField()
    sku = serializers.CharField()
    title = serializers.CharField()
    source = serializers.CharField()  # type: ignore[assignment]
    version = serializers.IntegerField()
    owned_fields = serializers.ListField(child=serializers.CharField())
    since = time_field(allow_null=True, help_text="In conflict as now since")
    conflicts = ConflictSerializer(many=True)


CONFLICT_EXAMPLE = OpenApiExample(
    "Conflicts of a product",
    value={
        "product_id": 17,
        "sku": "1688-600000000001",
        "title": "无线蓝牙耳机",
        "source": "main",
        "version": 4,
        "owned_fields": ["title"],
        "since": "2025-11-18T13:09:28Z",
        "conflicts": [{"field": "title", "value": "无线蓝牙耳机", "source_value": "无线耳机 2025 新款"}],
    },
    response_only=True,
)
