"""Webhooks: addresses of an operator's own that are called when jobs end and products change."""

from dataclasses import replace
from typing import Any

from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from syncjobs.api.serializers.webhooks import (
    DeliveriesQuery,
    DeliverySerializer,
    NewWebhookSerializer,
    WebhookSecretSerializer,
    WebhookSerializer,
    WebhookViewSerializer,
)
from syncjobs.models import Webhook
from syncjobs.selectors.webhooks import deliveries, delivery_view, webhook_view, webhook_views, webhooks
from syncjobs.services.deliveries import redeliver
from syncjobs.services.webhooks import (
    Owner,
    create_webhook,
    delete_webhook,
    find_webhook,
    rotate_secret,
    update_webhook,
)
from system.api.conditional import ConditionalViewSet, expected_versions
from system.api.listing import newest_page
from system.api.pagination import PageQuery
from system.api.paths import row_id
from system.api.permissions import IsSyncOperator
from system.api.query import QuerySerializer
from system.api.serializers import EmptyBody

WEBHOOK_EXAMPLE = OpenApiExample(
    "Tell the shop how jobs ended",
    value={"url": "https://shop.example.com/hooks/1688sync", "events": ["job.finished", "job.failed", "job.held"]},
    request_only=True,
)
PRODUCTS_EXAMPLE = OpenApiExample(
    "Tell the shop of prices and of what is not offered any more",
    value={
        "url": "https://shop.example.com/hooks/1688sync",
        "events": ["product.updated", "product.delisted", "product.restored"],
        "changed_fields": ["price", "price_tiers"],
    },
    request_only=True,
)
EXAMPLES = [WEBHOOK_EXAMPLE, PRODUCTS_EXAMPLE]


def owner_of(request: Request) -> Owner:
    """Whose webhooks this caller may see: their own, an administrator everybody's."""
    user: Any = request.user
    return Owner(user.pk, sees_all=user.has_role("admin"))


@extend_schema(tags=["sync"])
class WebhookViewSet(ConditionalViewSet):
    """One's own webhooks; those of others do not exist, but for administrators."""

    permission_classes = [IsSyncOperator]
    idempotent_exempt = frozenset({"create", "rotate"})

    @extend_schema(parameters=[PageQuery], responses=WebhookViewSerializer(many=True))
    def list(self, request: Request) -> Response:
        """One's webhooks, newest first."""
        query = PageQuery.parse(request)
        page = newest_page(webhooks(owner_of(request)), query, scope="webhooks", show=lambda row: row)
        return self.reply(replace(page, items=webhook_views(page.items)))

    @extend_schema(request=NewWebhookSerializer, responses={201: WebhookSecretSerializer}, examples=EXAMPLES)
    def create(self, request: Request) -> Response:
        """Add a webhook. Its secret is shown this once."""
        webhook, secret = create_webhook(owner_of(request), **NewWebhookSerializer.parse(request))
        return self._shown(webhook, status=201, secret=secret)

    @extend_schema(responses=WebhookViewSerializer)
    def retrieve(self, request: Request, pk: str) -> Response:
        """One webhook."""
        QuerySerializer.parse(request)
        webhook = find_webhook(owner_of(request), row_id(pk))
        return self.reply_unless_known(request, webhook_view(webhook), version=webhook.version)

    @extend_schema(request=WebhookSerializer, responses=WebhookViewSerializer)
    def update(self, request: Request, pk: str) -> Response:
        """Set address, events, description and whether it is on."""
        return self._changed(request, pk, WebhookSerializer.parse(request))

    @extend_schema(request=WebhookSerializer, responses=WebhookViewSerializer)
    def partial_update(self, request: Request, pk: str) -> Response:
        """Change part of a webhook; switching it on forgives past failures and goes on where it stopped."""
        return self._changed(request, pk, WebhookSerializer.parse(request, partial=True))

    @extend_schema(responses={204: None})
    def destroy(self, request: Request, pk: str) -> Response:
        """Remove a webhook with the record of its deliveries."""
        delete_webhook(owner_of(request), row_id(pk), expected_versions(request))
        return Response(status=204)

    @extend_schema(request=None, responses=WebhookSecretSerializer)
    def rotate(self, request: Request, pk: str) -> Response:
        """Give it a new secret, shown this once; for a day deliveries are signed with the old one too."""
        EmptyBody.parse(request)
        webhook, secret = rotate_secret(owner_of(request), row_id(pk), expected_versions(request))
        return self._shown(webhook, secret=secret)

    def _changed(self, request: Request, pk: str, body: dict[str, Any]) -> Response:
        return self._shown(update_webhook(owner_of(request), row_id(pk), body, expected_versions(request)))

    def _shown(self, webhook: Webhook, status: int = 200, secret: str = "") -> Response:
        view = webhook_view(webhook)
        headers = {"ETag": self.etag(view, webhook.version)}
        if status == 201:
            headers["Location"] = f"{self.request.path.rstrip('/')}/{webhook.pk}"
        if secret:
            headers["Cache-Control"] = "no-store"
        return self.reply(view | ({"secret": secret} if secret else {}), status=status, headers=headers)


@extend_schema(tags=["sync"])
class DeliveryViewSet(ConditionalViewSet):
    """What was sent to a webhook."""

    permission_classes = [IsSyncOperator]

    @extend_schema(parameters=[DeliveriesQuery], responses=DeliverySerializer(many=True))
    def list(self, request: Request, pk: str) -> Response:
        """Deliveries of a webhook, newest first, with every attempt."""
        query = DeliveriesQuery.parse(request)
        found = deliveries(find_webhook(owner_of(request), row_id(pk)))
        wanted = {"state__in": query.get("status"), "event": query.get("event")}
        found = found.filter(**{lookup: value for lookup, value in wanted.items() if value})
        return self.reply(newest_page(found, query, scope="deliveries", show=delivery_view))

    @extend_schema(request=None, responses={202: DeliverySerializer})
    def redeliver(self, request: Request, pk: str, delivery_id: str) -> Response:
        """Send an event once more at once, with the same id."""
        EmptyBody.parse(request)
        delivery = redeliver(owner_of(request), row_id(pk), row_id(delivery_id))
        return self.accept(delivery_view(delivery), message=_("Delivery enqueued"))
