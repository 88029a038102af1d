"""Sync control: start, stop, resume, validate, status, logs, statistics."""

from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from syncjobs import selectors
from syncjobs.api import serializers
from syncjobs.api.filters import filter_logs
from syncjobs.api.views.answers import CANNOT_REACH, TOO_SLOW
from syncjobs.selectors.quota import quota_views
from syncjobs.selectors.statistics import statistics
from syncjobs.selectors.validations import validation_view
from syncjobs.services import jobs
from syncjobs.services.validation import validate_sync
from system.api.listing import newest_page
from system.api.permissions import IsAdmin, IsSyncOperator, IsViewer
from system.api.tasks import SUBMITTED_EXAMPLE, SubmittedSerializer, submitted
from system.api.views import ApiViewSet
from system.queue_stats import estimated_time

START_EXAMPLE = OpenApiExample(
    "A full sync of one category",
    value={"type": "full", "category_id": 123456, "config": {"batch_size": 100, "max_workers": 5}},
    request_only=True,
)


WINDOW_EXAMPLE = OpenApiExample(
    "What changed in twelve days",
    value={
        "sync_type": "incremental",
        "start_date": "2025-11-01",
        "end_date": "2025-11-12",
        "batch_size": 100,
        "priority": "critical",
    },
    request_only=True,
)


class SyncViewSet(ApiViewSet):
    """What a sync is told to do, and how it stands."""

    permission_classes = [IsSyncOperator]
    action_permissions = {"status": IsViewer, "logs": IsViewer, "statistics": IsViewer, "quota": IsViewer}
    settled_actions = frozenset({"start", "stop", "resume"})
    # It asks the source, and a token renewed on the way must not be rolled back with a refusal.
    idempotent_outside = frozenset({"validate"})
    throttle_buckets = {"start": ("sync_start",), "validate": ("sync_start",)}
    idempotent_outside = frozenset({"validate"})

    @extend_schema(
        request=serializers.StartSyncSerializer, responses={202: serializers.JobSerializer}, examples=[START_EXAMPLE]
    )
    def start(self, request: Request) -> Response:
        """Start a sync; 409 names the job that already covers the same source and scope."""
        body = serializers.StartSyncSerializer.parse(request)
        job = jobs.start_sync(serializers.start_request(body, request.user.get_username()))
        return self.accept(selectors.job_view(job), message=_("Sync started"))

    @extend_schema(request=serializers.StopSyncSerializer, responses={202: serializers.JobSerializer})
    def stop(self, request: Request) -> Response:
        """Ask a job to stop; it rests after the batch it is in, and can be resumed."""
        body = serializers.StopSyncSerializer.parse(request)
        job = jobs.stop_sync(body.get("task_id"))
        return self.accept(selectors.job_view(job), message=_("Stop requested"))

    @extend_schema(request=serializers.ResumeSyncSerializer, responses={202: serializers.JobSerializer})
    def resume(self, request: Request) -> Response:
        """Go on with a stopped, held or failed job from its last committed batch."""
        body = serializers.ResumeSyncSerializer.parse(request)
        job = jobs.resume_sync(body["task_id"])
        return self.accept(selectors.job_view(job), message=_("Sync resumed"))

    @extend_schema(
        request=serializers.StartSyncSerializer,
        responses={200: serializers.ValidationSerializer, 502: CANNOT_REACH, 504: TOO_SLOW},
        examples=[START_EXAMPLE],
    )
    def validate(self, request: Request) -> Response:
        """Find out what a start with this body would do, without doing it.

        What speaks against it stands in `errors`; 502 and 504 say that the source itself cannot be asked.
        """
        body = serializers.StartSyncSerializer.parse(request)
        found = validate_sync(serializers.start_request(body, request.user.get_username()))
        return self.reply(validation_view(found))

    @extend_schema(parameters=[serializers.StatusQuery], responses={200: serializers.StatusSerializer})
    def status(self, request: Request) -> Response:
        """Active jobs, the last ended one, workers, queues, and how change messages come in."""
        query = serializers.StatusQuery.parse(request)
        task_id = query.get("task_id")
        if task_id:
            jobs.find_job(task_id)
        return self.reply(selectors.status_view(task_id))

    @extend_schema(parameters=[serializers.LogsQuery], responses={200: serializers.LogSerializer(many=True)})
    def logs(self, request: Request) -> Response:
        """Log lines of jobs, newest first."""
        query = serializers.LogsQuery.parse(request)
        return self.reply(newest_page(filter_logs(query), query, scope="sync-logs", show=selectors.log_view))

    @extend_schema(parameters=[serializers.StatisticsQuery], responses={200: serializers.StatisticsSerializer})
    def statistics(self, request: Request) -> Response:
        """Jobs, products, calls and time by day, by source or by both; dry runs do not count."""
        query = serializers.StatisticsQuery.parse(request)
        return self.reply(
            statistics(query["start_time"], query["end_time"], source=query.get("source"), group=query["group"])
        )

    @extend_schema(responses={200: serializers.QuotaAnswerSerializer})
    def quota(self, request: Request) -> Response:
        """Calls of each app key: used today, left, reserve, by API, the last seven days, and what running jobs need."""
        serializers.NoParameters.parse(request)
        return self.reply({"items": quota_views()})


class SyncTaskViewSet(ApiViewSet):
    """A sync submitted as a task (seed 003)."""

    permission_classes = [IsAdmin]
    settled_actions = frozenset({"sync"})

    @extend_schema(
        request=serializers.SyncTaskSerializer,
        responses={202: SubmittedSerializer},
        examples=[WINDOW_EXAMPLE, SUBMITTED_EXAMPLE],
        tags=["tasks"],
    )
    def sync(self, request: Request) -> Response:
        """Read again what changed from one day to another, in the default source; `full` reads the categories, too.

        Nothing is delisted, since such a window proves nothing. 409 names the sync that already covers the source.
        `task_id` is the first task of that sync; cancelling it stops the sync.
        """
        body = serializers.SyncTaskSerializer.parse(request)
        job = jobs.start_sync(serializers.sync_task_request(body, request.user.get_username()))
        task = selectors.first_task(job)
        estimate = estimated_time(task.kind, task.queue, selectors.usual_seconds(job.type))
        return self.accept(submitted(task, estimate), message=_("Task submitted"))
