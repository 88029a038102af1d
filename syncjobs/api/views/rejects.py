"""Records that could not be used: look at them, and have them replayed."""

from typing import Any

from django.http.response import HttpResponseBase
from django.utils.translation import gettext_lazy as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from products.api.views.exports import FileNegotiation
from syncjobs import selectors
from syncjobs.api import serializers
from syncjobs.selectors.rejects import reject, reject_view, rejects
from syncjobs.services.jobs import find_job
from syncjobs.services.reject_files import CONTENT_TYPES, rejects_file
from syncjobs.services.reject_retries import retry_rejects
from syncjobs.services.rejects import find_reject, retry_reject
from system.api.listing import newest_page
from system.api.paths import row_id
from system.api.permissions import IsSyncOperator, IsViewer
from system.api.serializers import EmptyBody
from system.api.views import ApiViewSet
from system.files import file_response

FILES: dict[Any, Any] = {
    **{(200, media.partition(";")[0]): OpenApiTypes.STR for media in CONTENT_TYPES.values()},
    422: OpenApiResponse(description=_("Too many rejected records for one file")),
}


class RejectViewSet(ApiViewSet):
    """The rejected records of one job."""

    permission_classes = [IsViewer]
    action_permissions = {"retry": IsSyncOperator, "retry_all": IsSyncOperator}

    @extend_schema(parameters=[serializers.RejectsQuery], responses={200: serializers.RejectSerializer(many=True)})
    def list(self, request: Request, task_id: str) -> Response:
        """Rejected records with the reason and the beginning of what the source sent, newest first."""
        query = serializers.RejectsQuery.parse(request)
        job_id = find_job(task_id).pk
        return self.reply(newest_page(rejects(job_id, query), query, scope=f"sync-rejects:{job_id}", show=reject_view))

    @extend_schema(responses={200: serializers.RejectSerializer})
    def retrieve(self, request: Request, task_id: str, pk: str) -> Response:
        """One rejected record."""
        serializers.NoParameters.parse(request)
        find_job(task_id)
        found = find_reject(task_id, row_id(pk))
        return self.reply(reject_view(reject(found.pk)))

    @extend_schema(request=None, responses={200: serializers.RetriedSerializer})
    def retry(self, request: Request, task_id: str, pk: str) -> Response:
        """Map and store the record as the source's mapping is now, without asking the source.

        A record that is rejected again keeps its new reason; one that was replayed already stays as it came out.
        """
        EmptyBody.parse(request)
        retried = retry_reject(task_id, row_id(pk))
        shown = reject_view(reject(retried.reject.pk))
        job = selectors.job_view(find_job(task_id))
        return self.reply({"outcome": retried.outcome, "reject": shown, "job": job})

    @extend_schema(request=serializers.RetryRejectsSerializer, responses={202: serializers.RetryingSerializer})
    def retry_all(self, request: Request, task_id: str) -> Response:
        """Retry all records that match and were not resolved yet, by a task that survives its worker."""
        ordered = retry_rejects(task_id, serializers.RetryRejectsSerializer.parse(request))
        return self.accept({"task": ordered.task.pk, "status": ordered.task.state, "matching": ordered.matching})


class RejectFileViewSet(ApiViewSet):
    """The rejected records of one job as a file."""

    permission_classes = [IsViewer]
    content_negotiation_class = FileNegotiation
    throttle_buckets = {"export": ("export",)}

    @extend_schema(parameters=[serializers.RejectsExportQuery], responses=FILES)
    def export(self, request: Request, task_id: str) -> HttpResponseBase:
        """The rejected records that match with all that the source sent, oldest first, as one file."""
        query = serializers.RejectsExportQuery.parse(request)
        job = find_job(task_id)
        file = rejects_file(job.pk, query, query["format"], self.api.naming)
        name = f"rejects-{job.task_id}.{query['format']}"
        return file_response(file, name, CONTENT_TYPES[query["format"]])
