"""Products and categories, for any user."""

import re

import orjson
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from products.api.queries import CategoryListQuery, ProductListQuery
from products.api.serializers import (
    CATEGORY_EXAMPLE,
    LISTED_PRODUCT_EXAMPLE,
    PRODUCT_EXAMPLE,
    CategorySerializer,
    ListedProductSerializer,
    ProductSerializer,
)
from products.selectors.categories import category_detail, category_page
from products.selectors.products import product_detail, product_page
from system.api.conditional import ConditionalViewSet
from system.api.pagination import encode_cursor, page_body
from system.api.permissions import IsUser
from system.errors import ApplicationError, ErrorCode

_ID = re.compile(r"[1-9][0-9]{0,18}", re.ASCII)


class ProductViewSet(ConditionalViewSet):
    """The products that are not deleted."""

    permission_classes = [IsUser]

    @extend_schema(
        parameters=[ProductListQuery], responses=ListedProductSerializer(many=True), examples=[LISTED_PRODUCT_EXAMPLE]
    )
    def list(self, request: Request) -> Response:
        """One page of products, newest first unless sorted otherwise. Totals are exact up to 10,000."""
        query = ProductListQuery.parse(request)
        window, scope = query.window, f"products:{query['sortby']}:{query['order']}"
        found = product_page(
            query,
            sort=query["sortby"],
            descending=query["order"] == "desc",
            limit=window.page_size,
            offset=window.offset,
            after=window.position(scope),
            counted=window.cursor is None,
        )
        cursor = encode_cursor(scope, found.last) if found.last else None
        page = page_body(
            orjson.Fragment(found.items), found.total, query, total_exact=found.total_exact, next_cursor=cursor
        )
        return self.reply_unless_known(request, page)

    @extend_schema(responses=ProductSerializer, examples=[PRODUCT_EXAMPLE])
    def retrieve(self, request: Request, pk: str) -> Response:
        """One product with its description and SKUs."""
        product = product_detail(_number(pk))
        if product is None:
            raise ApplicationError(ErrorCode.NOT_FOUND)
        return self.reply_unless_known(request, orjson.Fragment(product))


class CategoryViewSet(ConditionalViewSet):
    """The category tree."""

    permission_classes = [IsUser]

    @extend_schema(parameters=[CategoryListQuery], responses=CategorySerializer(many=True), examples=[CATEGORY_EXAMPLE])
    def list(self, request: Request) -> Response:
        """One page of the tree; every category follows its parent."""
        query = CategoryListQuery.parse(request)
        window = query.window
        found = category_page(
            query,
            limit=window.page_size,
            offset=window.offset,
            after=window.position("categories"),
            counted=window.cursor is None,
        )
        cursor = encode_cursor("categories", found.last) if found.last else None
        exact = found.total is not None
        page = page_body(found.items, found.total, query, total_exact=exact, next_cursor=cursor)
        return self.reply_unless_known(request, page)

    @extend_schema(responses=CategorySerializer, examples=[CATEGORY_EXAMPLE])
    def retrieve(self, request: Request, pk: str) -> Response:
        """One category, with the number of products in and below it."""
        category = category_detail(_number(pk))
        if category is None:
            raise ApplicationError(ErrorCode.NOT_FOUND)
        return self.reply_unless_known(request, category)


def _number(pk: str) -> int:
    """The id in an address.

    Raises:
        ApplicationError: 404; what is not a number names nothing.
    """
    if not _ID.fullmatch(pk):
        raise ApplicationError(ErrorCode.NOT_FOUND)
    return int(pk)
