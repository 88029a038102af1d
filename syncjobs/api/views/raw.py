"""What sources answered before: look at it, and have it mapped anew."""

from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from syncjobs import selectors
from syncjobs.api import serializers
from syncjobs.models import RawAnswer
from syncjobs.selectors import raw
from syncjobs.selectors.drift import drift_view
from syncjobs.services.jobs import find_job
from syncjobs.services.replays import start_replay
from syncjobs.services.sources import source_with_id
from system.api.listing import newest_page
from system.api.paths import row_id
from system.api.permissions import IsSyncOperator, IsViewer
from system.api.views import ApiViewSet
from system.errors import ApplicationError, ErrorCode

REPLAY_EXAMPLE = OpenApiExample("What was seen in a week", value={"since": "7d", "dry_run": True}, request_only=True)


class RawViewSet(ApiViewSet):
    """Kept answers."""

    permission_classes = [IsViewer]
    action_permissions = {"replay": IsSyncOperator}
    throttle_buckets = {"replay": ("sync_start",)}

    @extend_schema(parameters=[serializers.RawQuery], responses={200: serializers.RawAnswerSerializer(many=True)})
    def list(self, request: Request) -> Response:
        """What sources answered about a product or at all, the answer that was heard last first."""
        query = serializers.RawQuery.parse(request)
        page = newest_page(raw.raw_answers(query), query, scope="sync-raw", show=raw.raw_view)
        raw.with_tasks(page.items)
        return self.reply(page)

    @extend_schema(responses={200: serializers.RawAnswerDetailSerializer})
    def retrieve(self, request: Request, pk: str) -> Response:
        """One kept answer with what the source sent."""
        serializers.NoParameters.parse(request)
        found = RawAnswer.objects.filter(pk=row_id(pk)).first()
        if found is None:
            raise ApplicationError(ErrorCode.NOT_FOUND)
        return self.reply(raw.raw_detail(found))

    @extend_schema(
        request=serializers.ReplaySerializer, responses={202: serializers.JobSerializer}, examples=[REPLAY_EXAMPLE]
    )
    def replay(self, request: Request) -> Response:
        """Map kept answers as the source's mapping is now, and store what differs, without one call to the source.

        It is a job like any other, with receipt, changes, rejects and undo; it delists nothing and moves no watermark.
        What a later sync has stored stays.
        """
        body = serializers.ReplaySerializer.parse(request)
        job = start_replay(serializers.replay_request(body, request.user.get_username()))
        return self.accept(selectors.job_view(job), message=_("Replay started"))

    @extend_schema(parameters=[serializers.DriftQuery], responses={200: serializers.DriftSerializer})
    def drift(self, request: Request, pk: str) -> Response:
        """Fields of a source's answers that are new, of another type or gone, since when, and in which share.

        After each job the answers it heard for the first time are looked at; of many only a part.
        """
        query = serializers.DriftQuery.parse(request)
        filters = {"change": query.get("change"), "since": query.get("since")}
        if "task_id" in query:
            filters["job_id"] = find_job(query["task_id"]).pk
        return self.reply(drift_view(source_with_id(row_id(pk)).name, filters))
