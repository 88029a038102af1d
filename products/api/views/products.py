"""Products: read by any user, written by operators."""

from collections.abc import Callable
from typing import Any

import orjson
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from products.api.queries import HistoryQuery, ProductDetailQuery, ProductListQuery, ProductSearchQuery
from products.api.serializers import LISTED_PRODUCT_EXAMPLE, PRODUCT_EXAMPLE, ProductSerializer
from products.api.serializers.feeds import HISTORY_EXAMPLE, HistoryPointSerializer
from products.api.serializers.search import SEARCHED_PRODUCT_EXAMPLE, FacetsSerializer, SearchedProductSerializer
from products.api.views.writing import ProductWrites
from products.selectors.changes import changes_of, name_jobs, point, product_exists
from products.selectors.coverage import shared_coverage
from products.selectors.products import (
    ListedProducts,
    product_detail,
    product_page,
    product_state,
    search_facets,
    search_page,
)
from products.selectors.shapes import shape_digest
from system.api.listing import newest_page
from system.api.pagination import Page, encode_cursor, page_body
from system.api.paths import row_id
from system.api.permissions import IsUser
from system.api.query import Query
from system.api.repeats import Repeatable, call_repeatable
from system.errors import ApplicationError, ErrorCode


class ProductViewSet(ProductWrites):
    """The products that are not deleted."""

    permission_classes = [IsUser]
    page_parts = {action: {"facets": FacetsSerializer} for action in ("list", "search")}

    @extend_schema(
        parameters=[ProductListQuery], responses=SearchedProductSerializer(many=True), examples=[LISTED_PRODUCT_EXAMPLE]
    )
    def list(self, request: Request) -> Response:
        """One page of products, newest first unless sorted otherwise.

        Totals are exact up to 10,000; for everything, a category, or what is published of either, at any length.

        With `qty` each product says what a unit costs at that quantity.
        """
        query = ProductListQuery.parse(request)
        scope = f"products:{query['sortby']}:{query['order']}"
        return self._reply_listed(request, query, scope, product_page)

    @extend_schema(
        parameters=[ProductSearchQuery],
        responses=SearchedProductSerializer(many=True),
        examples=[SEARCHED_PRODUCT_EXAMPLE],
    )
    def search(self, request: Request) -> Response:
        """Products by a text: codes first, then titles that begin with it, titles, attributes and suppliers.

        Every word is to be found, in any place and order, in either script, or read as pinyin. Everything else is as in
        the list.
        """
        query = ProductSearchQuery.parse(request)
        scope = f"search:{query['sortby']}:{query['order']}"
        return self._reply_listed(request, query, scope, search_page)

    @extend_schema(parameters=[ProductDetailQuery], responses=ProductSerializer, examples=[PRODUCT_EXAMPLE])
    def retrieve(self, request: Request, pk: str) -> Response:
        """One product with its description and SKUs."""
        query, product_id = ProductDetailQuery.parse(request), row_id(pk)
        quantity = query.get("qty")
        if unchanged := self._unchanged(request, product_id, quantity):
            return unchanged
        product = product_detail(product_id, naming=self.api.naming, quantity=quantity)
        if product is None:
            raise ApplicationError(ErrorCode.NOT_FOUND)
        headers = {"ETag": self.detail_etag(product.state, quantity)}
        return self.reply(orjson.Fragment(product.json), headers=headers)

    @extend_schema(parameters=[HistoryQuery], responses=HistoryPointSerializer(many=True), examples=[HISTORY_EXAMPLE])
    def history(self, request: Request, pk: str) -> Response:
        """What changed in a product and when, newest first: prices, stock and everything else.

        With `field` only changes of those fields, and of them only those.
        """
        query = HistoryQuery.parse(request)
        product_id = row_id(pk)
        if not product_exists(product_id):
            raise ApplicationError(ErrorCode.NOT_FOUND)
        found = changes_of(product_id, query)
        fields = query.get("field")
        page = newest_page(found, query, scope=f"history:{product_id}", show=lambda change: point(change, fields))
        name_jobs(page.items)
        return self.reply_unless_known(request, page)

    def _unchanged(self, request: Request, product_id: int, quantity: int | None) -> Response | None:
        if "HTTP_IF_NONE_MATCH" not in request.META:
            return None
        state = product_state(product_id)
        unchanged = self.not_modified(request, self.detail_etag(state, quantity)) if state else None
        if unchanged:
            call_repeatable(request._request, Repeatable(state, lambda: product_state(product_id), bytes))
        return unchanged

    def _reply_listed(
        self, request: Request, query: Query, scope: str, read: Callable[..., ListedProducts]
    ) -> Response:
        place, naming = _place(query, scope), self.api.naming
        shape = f"{shape_digest(naming, priced='qty' in query)} {scope}"
        return self.reply_kept(
            request,
            query,
            lambda: f"{shared_coverage(query).stamp} {shape}",
            lambda: _page(read(query, naming=naming, covered=shared_coverage(query), **place), query, scope),
        )


def _place(query: Query, scope: str) -> dict[str, Any]:
    """Which rows are asked for, and in which order."""
    window = query.window
    return {
        "sort": query["sortby"],
        "descending": query["order"] == "desc",
        "limit": window.page_size,
        "offset": window.offset,
        "after": window.position(scope),
        "counted": window.cursor is None,
    }


def _page(found: ListedProducts, query: Query, scope: str) -> Page:
    cursor = encode_cursor(scope, found.last) if found.last else None
    return page_body(
        orjson.Fragment(found.items),
        found.total,
        query,
        total_exact=found.total_exact,
        next_cursor=cursor,
        parts={"facets": search_facets(query)} if "facets" in query else {},
    )
