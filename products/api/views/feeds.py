"""The change feed, for any user."""

from typing import Any

from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from products.api.queries import FEED_SCOPE, FeedQuery
from products.api.serializers.feeds import FEED_EXAMPLE, FeedSerializer
from products.selectors.changes import Position, StalePosition, feed_page
from system.api.conditional import ConditionalViewSet
from system.api.pagination import encode_cursor
from system.api.paths import caller_id
from system.api.permissions import IsUser
from system.errors import ApplicationError, ErrorCode

ANSWERS = {
    200: FeedSerializer,
    410: OpenApiResponse(description=_("This cursor belongs to another copy of the database")),
}


class ChangeViewSet(ConditionalViewSet):
    """Everything that happens to products, in an order in which nothing is missed."""

    permission_classes = [IsUser]

    @extend_schema(parameters=[FeedQuery], responses=ANSWERS, examples=[FEED_EXAMPLE])
    def read(self, request: Request) -> Response:
        """The next changes behind `cursor`, oldest first; without one from the beginning, or from `since`.

        `next_cursor` is always given, also when there are no more by now: come back with it later. A page can hold
        fewer changes than `limit`, even none, and yet have more behind it.
        """
        query = FeedQuery.parse(request)
        after = Position(*query["position"]) if query["position"] else None
        try:
            found = feed_page(query, after=after, limit=query["limit"], user_id=caller_id(request))
        except StalePosition:
            raise ApplicationError(ErrorCode.CHANGE_CURSOR_STALE) from None
        body: dict[str, Any] = {
            "items": found.items,
            "next_cursor": encode_cursor(FEED_SCOPE, list(found.position)),
            "has_more": found.has_more,
        }
        return self.reply_unless_known(request, body)
