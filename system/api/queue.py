"""The task queue as people see it: every asynchronous task, from our own rows, waiting ones included (seed 000)."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet
from django.utils.translation import gettext_lazy as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from system.api.listing import capped_count
from system.api.pagination import Page, PageQuery, encode_cursor, page_body
from system.api.permissions import IsSyncOperator, IsViewer
from system.api.query import ListField, Query, QuerySerializer, TimeField
from system.api.views import ApiViewSet
from system.models import Task
from system.queue_stats import queue_stats
from system.services import tasks
from system.task_kinds import job_names
from system.task_records import task_view, task_views

SCOPE = "queue-tasks"
LOOKUPS = {
    "status": "state__in",
    "queue": "queue__in",
    "kind": "kind",
    "request_id": "request_id",
    "start_time": "created_at__gte",
    "end_time": "created_at__lt",
}


class TasksQuery(PageQuery):
    """Parameters of `GET queue/tasks`."""

    status = ListField(child=serializers.ChoiceField(choices=Task.State.choices))
    queue = ListField(child=serializers.ChoiceField(choices=Task.Queue.choices))
    kind = serializers.CharField(max_length=50, required=False, help_text=_("Such as sync.slice"))
    job = serializers.CharField(max_length=30, required=False, help_text=_("task_id of a sync"))
    request_id = serializers.CharField(max_length=64, required=False, help_text=_("Of the call that made the task"))
    start_time = TimeField(required=False, help_text=_("Created at or after"))
    end_time = TimeField(required=False, help_text=_("Created before"))


class AttemptSerializer(serializers.Serializer[Any]):
    """One claim of a task by a worker."""

    started_at = serializers.DateTimeField(allow_null=True)
    finished_at = serializers.DateTimeField(allow_null=True)
    worker = serializers.CharField(allow_null=True)
    error = serializers.DictField(allow_null=True)


class TaskSerializer(serializers.Serializer[Any]):
    """One asynchronous task. `payload` shows ids and what is declared harmless."""

    id = serializers.UUIDField()
    kind = serializers.CharField()
    queue = serializers.ChoiceField(choices=Task.Queue.choices)
    priority = serializers.ChoiceField(choices=Task.Queue.choices)
    status = serializers.ChoiceField(choices=Task.State.choices)
    attempts = AttemptSerializer(many=True)
    job = serializers.CharField(allow_null=True, help_text=_("task_id of a sync"))
    payload = serializers.DictField()
    result = serializers.JSONField(allow_null=True)
    error = serializers.DictField(allow_null=True)
    created_at = serializers.DateTimeField()
    started_at = serializers.DateTimeField(allow_null=True)
    finished_at = serializers.DateTimeField(allow_null=True)


class QueueStatsSerializer(serializers.Serializer[Any]):
    """Tasks of one queue; `oldest_pending_seconds` is null when none is due."""

    pending = serializers.IntegerField()
    running = serializers.IntegerField()
    oldest_pending_seconds = serializers.IntegerField(allow_null=True)


class QueuesSerializer(serializers.Serializer[Any]):
    """The three queues, in the order in which workers empty them."""

    critical = QueueStatsSerializer()
    default = QueueStatsSerializer()
    low = QueueStatsSerializer()


class OnlineWorkersSerializer(serializers.Serializer[Any]):
    """Workers that consumed something in the last minute, and when one last did."""

    online = serializers.IntegerField()
    last_seen = serializers.DateTimeField(allow_null=True)


class StatsSerializer(serializers.Serializer[Any]):
    """How full the queues are. `per_minute` counts what ended in the last minute."""

    queues = QueuesSerializer()
    workers = OnlineWorkersSerializer()
    per_minute = serializers.IntegerField()
    failed_last_hour = serializers.IntegerField()


ENDED = OpenApiResponse(description=_("The task has ended"))
TASK_ID = OpenApiParameter("task_id", OpenApiTypes.UUID, OpenApiParameter.PATH)


class QueueViewSet(ApiViewSet):
    """Tasks and queues. Reading needs the viewer's role, acting the operator's."""

    permission_classes = [IsViewer]
    action_permissions = {"retry": IsSyncOperator, "cancel": IsSyncOperator}
    settled_actions = frozenset({"retry"})

    @extend_schema(parameters=[TasksQuery], responses={200: TaskSerializer(many=True)}, tags=["queue"])
    def list(self, request: Request) -> Response:
        """Tasks of all kinds, newest first; they are kept for 30 days after their end."""
        return self.reply(_page(TasksQuery.parse(request)))

    @extend_schema(parameters=[TASK_ID], responses={200: TaskSerializer}, tags=["queue"])
    def retrieve(self, request: Request, task_id: str) -> Response:
        """One task with all its attempts."""
        QuerySerializer.parse(request)
        return self.reply(task_view(tasks.find_task(task_id)))

    @extend_schema(request=None, parameters=[TASK_ID], responses={202: TaskSerializer}, tags=["queue"])
    def retry(self, request: Request, task_id: str) -> Response:  # noqa: ARG002 (the framework's signature)
        """Put a failed or cancelled task back into its queue; earlier attempts stay on record. Any other state: 409."""
        return self.accept(task_view(tasks.retry_task(task_id)), message=_("Waiting for another attempt"))

    @extend_schema(parameters=[TASK_ID], responses={200: TaskSerializer, 409: ENDED}, tags=["queue"])
    def cancel(self, request: Request, task_id: str) -> Response:  # noqa: ARG002 (the framework's signature)
        """Cancel a task for good: a waiting one at once, a running one within seconds (`cancelling` until then).

        A task of a sync stops that sync; it can be resumed. Cancelling twice is the same as once; an ended task: 409.
        """
        task = tasks.cancel_task(task_id)
        return self.reply(task_view(task), message=_("Cancelled"))

    @extend_schema(responses={200: StatsSerializer}, tags=["queue"])
    def stats(self, request: Request) -> Response:
        """Waiting and running tasks of each queue, workers alive, what ended lately."""
        QuerySerializer.parse(request)
        return self.reply(queue_stats())


def _page(query: Query) -> Page:
    """By creation and id: random ids have no order of their own."""
    window, found = query.window, _found(query)
    rows = found.order_by("-created_at", "-id")
    if position := window.position(SCOPE):
        rows = _after(rows, datetime.fromisoformat(position[0]), UUID(position[1]))
    read = list(rows[window.offset : window.offset + window.page_size + 1])
    shown = read[: window.page_size]
    last = shown[-1] if len(read) > len(shown) else None
    cursor = encode_cursor(SCOPE, [last.created_at.isoformat(), str(last.pk)]) if last else None
    total, exact = capped_count(found)
    return page_body(task_views(shown), total, query, total_exact=exact, next_cursor=cursor)


def _found(query: Query) -> "QuerySet[Task]":
    found = Task.objects.filter(**{lookup: query[name] for name, lookup in LOOKUPS.items() if query.get(name)})
    if "job" not in query:
        return found
    number = job_names().number(query["job"])
    return found.none() if number is None else found.filter(job_id=number)


def _after(rows: "QuerySet[Task]", moment: datetime, task_id: UUID) -> "QuerySet[Task]":
    """The rows behind this one; the first condition is what the index understands."""
    return rows.filter(created_at__lte=moment).filter(Q(created_at__lt=moment) | Q(id__lt=task_id))
