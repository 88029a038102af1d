"""Bodies, parameters and documented answers of the webhook endpoints."""

from typing import Any

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from products.selectors.changes import CHANGED_FIELDS
from syncjobs.models import Webhook, WebhookDelivery
from system.api.pagination import PageQuery
from system.api.query import ListField
from system.api.serializers import StrictSerializer


class WebhookSerializer(StrictSerializer):
    """Body of `POST`, `PUT` and `PATCH webhooks`."""

    url = serializers.CharField(max_length=2000, trim_whitespace=False, help_text=_("https, a public host, port 443"))
    events = serializers.ListField(
        child=serializers.ChoiceField(choices=Webhook.Event.choices), min_length=1, max_length=len(Webhook.Event)
    )
    description = serializers.CharField(max_length=200, allow_blank=True, default="")
    sources = serializers.ListField(
        child=serializers.CharField(max_length=50),
        max_length=50,
        default=list,
        help_text=_("Product events of these sources only; empty: of all"),
    )
    changed_fields = serializers.ListField(
        child=serializers.ChoiceField(choices=CHANGED_FIELDS),
        max_length=len(CHANGED_FIELDS),
        default=list,
        help_text=_("Of product.updated only those that changed one of these fields; empty: all"),
    )
    is_enabled = serializers.BooleanField(default=True)


class NewWebhookSerializer(WebhookSerializer):
    """Body of `POST webhooks`."""

    is_enabled = None  # type: ignore[assignment] # a new one is switched on


class LagSerializer(serializers.Serializer[Any]):
    """How far product events are behind the change feed."""

    changes = serializers.IntegerField(help_text=_("Changes not looked at yet, wanted or not; counted up to 10,000"))
    oldest_at = serializers.DateTimeField(allow_null=True, help_text=_("When the oldest of them happened"))
    waits_for = serializers.IntegerField(
        allow_null=True, help_text=_("The delivery that must be heard or given up before the next")
    )


class WebhookViewSerializer(serializers.Serializer[Any]):
    """A webhook without its secret."""

    id = serializers.IntegerField()
    owner_id = serializers.IntegerField()
    url = serializers.CharField()
    description = serializers.CharField(allow_blank=True)
    events = serializers.ListField(child=serializers.ChoiceField(choices=Webhook.Event.choices))
    sources = serializers.ListField(child=serializers.CharField())
    changed_fields = serializers.ListField(child=serializers.CharField())
    is_enabled = serializers.BooleanField()
    disabled_reason = serializers.ChoiceField(
        choices=Webhook.Disabled.choices, allow_blank=True, help_text=_("Empty when somebody switched it off, or on")
    )
    disabled_at = serializers.DateTimeField(allow_null=True)
    failures = serializers.IntegerField(help_text=_("Deliveries given up one after the other"))
    lag = LagSerializer(allow_null=True, help_text=_("null without product events"))
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()


class WebhookSecretSerializer(WebhookViewSerializer):
    """A webhook with its new secret, shown this once."""

    secret = serializers.CharField()


class DeliveriesQuery(PageQuery):
    """Parameters of `GET webhooks/{id}/deliveries`."""

    status = ListField(child=serializers.ChoiceField(choices=WebhookDelivery.State.choices))
    event = serializers.ChoiceField(choices=WebhookDelivery.EVENTS, required=False)


class DeliveryAttemptSerializer(serializers.Serializer[Any]):
    """One attempt; `excerpt` is the beginning of the answer, or what went wrong."""

    at = serializers.DateTimeField()
    status = serializers.IntegerField(allow_null=True)
    error = serializers.CharField(allow_null=True)
    excerpt = serializers.CharField(allow_blank=True)
    milliseconds = serializers.IntegerField()


class DeliverySerializer(serializers.Serializer[Any]):
    """One event, or one run of product events, for one webhook, and every attempt to deliver it."""

    id = serializers.IntegerField()
    event_id = serializers.CharField(help_text=_("Sent as webhook-id"))
    event = serializers.ChoiceField(choices=WebhookDelivery.EVENTS)
    status = serializers.ChoiceField(choices=WebhookDelivery.State.choices)
    payload = serializers.DictField()
    attempts = DeliveryAttemptSerializer(many=True)
    response_status = serializers.IntegerField(allow_null=True)
    next_attempt_at = serializers.DateTimeField(allow_null=True)
    created_at = serializers.DateTimeField()
    finished_at = serializers.DateTimeField(allow_null=True)
