"""Records that could not be used: look at them, and have them replayed."""

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from syncjobs import selectors
from syncjobs.api import serializers
from syncjobs.selectors.rejects import reject, reject_view, rejects
from syncjobs.services.jobs import find_job
from syncjobs.services.rejects import find_reject, retry_reject
from system.api.listing import newest_page
from system.api.paths import row_id
from system.api.permissions import IsSyncOperator, IsViewer
from system.api.serializers import EmptyBody
from system.api.views import ApiViewSet


class RejectViewSet(ApiViewSet):
    """The rejected records of one job."""

    permission_classes = [IsViewer]
    action_permissions = {"retry": IsSyncOperator}

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
