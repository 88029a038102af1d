"""One's own API keys (seed 001, section 4.3)."""

from typing import Any

from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from accounts import selectors, services
from accounts.api.queries import KeysQuery
from accounts.api.serializers.examples import KEY_EXAMPLE, NEW_KEY_EXAMPLE, SHOWN_KEY_EXAMPLE
from accounts.api.serializers.keys import KeySerializer, NewKeySerializer
from accounts.api.views.requests import caller
from accounts.models import ApiKey
from system.api.listing import newest_page
from system.api.paths import row_id
from system.api.permissions import IsPayingUser
from system.api.views import ApiViewSet

CREATED = 201


@extend_schema(tags=["auth"])
class ApiKeyViewSet(ApiViewSet):
    """Keys are managed with a token: a key cannot make its like, or outlive its own revocation that way."""

    permission_classes = [IsPayingUser]
    cache_control = "no-store"
    keyless_actions = frozenset({"list", "create", "destroy", "reset"})
    idempotent_exempt = frozenset({"create", "reset"})

    @extend_schema(parameters=[KeysQuery], responses=KeySerializer(many=True), examples=[KEY_EXAMPLE])
    def list(self, request: Request) -> Response:
        """One's keys, newest first; what is shown of the key itself is its beginning."""
        query = KeysQuery.parse(request)
        owner = caller(request).id
        found = selectors.owned_keys(owner)
        return self.reply(newest_page(found, query, scope=f"api-keys:{owner}", show=selectors.key_view))

    @extend_schema(
        request=NewKeySerializer, responses={201: KeySerializer}, examples=[NEW_KEY_EXAMPLE, SHOWN_KEY_EXAMPLE]
    )
    def create(self, request: Request) -> Response:
        """Make a key. `api_key` is the key itself, shown this once; a key never allows more than its owner's role."""
        wanted = services.NewKey(**NewKeySerializer.parse(request))
        key, secret = services.create_key(caller(request).id, wanted)
        location = f"{request.path.rstrip('/')}/{key.pk}"
        return self.reply(
            _shown(key, secret), status=CREATED, headers={"Location": location}, message=_("API key made")
        )

    @extend_schema(request=None, responses={200: KeySerializer}, examples=[SHOWN_KEY_EXAMPLE])
    def reset(self, request: Request, pk: str) -> Response:
        """Give a key a new secret, shown this once; the old one is refused at once, everything else stays."""
        key, secret = services.reset_key(caller(request).id, row_id(pk))
        return self.reply(_shown(key, secret), message=_("API key reset"))

    @extend_schema(responses={204: None})
    def destroy(self, request: Request, pk: str) -> Response:
        """Revoke a key; it is refused from now on."""
        services.revoke_key(row_id(pk), user_id=caller(request).id)
        return self.reply(status=204)


def _shown(key: ApiKey, secret: str) -> dict[str, Any]:
    return selectors.key_view(key) | {"api_key": secret}
