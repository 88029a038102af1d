"""Schedules: syncs that start by the clock."""

from dataclasses import replace
from typing import Any

from django_celery_beat.models import PeriodicTask
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from syncjobs.api.serializers.schedules import (
    ScheduleSerializer,
    SchedulesQuery,
    ScheduleViewSerializer,
    schedule_changes,
)
from syncjobs.selectors.schedules import schedule_views, schedules
from syncjobs.services.schedules import create_schedule, delete_schedule, find_schedule, update_schedule, version_of
from system.api.conditional import ConditionalViewSet, expected_versions
from system.api.listing import newest_page
from system.api.paths import row_id
from system.api.permissions import IsSyncOperator, IsViewer
from system.api.query import QuerySerializer

LARGEST_ID = 2**31 - 1
SCHEDULE_EXAMPLE = OpenApiExample(
    "Every night at three in China",
    value={"name": "nightly", "type": "full", "cron": "0 3 * * *", "timezone": "Asia/Shanghai"},
    request_only=True,
)


@extend_schema(tags=["sync"])
class ScheduleViewSet(ConditionalViewSet):
    """Schedules."""

    permission_classes = [IsSyncOperator]
    action_permissions = {"list": IsViewer, "retrieve": IsViewer}

    @extend_schema(parameters=[SchedulesQuery], responses=ScheduleViewSerializer(many=True))
    def list(self, request: Request) -> Response:
        """Schedules, newest first."""
        query = SchedulesQuery.parse(request)
        found = schedules()
        if query.get("is_enabled") is not None:
            found = found.filter(enabled=query["is_enabled"])
        page = newest_page(found, query, scope="schedules", show=lambda row: row)
        return self.reply(replace(page, items=schedule_views(page.items)))

    @extend_schema(request=ScheduleSerializer, responses={201: ScheduleViewSerializer}, examples=[SCHEDULE_EXAMPLE])
    def create(self, request: Request) -> Response:
        """Add a schedule, by `cron` or by `every_seconds`."""
        task = create_schedule(schedule_changes(ScheduleSerializer.parse(request)))
        return self._shown(task, status=201)

    @extend_schema(responses=ScheduleViewSerializer)
    def retrieve(self, request: Request, pk: str) -> Response:
        """One schedule with its next five runs."""
        QuerySerializer.parse(request)
        task = find_schedule(row_id(pk, LARGEST_ID))
        return self.reply_unless_known(request, schedule_views([task])[0], version=version_of(task))

    @extend_schema(request=ScheduleSerializer, responses=ScheduleViewSerializer)
    def update(self, request: Request, pk: str) -> Response:
        """Set the whole schedule; what is left out takes its default."""
        return self._changed(request, pk, ScheduleSerializer.parse(request))

    @extend_schema(request=ScheduleSerializer, responses=ScheduleViewSerializer)
    def partial_update(self, request: Request, pk: str) -> Response:
        """Change part of a schedule; naming `cron` drops `every_seconds` and the other way round."""
        return self._changed(request, pk, ScheduleSerializer.parse(request, partial=True))

    @extend_schema(responses={204: None})
    def destroy(self, request: Request, pk: str) -> Response:
        """Remove a schedule; its jobs stay."""
        delete_schedule(row_id(pk, LARGEST_ID), expected_versions(request))
        return Response(status=204)

    def _changed(self, request: Request, pk: str, body: dict[str, Any]) -> Response:
        task = update_schedule(row_id(pk, LARGEST_ID), schedule_changes(body), expected_versions(request))
        return self._shown(task)

    def _shown(self, task: PeriodicTask, status: int = 200) -> Response:
        view = schedule_views([task])[0]
        headers = {"ETag": self.etag(view, version_of(task))}
        if status == 201:
            headers["Location"] = f"{self.request.path.rstrip('/')}/{task.pk}"
        return self.reply(view, status=status, headers=headers)
