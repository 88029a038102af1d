"""Categories, for any user."""

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from products.api.queries import CategoryListQuery
from products.api.serializers import CATEGORY_EXAMPLE, CategorySerializer
from products.selectors.categories import category_detail, category_page
from system.api.conditional import ConditionalViewSet
from system.api.pagination import encode_cursor, page_body
from system.api.paths import row_id
from system.api.permissions import IsUser
from system.api.query import QuerySerializer
from system.errors import ApplicationError, ErrorCode


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
        QuerySerializer.parse(request)
        category = category_detail(row_id(pk))
        if category is None:
            raise ApplicationError(ErrorCode.NOT_FOUND)
        return self.reply_unless_known(request, category)
