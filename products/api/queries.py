"""The query parameters of the catalogue's lists."""

from typing import Any

from django.conf import settings
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from products.ingest.ownership import OWNABLE
from products.models import Product, ProductChange
from products.selectors.changes import CHANGED_FIELDS
from products.selectors.facets import FACETS
from products.selectors.listing import ORDERS
from products.selectors.products import RELEVANCE
from products.selectors.shops import SHOP_ORDERS
from products.selectors.suggestions import MOST as MOST_SUGGESTIONS
from products.selectors.tables import COLUMNS
from products.services.export_files import FORMATS
from system.api.pagination import CURSOR_MAX_LENGTH, PageQuery, decode_cursor
from system.api.query import BooleanField, ListField, Query, QuerySerializer, RepeatedField, SortField, TimeField

SEARCH_MAX_LENGTH = 200
FOUND_BY = _(
    "Words of title, attributes or supplier, or parts of words; pinyin or initials; a SKU, an offer id or an offer link"
)
FEED_SCOPE = "changes"
# As many digits as a whole number may have in a query.
MAX_ID = 10**18 - 1
MAX_QUANTITY = 10**9


def _id(**options: object) -> serializers.IntegerField:
    return serializers.IntegerField(min_value=1, max_value=MAX_ID, required=False, **options)  # type: ignore[arg-type]


def _text(max_length: int, **options: object) -> serializers.CharField:
    return serializers.CharField(max_length=max_length, required=False, **options)  # type: ignore[arg-type]


def _price() -> serializers.DecimalField:
    form: dict[str, Any] = {"max_digits": 12, "decimal_places": 2, "coerce_to_string": False}
    return serializers.DecimalField(**form, min_value=0, required=False)


def _quantity() -> serializers.IntegerField:
    return serializers.IntegerField(
        min_value=1, max_value=MAX_QUANTITY, required=False, help_text=_("Also what a unit costs at this quantity")
    )


class ProductFilters(QuerySerializer):
    """What narrows a list of products."""

    category_id = _id(help_text=_("A category and all below it"))
    category = _text(1000, help_text=_("The same by name or path, such as 数码 / 耳机"))
    shop_id = _id()
    status = ListField(child=serializers.ChoiceField(choices=Product.Status.choices))
    source = _text(50)  # type: ignore[assignment]
    sku = ListField(child=serializers.CharField(max_length=120), help_text=_("SKUs or bare offer ids"))
    ids = ListField(child=_id())
    price_min = _price()
    price_max = _price()
    in_stock = BooleanField(required=False)
    updated_since = TimeField(required=False)
    start_time = TimeField(required=False, help_text=_("Created at this time or later"))
    end_time = TimeField(required=False, help_text=_("Created at this time or earlier"))
    q = _text(SEARCH_MAX_LENGTH, help_text=FOUND_BY)


def _pair(text: str) -> tuple[str, str]:
    name, colon, value = (part.strip() for part in text.partition(":"))
    if not (colon and name and value):
        raise serializers.ValidationError(_("Must be a name and a value with a colon between them."))
    return name, value


class AttributeField(serializers.CharField):
    """`name:value`; gives the pair."""

    def to_internal_value(self, data: str) -> Any:
        return _pair(super().to_internal_value(data))


class SearchParts(QuerySerializer):
    """What is possible only with a text to search for."""

    attribute = RepeatedField(
        child=AttributeField(max_length=300),
        max_length=20,
        help_text=_("`name:value`, given once or more; of a name one value, of each name, only with `q`"),
    )
    facets = ListField(
        child=serializers.ChoiceField(choices=FACETS),
        min_length=1,
        help_text=_("Also count what was found by these, only with `q`"),
    )
    highlight = BooleanField(default=False, help_text=_("Also say where the words stand, only with `q`"))

    @classmethod
    def finish(cls, query: Query) -> None:
        """Refuse them without a text, and facets that are named twice."""
        super().finish(query)
        alone = query.given & {"attribute", "facets", "highlight"} if "q" not in query else ()
        if alone:
            raise serializers.ValidationError({name: [_("Only together with q.")] for name in alone})
        if len(set(query.get("facets") or ())) < len(query.get("facets") or ()):
            raise serializers.ValidationError({"facets": [_("May be given only once.")]})


class ProductListQuery(ProductFilters, SearchParts, PageQuery):
    """Parameters of `GET products`."""

    sortby = SortField(tuple(ORDERS), default="id", help_text=_("Products without a value come last."))
    qty = _quantity()


class ProductSearchQuery(ProductFilters, SearchParts, PageQuery):
    """Parameters of `GET products/search`."""

    sortby = SortField((RELEVANCE, *ORDERS), default=RELEVANCE, help_text=_("Relevance has the best first, always."))
    qty = _quantity()
    q = serializers.CharField(
        max_length=SEARCH_MAX_LENGTH,
        help_text=FOUND_BY,
    )

    @classmethod
    def finish(cls, query: Query) -> None:
        """There is nothing to search without a text."""
        super().finish(query)
        if "q" not in query:
            raise serializers.ValidationError({"q": [_("This field is required.")]})
        if query["sortby"] == RELEVANCE and "order" in query.given:
            raise serializers.ValidationError({"order": [_("Relevance has one order only.")]})


