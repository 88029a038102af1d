"""Documented answers of `sync/quota`."""

from typing import Any

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers


class ApiCallsTodaySerializer(serializers.Serializer[Any]):
    """Calls of one API today; `(lost)` are those that may have been made when Redis lost its numbers."""

    api = serializers.CharField()
    calls = serializers.IntegerField()
    refused = serializers.IntegerField(help_text=_("Of them, refused by the platform because of their number"))


class DayCallsSerializer(serializers.Serializer[Any]):
    """Calls of one day in China."""

    date = serializers.DateField()
    calls = serializers.IntegerField()
    refused = serializers.IntegerField()


class JobCallsSerializer(serializers.Serializer[Any]):
    """What a job at work still needs; null while nobody knows."""

    task_id = serializers.CharField()
    calls = serializers.IntegerField(help_text=_("Made so far"))
    expected = serializers.IntegerField(allow_null=True)
    still_to_make = serializers.IntegerField(allow_null=True)


class AppKeyQuotaSerializer(serializers.Serializer[Any]):
    """The calls of one app key, shared by all sources that use it."""

    app_key = serializers.CharField(allow_null=True, help_text=_("null for a source that has none"))
    kind = serializers.CharField()
    sources = serializers.ListField(child=serializers.CharField())
    calls_per_second = serializers.FloatField()
    limit = serializers.IntegerField(allow_null=True, help_text=_("Calls a day; null where none is set"))
    used_today = serializers.IntegerField()
    used_percent = serializers.FloatField(allow_null=True)
    refused_today = serializers.IntegerField()
    left = serializers.IntegerField(allow_null=True, help_text=_("Without the reserve"))
    reserve = serializers.IntegerField(allow_null=True, help_text=_("Left for critical jobs beyond that"))
    used_up_at = serializers.DateTimeField(
        allow_null=True, help_text=_("When the platform last said today that all calls are used up")
    )
    resets_at = serializers.DateTimeField()
    apis = ApiCallsTodaySerializer(many=True)
    days = DayCallsSerializer(many=True, help_text=_("The last seven, today first"))
    jobs = JobCallsSerializer(many=True)
    fits = serializers.BooleanField(
        allow_null=True, help_text=_("Whether what is left is enough for the jobs at work; null without a limit")
    )


class QuotaAnswerSerializer(serializers.Serializer[Any]):
    """All app keys."""

    items = AppKeyQuotaSerializer(many=True)
