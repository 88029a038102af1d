"""What searches can be completed to, for any user."""

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from products.api.queries import SuggestionQuery
from products.api.serializers.search import SUGGESTIONS_EXAMPLE, SuggestionsSerializer
from products.selectors.suggestions import suggestions
from system.api.permissions import IsUser
from system.api.views import ApiViewSet


class SuggestionViewSet(ApiViewSet):
    """Completions while somebody types."""

    permission_classes = [IsUser]

    @extend_schema(parameters=[SuggestionQuery], responses=SuggestionsSerializer, examples=[SUGGESTIONS_EXAMPLE])
    def complete(self, request: Request) -> Response:
        """What a text can be completed to: phrases, categories, shops and codes, the best first.

        The text may also be pinyin or initials. An empty list means that nothing begins so.
        """
        query = SuggestionQuery.parse(request)
        return self.reply({"items": suggestions(query["q"], query["limit"])})