class SuggestionQuery(QuerySerializer):
    """Parameters of `GET products/search/suggestions`."""

    q = serializers.CharField(
        max_length=SEARCH_MAX_LENGTH, help_text=_("What was typed so far: characters, pinyin, initials or a code")
    )
    limit = serializers.IntegerField(min_value=1, max_value=MOST_SUGGESTIONS, default=MOST_SUGGESTIONS)

    @classmethod
    def finish(cls, query: Query) -> None:
        """There is nothing to complete without a text."""
        super().finish(query)
        if "q" not in query:
            raise serializers.ValidationError({"q": [_("This field is required.")]})


class HistoryQuery(PageQuery):
    """Parameters of `GET products/{id}/history`."""

    field = ListField(
        child=SortField(CHANGED_FIELDS), help_text=_("Only changes of these, such as price and stock"), min_length=1
    )
    kind = ListField(child=serializers.ChoiceField(choices=ProductChange.Kind.choices))
    start_time = TimeField(required=False, help_text=_("Changed at this time or later"))
    end_time = TimeField(required=False, help_text=_("Changed at this time or earlier"))


class FeedQuery(QuerySerializer):
    """Parameters of `GET products/changes`; `query["position"]` is where to go on, None at the beginning."""

    cursor = serializers.CharField(
        max_length=CURSOR_MAX_LENGTH, required=False, help_text=_("`next_cursor` of the answer before")
    )
    limit = serializers.IntegerField(min_value=1, max_value=settings.API_MAX_PAGE_SIZE, default=100)
    kind = ListField(child=serializers.ChoiceField(choices=ProductChange.Kind.choices))
    product_id = _id()
    source = _text(50)  # type: ignore[assignment]
    followed = BooleanField(required=False, help_text=_("Only of shops the caller follows"))
    since = TimeField(required=False, help_text=_("Changed at this time or later"))

    @classmethod
    def finish(cls, query: Query) -> None:
        """Open the cursor."""
        super().finish(query)
        scope, query["position"] = decode_cursor(query["cursor"]) if "cursor" in query else (FEED_SCOPE, None)
        if scope != FEED_SCOPE:
            raise serializers.ValidationError({"cursor": [_("This cursor belongs to another list or order.")]})


class ConflictsQuery(PageQuery):
    """Parameters of `GET products/conflicts`."""

    field = ListField(child=SortField(OWNABLE), help_text=_("Any of these is in conflict, such as price"), min_length=1)
    source = _text(50)  # type: ignore[assignment]
    product_id = _id()
    since = TimeField(required=False, help_text=_("In conflict as now since this time or later"))


class ExportQuery(ProductFilters):
    """Parameters of `GET products/export`."""

    format = serializers.ChoiceField(choices=tuple(FORMATS), default="csv")
    columns = ListField(child=SortField(tuple(COLUMNS)), min_length=1, help_text=_("Only these, in this order"))

    @classmethod
    def finish(cls, query: Query) -> None:
        """Refuse a column that is named twice."""
        super().finish(query)
        columns = query.get("columns") or []
        if len(set(columns)) < len(columns):
            raise serializers.ValidationError({"columns": [_("May be given only once.")]})

    def get_fields(self) -> dict[str, Any]:
        """`async` is a word of the language."""
        told = BooleanField(default=False, help_text=_("Have a task write it, also if it is small"))
        return {**super().get_fields(), "async": told}


class ShopListQuery(PageQuery):
    """Parameters of `GET shops`."""

    sortby = SortField(tuple(SHOP_ORDERS), default="id")
    source = _text(50)  # type: ignore[assignment]
    followed = BooleanField(required=False, help_text=_("Only shops the caller follows, or only others"))
    q = _text(SEARCH_MAX_LENGTH, help_text=_("Part of the name, taken literally"))
    product_count = BooleanField(default=False, help_text=_("Also count the products of each shop"))


class ProductDetailQuery(QuerySerializer):
    """Parameters of `GET products/{id}`."""

    qty = _quantity()


class SkuListQuery(PageQuery):
    """Parameters of `GET products/{id}/skus`."""


class CategoryListQuery(PageQuery):
    """Parameters of `GET categories`."""

    parent_id = _id()
    level = serializers.IntegerField(min_value=1, max_value=100, required=False, help_text=_("1 is the top"))
    is_leaf = BooleanField(required=False)
    q = _text(SEARCH_MAX_LENGTH, help_text=_("Part of the name, taken literally"))
    product_count = BooleanField(default=False, help_text=_("Also count the products in and below each category"))
