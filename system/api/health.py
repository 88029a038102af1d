"""Health for people, monitors and load balancers: public, always answered within a second."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_safe
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from system import health
from system.api.permissions import IsAnyone
from system.api.renderers import dumps
from system.api.views import ApiView
from system.errors import ApplicationError, ErrorCode
from system.naming import SNAKE, Naming

RETRY_AFTER = {"Retry-After": "5"}


class HealthWorkersSerializer(serializers.Serializer[Any]):
    """What is known of the workers; null when the database does not answer."""

    online = serializers.IntegerField(allow_null=True)
    last_seen = serializers.DateTimeField(allow_null=True)


class HealthSerializer(serializers.Serializer[Any]):
    """The health body (seed 003)."""

    status = serializers.ChoiceField(choices=["ok", "degraded", "unavailable"])
    postgres = serializers.ChoiceField(choices=["up", "down"])
    redis = serializers.ChoiceField(choices=["up", "down"])
    workers = HealthWorkersSerializer()
    error = serializers.CharField(required=False)


class SystemHealthView(ApiView):
    """The health of the parts, in the envelope."""

    permission_classes = [IsAnyone]
    rate_limited = False
    cache_control = "no-store"

    @extend_schema(responses={200: HealthSerializer}, tags=["system"], auth=[])
    def get(self, request: Request) -> Response:  # noqa: ARG002 (the framework's signature)
        """Whether PostgreSQL and Redis answer, and which workers consume. 503 when one of them is down."""
        report = health.report()
        if report["status"] != "ok":
            raise ApplicationError(ErrorCode.UNAVAILABLE, details=report, headers=RETRY_AFTER)
        return self.reply(report)


class HealthView(ApiView):
    """The same as a bare body."""

    enveloped = False
    permission_classes = [IsAnyone]
    rate_limited = False
    cache_control = "no-store"

    @extend_schema(
        responses={
            200: HealthSerializer,
            503: OpenApiResponse(HealthSerializer, description="Degraded or unavailable"),
        },
        tags=["system"],
        auth=[],
    )
    def get(self, request: Request) -> HttpResponse:  # noqa: ARG002 (the framework's signature)
        """The health body alone, for monitors."""
        return _bare(self.api.naming)


@require_safe
def bare_health(request: HttpRequest) -> HttpResponse:  # noqa: ARG001 (called by the URL resolver)
    """`/health`: the bare body; 503 when degraded or unavailable."""
    return _bare(SNAKE)


def _bare(naming: Naming) -> HttpResponse:
    report = health.report()
    up = report["status"] == "ok"
    response = HttpResponse(
        dumps(naming.rename(report)), "application/json", status=200 if up else 503, headers={} if up else RETRY_AFTER
    )
    response.headers["Cache-Control"] = "no-store"
    return response


@require_safe
def live(request: HttpRequest) -> HttpResponse:  # noqa: ARG001 (called by the URL resolver)
    """`/health/live`: this process answers; nothing else is touched."""
    return HttpResponse(b'{"status":"ok"}', "application/json")
