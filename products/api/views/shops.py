"""Shops and following them, for any user."""

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from products.api.queries import ShopListQuery
from products.api.serializers.shops import SHOP_EXAMPLE, ShopSerializer
from products.selectors.shops import shop_detail, shop_page
from products.services.follows import follow_shop, unfollow_shop
from system.api.conditional import ConditionalViewSet
from system.api.pagination import encode_cursor, page_body
from system.api.paths import caller_id, row_id
from system.api.permissions import IsUser
from system.api.query import QuerySerializer
from system.errors import ApplicationError, ErrorCode


class ShopViewSet(ConditionalViewSet):
    """The suppliers, and which of them the caller follows."""

    permission_classes = [IsUser]

    @extend_schema(parameters=[ShopListQuery], responses=ShopSerializer(many=True), examples=[SHOP_EXAMPLE])
    def list(self, request: Request) -> Response:
        """One page of shops, newest first unless sorted otherwise."""
        query = ShopListQuery.parse(request)
        window, scope = query.window, f"shops:{query['sortby']}:{query['order']}"
        found = shop_page(
            query,
            user_id=caller_id(request),
            sort=query["sortby"],
            descending=query["order"] == "desc",
            limit=window.page_size,
            offset=window.offset,
            after=window.position(scope),
            counted=window.cursor is None,
        )
        cursor = encode_cursor(scope, found.last) if found.last else None
        page = page_body(found.items, found.total, query, total_exact=found.total_exact, next_cursor=cursor)
        return self.reply_unless_known(request, page)

    @extend_schema(responses=ShopSerializer, examples=[SHOP_EXAMPLE])
    def retrieve(self, request: Request, pk: str) -> Response:
        """One shop, with the number of its products."""
        QuerySerializer.parse(request)
        return self.reply_unless_known(request, self._shop(request, pk))

    @extend_schema(request=None, responses=ShopSerializer, examples=[SHOP_EXAMPLE])
    def follow(self, request: Request, pk: str) -> Response:
        """Follow a shop: it is listed in the profile, and the change feed can be narrowed to such shops."""
        follow_shop(caller_id(request), row_id(pk))
        return self.reply(self._shop(request, pk))

    @extend_schema(request=None, responses={204: None})
    def unfollow(self, request: Request, pk: str) -> Response:
        """Follow a shop no longer."""
        unfollow_shop(caller_id(request), row_id(pk))
        return self.reply(status=204)

    def _shop(self, request: Request, pk: str) -> dict[str, object]:
        shop = shop_detail(row_id(pk), caller_id(request))
        if shop is None:
            raise ApplicationError(ErrorCode.NOT_FOUND)
        return shop
