"""Products, for any user."""

import orjson
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from products.api.queries import ProductListQuery
from products.api.serializers import (
    LISTED_PRODUCT_EXAMPLE,
    PRODUCT_EXAMPLE,
    ListedProductSerializer,
    ProductSerializer,
)
from products.api.views.paths import number_in_path
from products.selectors.products import product_detail, product_page
from system.api.conditional import ConditionalViewSet
from system.api.pagination import encode_cursor, page_body
from system.api.permissions import IsUser
from system.errors import ApplicationError, ErrorCode


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
        product = product_detail(number_in_path(pk))
        if product is None:
            raise ApplicationError(ErrorCode.NOT_FOUND)
        return self.reply_unless_known(request, orjson.Fragment(product))
