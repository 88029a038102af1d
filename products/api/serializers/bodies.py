"""What callers send to write products and SKUs."""

from collections.abc import Mapping
from itertools import pairwise
from typing import Any

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from products.api.serializers.fields import (
    MAX_ID,
    MAX_WHOLE,
    AddressField,
    AttributesBodyField,
    BoundedListField,
    MoneyField,
    SpecBodyField,
    TextField,
)
from products.api.serializers.products import ProductSerializer, SkuSerializer
from products.services.batch import Policy
from system.api.serializers import AnyField, StrictSerializer

MAX_TIERS = 50
MAX_IMAGES = 100
MAX_OPERATIONS = 250
OPERATIONS = ("create", "update", "delete", "publish", "disable")


class ReadOnlyNames(StrictSerializer):
    """A body that knows which of the answer's fields cannot be written, so that it can say so."""

    answer: type[serializers.ModelSerializer[Any]]

    def get_fields(self) -> dict[str, AnyField]:
        fields: dict[str, AnyField] = super().get_fields()
        shown = self.answer.Meta.fields
        return {name: serializers.CharField(read_only=True) for name in shown if name not in fields} | fields


class TierBody(StrictSerializer):
    """What one unit costs from a quantity on."""

    start_quantity = serializers.IntegerField(min_value=1, max_value=MAX_WHOLE)
    price = MoneyField()

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Where a product is changed in part, its tiers still are whole.

        Raises:
            serializers.ValidationError: by field.
        """
        if missing := self.fields.keys() - attrs.keys():
            raise serializers.ValidationError({name: [_("This field is required.")] for name in missing})
        return attrs


class TiersField(BoundedListField):
    """Price tiers in rising quantity."""

    default_error_messages = {"order": _("The quantities must rise from tier to tier.")}

    def __init__(self, **options: Any) -> None:
        super().__init__(child=TierBody(), max_length=MAX_TIERS, **options)

    def to_internal_value(self, data: Any) -> list[Any]:
        tiers = super().to_internal_value(data)
        quantities = [tier["start_quantity"] for tier in tiers]
        if any(here >= beyond for here, beyond in pairwise(quantities)):
            self.fail("order")
        return tiers


class ImagesField(BoundedListField):
    """Addresses of pictures, each once, the main one first."""

    default_error_messages = {"repeated": _("Names an address twice.")}

    def __init__(self, **options: Any) -> None:
        super().__init__(child=AddressField(), max_length=MAX_IMAGES, **options)

    def to_internal_value(self, data: Any) -> list[Any]:
        addresses = super().to_internal_value(data)
        if len(set(addresses)) < len(addresses):
            self.fail("repeated")
        return addresses


class ProductBody(ReadOnlyNames):
    """A product. The category is named by `category_id`, or by `category`: its name, or its path from the top."""

    answer = ProductSerializer

    sku = TextField(max_length=120)
    title = TextField(max_length=500)
    description = TextField(lines=True, max_length=100_000, allow_blank=True, required=False)
    price = MoneyField(allow_null=True, required=False)
    price_tiers = TiersField(required=False)
    currency = serializers.RegexField(r"^[A-Z]{3}$", required=False, help_text=_("ISO 4217, such as CNY"))
    stock = serializers.IntegerField(
        min_value=0, max_value=MAX_WHOLE, required=False, help_text=_("Of a product with SKUs: the sum of theirs")
    )
    min_order_quantity = serializers.IntegerField(min_value=1, max_value=MAX_WHOLE, required=False)
    unit = TextField(max_length=20, allow_blank=True, required=False)
    images = ImagesField(required=False)
    attributes = AttributesBodyField(required=False)
    category_id = serializers.IntegerField(min_value=1, max_value=MAX_ID, allow_null=True, required=False)
    category = TextField(max_length=1000, allow_null=True, required=False)
    shop_id = serializers.IntegerField(min_value=1, max_value=MAX_ID, allow_null=True, required=False)
    url = AddressField(allow_blank=True, required=False)

    def sift(self, data: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
        """The fields that have the right form, and what is wrong with the others: {path: [messages]}.

        Without a field that is needed none has the right form.
        """
        refused: dict[str, Any] = {}
        kept = dict(data)
        while True:
            try:
                return dict(self.run_validation(kept)), refused
            except serializers.ValidationError as error:
                refused |= _paths(error.detail)
                left = {name: value for name, value in kept.items() if name not in error.detail}
            if len(left) == len(kept):
                return {}, refused
            kept = left


class SkuBody(ReadOnlyNames):
    """A SKU: at least a code or properties tell it from the others."""

    answer = SkuSerializer

    code = TextField(max_length=100, allow_blank=True, required=False)
    spec = SpecBodyField(required=False)
    price = MoneyField(allow_null=True, required=False)
    price_tiers = TiersField(required=False)
    stock = serializers.IntegerField(min_value=0, max_value=MAX_WHOLE, required=False)
    image = AddressField(allow_blank=True, required=False)


class OperationBody(StrictSerializer):
    """One operation of a batch. `create` has its product in `data`; the others name it by `id` or `sku`."""

    op = serializers.ChoiceField(choices=OPERATIONS)
    id = serializers.IntegerField(min_value=1, max_value=MAX_ID, required=False)
    sku = TextField(max_length=120, required=False)
    data = serializers.DictField(  # type: ignore[assignment]
        required=False, help_text=_("Of create and update: as the single calls take it")
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Every operation says which product it means, and brings what it needs.

        Raises:
            serializers.ValidationError: by field.
        """
        op, named = attrs["op"], attrs.keys() & {"id", "sku"}
        if op == "create" and named:
            raise serializers.ValidationError({name: [_("A new product has its SKU in data.")] for name in named})
        if op != "create" and len(named) != 1:
            raise serializers.ValidationError({"id": [_("Name the product by id or by sku.")]})
        if (op in ("create", "update")) != ("data" in attrs):
            raise serializers.ValidationError({"data": [_("Needed by create and update, and by them only.")]})
        return attrs


class BatchBody(StrictSerializer):
    """Up to 250 operations, and what becomes of the others when one fails."""

    policy = serializers.ChoiceField(choices=[policy.value for policy in Policy], default=Policy.REJECT_ALL.value)
    operations = BoundedListField(child=OperationBody(), min_length=1, max_length=MAX_OPERATIONS)


def _paths(errors: Any, place: str = "") -> dict[str, Any]:
    """Nested errors as {"price_tiers[1].price": [messages]}."""
    if not isinstance(errors, Mapping):
        return {place: errors}
    found: dict[str, Any] = {}
    for name, inner in errors.items():
        part = f"[{name}]" if isinstance(name, int) else f".{name}" if place else str(name)
        found |= _paths(inner, place + part)
    return found
