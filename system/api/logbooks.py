"""The two logbooks administrators read: what the processes warned of, and who changed what."""

from typing import Any

from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from system import selectors
from system.actor import VIAS
from system.api.listing import newest_page
from system.api.pagination import PageQuery
from system.api.permissions import IsAdmin
from system.api.query import ListField, Query, TimeField
from system.api.views import ApiViewSet
from system.models import AuditLog, SystemLog

LEVELS = ("WARNING", "ERROR", "CRITICAL")
LONGEST_SEARCH = 200


class LogbookQuery(PageQuery):
    """What both logbooks can be narrowed by."""

    request_id = serializers.CharField(max_length=64, required=False)
    start_time = TimeField(required=False, help_text=_("Not before"))
    end_time = TimeField(required=False, help_text=_("Before"))


class SystemLogQuery(LogbookQuery):
    """Filters of the system log."""

    level: Any = ListField(child=serializers.ChoiceField(choices=LEVELS), help_text=_("Any of these levels"))
    min_level = serializers.ChoiceField(choices=LEVELS, required=False, help_text=_("This level and those above"))
    logger = serializers.CharField(max_length=100, required=False, help_text=_("A logger and those below it"))
    q = serializers.CharField(
        max_length=LONGEST_SEARCH, required=False, help_text=_("Part of the message, letter by letter")
    )


class AuditQuery(LogbookQuery):
    """Filters of the audit log."""

    actor = serializers.CharField(max_length=150, required=False, help_text=_("User name"))
    user_id = serializers.IntegerField(min_value=1, required=False)
    via = serializers.ChoiceField(choices=VIAS, required=False)
    action = serializers.CharField(max_length=50, required=False, help_text=_("Such as product.update"))
    target_type = serializers.CharField(max_length=50, required=False, help_text=_("Such as product"))
    target_id = serializers.CharField(max_length=200, required=False)


class SystemLogSerializer(serializers.Serializer[Any]):
    """A line of the system log."""

    id = serializers.IntegerField()
    at = serializers.DateTimeField()
    level = serializers.ChoiceField(choices=LEVELS)
    logger = serializers.CharField()
    message = serializers.CharField()
    process = serializers.CharField()
    request_id = serializers.CharField()
    context: Any = serializers.DictField(help_text=_("More about it; a traceback among it for errors"))


class AuditSerializer(serializers.Serializer[Any]):
    """A line of the audit log."""

    id = serializers.IntegerField()
    at = serializers.DateTimeField()
    via = serializers.ChoiceField(choices=VIAS)
    user_id = serializers.IntegerField(allow_null=True)
    actor = serializers.CharField()
    key_id = serializers.IntegerField(allow_null=True)
    ip = serializers.CharField()
    request_id = serializers.CharField()
    action = serializers.CharField()
    target_type = serializers.CharField()
    target_id = serializers.CharField()
    before = serializers.DictField(allow_null=True)
    after = serializers.DictField(allow_null=True)


class LogbookViewSet(ApiViewSet):
    """Both logbooks, newest line first."""

    permission_classes = [IsAdmin]
    cache_control = "no-store"

    @extend_schema(parameters=[SystemLogQuery], responses={200: SystemLogSerializer(many=True)}, tags=["system"])
    def logs(self, request: Request) -> Response:
        """Warnings and errors of all processes."""
        query = SystemLogQuery.parse(request)
        found = _found_logs(query)
        return self.reply(newest_page(found, query, scope="system-logs", show=selectors.log_view))

    @extend_schema(parameters=[AuditQuery], responses={200: AuditSerializer(many=True)}, tags=["system"])
    def audit(self, request: Request) -> Response:
        """Who changed what, from which value to which."""
        query = AuditQuery.parse(request)
        names = ("actor", "user_id", "via", "action", "target_type", "target_id")
        found = _in_time(AuditLog.objects.filter(**{name: query[name] for name in names if name in query}), query)
        return self.reply(newest_page(found, query, scope="system-audit", show=selectors.audit_view))


def _found_logs(query: Query) -> "QuerySet[SystemLog]":
    found = _in_time(SystemLog.objects.all(), query)
    if "level" in query:
        found = found.filter(level__in=query["level"])
    if "min_level" in query:
        found = found.filter(level__in=LEVELS[LEVELS.index(query["min_level"]) :])
    if "logger" in query:
        found = found.filter(Q(logger=query["logger"]) | Q(logger__startswith=f"{query['logger']}."))
    return found.filter(message__icontains=query["q"]) if "q" in query else found


def _in_time(found: "QuerySet[Any]", query: Query) -> "QuerySet[Any]":
    if "request_id" in query:
        found = found.filter(request_id=query["request_id"])
    if "start_time" in query:
        found = found.filter(at__gte=query["start_time"])
    return found.filter(at__lt=query["end_time"]) if "end_time" in query else found
