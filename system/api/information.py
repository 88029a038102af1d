"""The installation as administrators and their monitors see it."""

import hmac
from typing import Any

from django.conf import settings
from django.http import HttpResponse
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema
from prometheus_client import CONTENT_TYPE_LATEST
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from system import info, metrics
from system.api.permissions import IsAdmin
from system.api.query import QuerySerializer
from system.api.views import ApiView


class ApplicationInfoSerializer(serializers.Serializer[Any]):
    """Versions of the program and what it stands on."""

    version = serializers.CharField()
    python = serializers.CharField()
    django = serializers.CharField()
    rest_framework = serializers.CharField()
    celery = serializers.CharField()
    psycopg = serializers.CharField()


class PostgresInfoSerializer(serializers.Serializer[Any]):
    """The database server."""

    version = serializers.CharField()
    size_bytes = serializers.IntegerField(help_text=_("Of our database"))
    started_at = serializers.DateTimeField()
    max_connections = serializers.IntegerField()
    warning = serializers.CharField(allow_null=True)


class RedisInfoSerializer(serializers.Serializer[Any]):
    """The Redis server; null while it is away."""

    version = serializers.CharField(allow_null=True)
    used_memory_bytes = serializers.IntegerField(allow_null=True)
    uptime_seconds = serializers.IntegerField(allow_null=True)
    warning = serializers.CharField(allow_null=True, help_text=_("Among others: a version with known holes"))


class MigrationsInfoSerializer(serializers.Serializer[Any]):
    """The state of the database's structure."""

    applied = serializers.IntegerField()
    pending = serializers.ListField(child=serializers.CharField())


class ProcessInfoSerializer(serializers.Serializer[Any]):
    """The process that answers."""

    host = serializers.CharField()
    pid = serializers.IntegerField()
    uptime_seconds = serializers.IntegerField()


class ConnectionsInfoSerializer(serializers.Serializer[Any]):
    """The database connections of processes of one name."""

    process = serializers.CharField()
    connections = serializers.IntegerField()
    active = serializers.IntegerField(help_text=_("Working now"))


class WorkerInfoSerializer(serializers.Serializer[Any]):
    """A worker."""

    name = serializers.CharField()
    seen_at = serializers.DateTimeField()
    online = serializers.BooleanField()


class QueueInfoSerializer(serializers.Serializer[Any]):
    """A queue."""

    name = serializers.CharField()
    pending = serializers.IntegerField()
    running = serializers.IntegerField()
    oldest_pending_seconds = serializers.IntegerField(allow_null=True)


class CounterInfoSerializer(serializers.Serializer[Any]):
    """A number of an application."""

    name = serializers.CharField()
    value = serializers.IntegerField()


class TableInfoSerializer(serializers.Serializer[Any]):
    """A table of our database."""

    name = serializers.CharField()
    rows = serializers.IntegerField(help_text=_("As of the last ANALYZE"))
    size_bytes = serializers.IntegerField(help_text=_("With its indexes"))


class DiskInfoSerializer(serializers.Serializer[Any]):
    """The disk the program lies on."""

    total_bytes = serializers.IntegerField()
    free_bytes = serializers.IntegerField()


class WarningInfoSerializer(serializers.Serializer[Any]):
    """What `manage.py check --deploy` finds."""

    id = serializers.CharField()
    message = serializers.CharField()


class InfoSerializer(serializers.Serializer[Any]):
    """The installation."""

    application = ApplicationInfoSerializer()
    postgresql = PostgresInfoSerializer()
    redis = RedisInfoSerializer()
    migrations = MigrationsInfoSerializer()
    process = ProcessInfoSerializer()
    connections = ConnectionsInfoSerializer(many=True)
    workers = WorkerInfoSerializer(many=True)
    queues = QueueInfoSerializer(many=True)
    counters = CounterInfoSerializer(many=True)
    tables = TableInfoSerializer(many=True)
    disk = DiskInfoSerializer()
    warnings = WarningInfoSerializer(many=True)


class InfoView(ApiView):
    """The installation."""

    permission_classes = [IsAdmin]
    cache_control = "no-store"

    @extend_schema(responses={200: InfoSerializer}, tags=["system"])
    def get(self, request: Request) -> Response:
        """Versions, migrations, sizes, queues, disk and warnings; no secrets."""
        QuerySerializer.parse(request)
        return self.reply(info.report())


def _is_monitor(request: Request) -> bool:
    sent = request.META.get("HTTP_AUTHORIZATION", "").encode()
    token: str = settings.METRICS_TOKEN
    return bool(token) and hmac.compare_digest(sent, f"Bearer {token}".encode())


class IsMonitor(IsAdmin):
    """An administrator, or a monitor that holds METRICS_TOKEN as its bearer token."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        return _is_monitor(request) or super().has_permission(request, view)


class MetricsView(ApiView):
    """`/metrics`, in the format of Prometheus."""

    permission_classes = [IsMonitor]
    cache_control = "no-store"
    enveloped = False

    def charge_caller(self, request: Request) -> Exception | None:
        """The monitor's token is none of a user's; nobody else gets around the limits."""
        return None if _is_monitor(request) else super().charge_caller(request)

    def perform_content_negotiation(self, request: Request, force: bool = False) -> tuple[Any, str]:  # noqa: ARG002
        """Monitors ask for formats of their own; errors are JSON all the same."""
        renderer = self.get_renderers()[0]
        return renderer, renderer.media_type or ""

    @extend_schema(exclude=True)
    def get(self, request: Request) -> HttpResponse:
        """Everything that is counted."""
        QuerySerializer.parse(request)
        return HttpResponse(metrics.exposition(), CONTENT_TYPE_LATEST)
