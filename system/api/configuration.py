"""Runtime settings: read by administrators with their bounds, and changed one or many at once."""

from typing import Any

from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import OpenApiExample, extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from system import selectors
from system.api.conditional import ConditionalViewSet, expected_versions
from system.api.permissions import IsAdmin
from system.api.query import QuerySerializer
from system.api.serializers import StrictSerializer
from system.naming import AsSent
from system.services import settings

MOST_CHANGES = 100
VALUE_SCHEMA = {"oneOf": [{"type": "integer"}, {"type": "string"}, {"type": "boolean"}]}
CHANGE_SCHEMA = {"oneOf": [{"type": "integer"}, {"type": "string"}], "nullable": True}
EXAMPLE = OpenApiExample(
    "A higher limit, and one setting back to its default",
    value={"settings": [{"key": "throttle.free", "value": "200/hour"}, {"key": "logs.level", "value": None}]},
    request_only=True,
)


@extend_schema_field(VALUE_SCHEMA)
class ValueField(serializers.JSONField):
    """A whole number, a text or a flag."""


@extend_schema_field(CHANGE_SCHEMA)
class NewValueField(serializers.JSONField):
    """A whole number or a text; null for the default."""


class SettingSerializer(serializers.Serializer[Any]):
    """One runtime setting."""

    key = serializers.CharField()
    value = ValueField(help_text=_("In force now"))
    default = ValueField()
    type = serializers.ChoiceField(choices=["integer", "string"])
    minimum = serializers.IntegerField(allow_null=True)
    maximum = serializers.IntegerField(allow_null=True)
    choices = serializers.ListField(child=serializers.CharField())
    group = serializers.CharField()
    description = serializers.CharField()
    changed_by = serializers.CharField(allow_null=True)
    changed_at = serializers.DateTimeField(allow_null=True)


class FactSerializer(serializers.Serializer[Any]):
    """Something fixed by the environment."""

    key = serializers.CharField()
    value = ValueField()
    description = serializers.CharField()


class ConfigSerializer(serializers.Serializer[Any]):
    """All runtime settings, and what is fixed."""

    settings = SettingSerializer(many=True)
    facts = FactSerializer(many=True)


class SettingChangeSerializer(StrictSerializer):
    """A new value for one setting."""

    key = serializers.CharField(max_length=100)
    value = NewValueField(allow_null=True, help_text=_("null takes the setting back to its default"))


class ConfigChangeSerializer(StrictSerializer):
    """New values; what is not named stays."""

    settings = serializers.ListField(child=SettingChangeSerializer(), min_length=1, max_length=MOST_CHANGES)

    def validate_settings(self, changes: list[dict[str, Any]]) -> dict[str, Any]:
        """By key, each named once."""
        by_key = {change["key"]: change["value"] for change in changes}
        if len(by_key) < len(changes):
            raise serializers.ValidationError(_("Name each setting once."))
        return by_key


class ConfigViewSet(ConditionalViewSet):
    """What can be changed while the system runs. Secrets and the environment are never shown."""

    permission_classes = [IsAdmin]
    cache_control = "no-store"

    @extend_schema(responses={200: ConfigSerializer}, tags=["system"])
    def retrieve(self, request: Request) -> Response:
        """All runtime settings with their bounds and defaults, and who changed them last."""
        QuerySerializer.parse(request)
        return self.reply_unless_known(request, selectors.settings_view(), version=settings.settings_version())

    @extend_schema(
        request=ConfigChangeSerializer, responses={200: ConfigSerializer}, examples=[EXAMPLE], tags=["system"]
    )
    def update(self, request: Request) -> Response:
        """Change settings: all of them or, when one is refused, none. Processes follow within five seconds."""
        body = ConfigChangeSerializer.parse(request)
        # Keys are data: a refusal names them as they came, whatever the version's names look like.
        name = str if self.api.naming.keeps else AsSent
        changes = {name(key): value for key, value in body["settings"].items()}
        settings.change_settings(changes, expected_versions(request))
        shown = selectors.settings_view()
        return self.reply(shown, headers={"ETag": self.etag(shown, settings.settings_version())})
