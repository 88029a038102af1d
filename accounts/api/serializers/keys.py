"""API keys."""

from datetime import datetime, timedelta
from ipaddress import ip_network
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from accounts.services.keys import MAX_DAYS
from system.api.permissions import SCOPES
from system.api.serializers import StrictSerializer

MAX_NETWORKS = 20


class KeySerializer(serializers.Serializer[Any]):
    """An API key; the key itself is answered once, when it was made or reset, and masked ever after."""

    id = serializers.IntegerField()
    name = serializers.CharField()
    api_key = serializers.CharField(help_text=_("The key, or only its beginning in lists"))
    scopes = serializers.ListField(child=serializers.ChoiceField(choices=SCOPES))
    allowed_ips = serializers.ListField(child=serializers.CharField())
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()
    expires_at = serializers.DateTimeField()
    last_used_at = serializers.DateTimeField(allow_null=True)


class NetworkField(serializers.CharField):
    """An address such as 203.0.113.7, or a network such as 203.0.113.0/24 or 2001:db8::/32."""

    default_error_messages = {"network": _("Must be an IP address or a network such as 203.0.113.0/24.")}

    def to_internal_value(self, data: Any) -> str:
        text = super().to_internal_value(data)
        try:
            return str(ip_network(text))
        except ValueError:
            self.fail("network")


class NewKeySerializer(StrictSerializer):
    """A key to make; it lasts a year at most."""

    name = serializers.CharField(max_length=100)
    scopes = serializers.ListField(
        child=serializers.ChoiceField(choices=SCOPES),
        min_length=1,
        max_length=len(SCOPES),
        required=False,
        help_text=_("read unless given; write, sync and admin include it"),
    )
    expires_at = serializers.DateTimeField(
        required=False,
        default_timezone=ZoneInfo(settings.API_INPUT_TIME_ZONE),
        help_text=_("In a year at the latest, and then unless given"),
    )
    expires_in_days = serializers.IntegerField(
        required=False, min_value=1, max_value=MAX_DAYS, help_text=_("Instead of expires_at")
    )
    allowed_ips = serializers.ListField(
        child=NetworkField(max_length=43),
        required=False,
        max_length=MAX_NETWORKS,
        help_text=_("Where the key may be used from; anywhere unless given"),
    )

    def validate_expires_at(self, value: datetime) -> datetime:
        """It lies ahead, but not beyond a year.

        Raises:
            serializers.ValidationError: otherwise.
        """
        if not timedelta(0) < value - timezone.now() <= timedelta(days=MAX_DAYS):
            raise serializers.ValidationError(_("Must lie ahead, within {days} days.").format(days=MAX_DAYS))
        return value

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Days become a time; scopes and networks are named once each."""
        days = attrs.pop("expires_in_days", None)
        if days is not None:
            if "expires_at" in attrs:
                raise serializers.ValidationError({"expires_in_days": [_("Use expires_at or expires_in_days.")]})
            attrs["expires_at"] = timezone.now() + timedelta(days=days)
        for name in {"scopes", "allowed_ips"} & attrs.keys():
            attrs[name] = tuple(dict.fromkeys(attrs[name]))
        return attrs
