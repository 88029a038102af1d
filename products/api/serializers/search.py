"""The shapes of what a search answers beside its products: facets, marks, suggestions."""

from typing import Any

from drf_spectacular.utils import OpenApiExample, extend_schema_field
from rest_framework import serializers

from products.api.serializers.products import LISTED_PRODUCT_EXAMPLE, ListedProductSerializer
from products.selectors.suggestions import KINDS


@extend_schema_field(
    {
        "type": "array",
        "items": {"type": "array", "items": {"type": "integer"}, "minItems": 2, "maxItems": 2},
        "example": [[2, 3], [8, 3]],
    }
)
class MarksField(serializers.JSONField):
    """Pairs of start and length, counted in Unicode code points of the text as it is written."""


class HighlightSerializer(serializers.Serializer[Any]):
    """Where the words of the search stand: [start, length] pairs, in order, apart from each other."""

    title = MarksField()
    shop = MarksField(help_text="In the supplier's name")


class SearchedProductSerializer(ListedProductSerializer):
    """A product as a search shows it."""

    highlight = HighlightSerializer(required=False, help_text="With `highlight=true` only")

    class Meta(ListedProductSerializer.Meta):
        fields = [*ListedProductSerializer.Meta.fields, "highlight"]


class CategoryFacetSerializer(serializers.Serializer[Any]):
    """A category, for the filter `category_id`."""

    id = serializers.IntegerField()
    name = serializers.CharField()
    path = serializers.CharField()
    count = serializers.IntegerField()


class PriceFacetSerializer(serializers.Serializer[Any]):
    """A band of prices, for the filters of these names; the last one has no upper end."""

    price_min = serializers.FloatField()
    price_max = serializers.FloatField(allow_null=True)
    count = serializers.IntegerField()


class ShopFacetSerializer(serializers.Serializer[Any]):
    """A supplier, for the filter `shop_id`."""

    id = serializers.IntegerField()
    name = serializers.CharField()
    count = serializers.IntegerField()


class AttributeValueSerializer(serializers.Serializer[Any]):
    """A value of an attribute, for the filter `attribute`."""

    value = serializers.CharField()
    count = serializers.IntegerField()


class AttributeFacetSerializer(serializers.Serializer[Any]):
    """An attribute and its commonest values."""

    name = serializers.CharField()
    values = AttributeValueSerializer(many=True)


class FacetsSerializer(serializers.Serializer[Any]):
    """How the products a search found are spread: the commonest of each kind, most first. Only what was asked for."""

    counted = serializers.IntegerField(help_text="How many products were looked at")
    exact = serializers.BooleanField(help_text="Whether these are all; otherwise more were found than are looked at")
    category = CategoryFacetSerializer(many=True, required=False)
    price = PriceFacetSerializer(many=True, required=False)
    shop = ShopFacetSerializer(many=True, required=False)
    attributes = AttributeFacetSerializer(many=True, required=False)


class SuggestionSerializer(serializers.Serializer[Any]):
    """Something to search for: text, never markup."""

    kind = serializers.ChoiceField(choices=KINDS)
    text = serializers.CharField(help_text="What to search for")
    detail = serializers.CharField(help_text="Of a category its path, of a shop where it is, of a code the title")
    id = serializers.IntegerField(
        allow_null=True, help_text="Of the category, shop or product, for the filters and details; null of a phrase"
    )
    count = serializers.IntegerField(help_text="How common it is; of phrases an estimate from a sample of titles")


class SuggestionsSerializer(serializers.Serializer[Any]):
    """What a text can be completed to, the best first."""

    items = SuggestionSerializer(many=True)


SEARCHED_PRODUCT_EXAMPLE = OpenApiExample(
    "Product",
    value={**LISTED_PRODUCT_EXAMPLE.value, "highlight": {"title": [[2, 4]], "shop": []}},
    response_only=True,
)
SUGGESTIONS_EXAMPLE = OpenApiExample(
    "Suggestions",
    value={
        "items": [
            {"kind": "phrase", "text": "蓝牙耳机", "detail": "", "id": None, "count": 420},
            {"kind": "category", "text": "耳机", "detail": "数码 / 耳机", "id": 123456, "count": 1000},
        ]
    },
    response_only=True,
)
