"""The record of every job: what it did, how it went, and what can be decided about it afterwards."""

from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from syncjobs import selectors
from syncjobs.api import serializers
from syncjobs.api.filters import filter_jobs
from syncjobs.selectors import runs
from syncjobs.services import jobs
from syncjobs.services.approval import approve_sync
from syncjobs.services.undo import undo_sync
from system.api.listing import newest_page, oldest_page
from system.api.pagination import Page
from system.api.permissions import IsSyncOperator, IsViewer
from system.api.query import Query
from system.api.serializers import EmptyBody
from system.api.views import ApiViewSet
from system.errors import ApplicationError, ErrorCode


class JobViewSet(ApiViewSet):
    """The record of every job."""

    permission_classes = [IsViewer]
    action_permissions = {"approve": IsSyncOperator, "undo": IsSyncOperator}

    @extend_schema(parameters=[serializers.JobsQuery], responses={200: serializers.JobSerializer(many=True)})
    def list(self, request: Request) -> Response:
        """Jobs, newest first."""
        query = serializers.JobsQuery.parse(request)
        return self.reply(newest_page(filter_jobs(query), query, scope="sync-jobs", show=selectors.job_view))

    @extend_schema(responses={200: serializers.JobDetailSerializer})
    def retrieve(self, request: Request, task_id: str) -> Response:
        """One job, and which fields its changes were about."""
        serializers.NoParameters.parse(request)
        return self.reply(runs.job_detail(jobs.find_job(task_id)))

    @extend_schema(parameters=[serializers.ChangesQuery], responses={200: serializers.RunChangeSerializer(many=True)})
    def changes(self, request: Request, task_id: str) -> Response:
        """What the job changed, field by field, newest first; with `kind=held` what it would delist if you agree."""
        query = serializers.ChangesQuery.parse(request)
        page = _changes(jobs.find_job(task_id).pk, query)
        runs.with_names(page.items)
        return self.reply(page)

    @extend_schema(parameters=[serializers.EventsQuery], responses={200: serializers.EventSerializer(many=True)})
    def events(self, request: Request, task_id: str) -> Response:
        """The steps of the job, oldest first: what the WebSocket told, for those who ask instead of listening."""
        query = serializers.EventsQuery.parse(request)
        job_id = jobs.find_job(task_id).pk
        found = runs.events(job_id).filter(pk__gt=query.get("since", 0))
        return self.reply(oldest_page(found, query, scope=f"sync-events:{job_id}", show=runs.event_view))

    @extend_schema(parameters=[serializers.CompareQuery], responses={200: serializers.ComparisonSerializer})
    def compare(self, request: Request, task_id: str) -> Response:
        """Two jobs side by side: counters, time, fields, and which products changed in both or in one."""
        query = serializers.CompareQuery.parse(request)
        job = jobs.find_job(task_id)
        other = jobs.find_job(query["with"]) if "with" in query else runs.previous(job)
        if other is None:
            raise ApplicationError(ErrorCode.NOT_FOUND, details={"with": None})
        return self.reply(runs.comparison(job, other))

    @extend_schema(request=None, responses={202: serializers.JobSerializer})
    def approve(self, request: Request, task_id: str) -> Response:
        """Agree to the delisting a held job has shown; no product beyond that list is delisted."""
        EmptyBody.parse(request)
        return self.accept(selectors.job_view(approve_sync(task_id)), message=_("Delisting approved"))

    @extend_schema(
        request=serializers.UndoSerializer,
        responses={200: serializers.UndoneSerializer, 202: serializers.UndoneSerializer},
    )
    def undo(self, request: Request, task_id: str) -> Response:
        """Put back all or some products of a job that nobody has changed since; 202 when that takes a task."""
        body = serializers.UndoSerializer.parse(request)
        done = undo_sync(task_id, body.get("product_ids"))
        shown = {
            "status": "pending" if done.task else "done",
            "task": done.task.id if done.task else None,
            "undone": done.undone,
            "skipped": done.skipped,
            "skipped_by_reason": done.skipped_by_reason,
        }
        return self.accept(shown) if done.task else self.reply(shown)


def _changes(job_id: int, query: Query) -> Page:
    if query.get("kind") == ["held"]:
        return newest_page(runs.held(job_id, query), query, scope=f"sync-held:{job_id}", show=runs.held_view)
    found = runs.changes(job_id, query)
    return newest_page(found, query, scope=f"sync-changes:{job_id}", show=runs.change_view)
