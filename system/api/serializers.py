"""Request bodies: every field declared, every value of its own JSON type."""

from collections.abc import Mapping
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers
from rest_framework.request import Request

from system.api.parsers import parse_json

AnyField = serializers.Field[Any, Any, Any, Any]

# The framework would turn 1 into "1", "5" into 5 and "yes" into True.
JSON_TYPES: tuple[tuple[type[AnyField], tuple[type, ...], Promise], ...] = (
    (serializers.BooleanField, (bool,), _("Must be true or false.")),
    (serializers.IntegerField, (int,), _("Must be a whole number.")),
    (serializers.FloatField, (int, float), _("Must be a number.")),
    (serializers.CharField, (str,), _("Must be a string.")),
    (serializers.ChoiceField, (str,), _("Must be a string.")),
    (serializers.DateTimeField, (str,), _("Must be a string.")),
)


class StrictSerializer(serializers.Serializer[Any]):
    """Base of request bodies: an unknown or read-only field, or a value of another JSON type is a 400."""

    @classmethod
    def parse(cls, request: Request, *, partial: bool = False) -> dict[str, Any]:
        """The validated body of a request.

        Args:
            partial: required fields may be missing (PATCH).

        Raises:
            serializers.ValidationError: by field.
            ApplicationError: a body was announced as JSON, and there is none.
        """
        if request.content_type and request.META.get("CONTENT_LENGTH") in {None, "", "0"}:
            parse_json(b"")
        serializer = cls(data=request.data, partial=partial)
        serializer.is_valid(raise_exception=True)
        return dict(serializer.validated_data)

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, Mapping):
            refused = self._refused(data)
            if refused:
                raise serializers.ValidationError(refused)
        return super().to_internal_value(data)

    def _refused(self, data: Mapping[str, Any]) -> dict[str, list[Any]]:
        refused: dict[str, list[Any]] = {}
        for name, value in data.items():
            field = self.fields.get(name)
            reason = _("Unknown field.") if field is None else _reason(field, value)
            if reason:
                refused[name] = [reason]
        return refused


class EmptyBody(StrictSerializer):
    """Body of actions that need to be told nothing: none at all, or an empty object."""

    @classmethod
    def parse(cls, request: Request, *, partial: bool = False) -> dict[str, Any]:
        """Refuse what would be passed over.

        Raises:
            serializers.ValidationError: by field.
        """
        empty = request.META.get("CONTENT_LENGTH") in {None, "", "0"}
        return {} if empty else super().parse(request, partial=partial)


def _reason(field: AnyField, value: Any) -> Promise | None:
    if field.read_only:
        return _("This field is read-only.")
    if value is None:
        return None
    if isinstance(field, serializers.ListField) and isinstance(value, list):
        return next(filter(None, (_reason(field.child, item) for item in value)), None)
    for kind, types, message in JSON_TYPES:
        if isinstance(field, kind):
            fits = isinstance(value, types) and (bool in types or not isinstance(value, bool))
            return None if fits else message
    return None
