"""Sources: where products come from, and whether it works."""

from dataclasses import replace
from typing import Any

import msgspec
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from syncjobs.api.serializers.sources import (
    ChangeSourceSerializer,
    CheckReportSerializer,
    NewSourceSerializer,
    SourceSerializer,
    SourcesQuery,
)
from syncjobs.api.views.answers import CANNOT_REACH, TOO_SLOW
from syncjobs.connectors.registry import Credentials
from syncjobs.models import Source
from syncjobs.selectors.sources import source_views, sources
from syncjobs.services.source_checks import checked
from syncjobs.services.source_removal import delete_source
from syncjobs.services.sources import NewSource, SourceSettings, add_source, change_source, source_with_id
from system.api.conditional import ConditionalViewSet, expected_versions
from system.api.listing import newest_page
from system.api.paths import row_id
from system.api.permissions import IsSyncOperator, IsViewer
from system.api.query import QuerySerializer
from system.api.serializers import EmptyBody

NEW_SOURCE_EXAMPLE = OpenApiExample(
    "The 1688 open platform",
    value={
        "name": "main",
        "kind": "alibaba1688",
        "app_key": "1000000",
        "credentials": {"app_secret": "…", "refresh_token": "…"},
        "calls_per_second": 10,
        "daily_call_limit": 50000,
    },
    request_only=True,
)


@extend_schema(tags=["sync"])
class SourceViewSet(ConditionalViewSet):
    """Sources. Secrets go in and never come out."""

    permission_classes = [IsSyncOperator]
    action_permissions = {"list": IsViewer, "retrieve": IsViewer}
    idempotent_outside = frozenset({"check"})
    throttle_buckets = {"check": ("sync_start",)}

    @extend_schema(parameters=[SourcesQuery], responses=SourceSerializer(many=True))
    def list(self, request: Request) -> Response:
        """Sources, newest first."""
        query = SourcesQuery.parse(request)
        wanted = {name: query[name] for name in ("kind", "is_enabled") if query.get(name) is not None}
        page = newest_page(sources().filter(**wanted), query, scope="sources", show=lambda row: row)
        return self.reply_unless_known(request, replace(page, items=source_views(page.items)))

    @extend_schema(request=NewSourceSerializer, responses={201: SourceSerializer}, examples=[NEW_SOURCE_EXAMPLE])
    def create(self, request: Request) -> Response:
        """Add a source; the first one becomes the default. Check it before you rely on it."""
        body = NewSourceSerializer.parse(request)
        credentials = Credentials(app_key=body.pop("app_key"), **body.pop("credentials", {}))
        source = add_source(NewSource(credentials=credentials, is_default=body.pop("is_default", None), **body))
        return self._shown(source, status=201)

    @extend_schema(responses=SourceSerializer)
    def retrieve(self, request: Request, pk: str) -> Response:
        """One source."""
        QuerySerializer.parse(request)
        source = source_with_id(row_id(pk))
        return self.reply_unless_known(request, source_views([source])[0], version=source.version)

    @extend_schema(request=ChangeSourceSerializer, responses=SourceSerializer)
    def update(self, request: Request, pk: str) -> Response:
        """Set all settings; those left out take their defaults. Secrets left out stay."""
        return self._changed(request, pk, ChangeSourceSerializer.parse(request))

    @extend_schema(request=ChangeSourceSerializer, responses=SourceSerializer)
    def partial_update(self, request: Request, pk: str) -> Response:
        """Change some settings or secrets."""
        return self._changed(request, pk, ChangeSourceSerializer.parse(request, partial=True))

    @extend_schema(responses={204: None, 409: OpenApiResponse(description=_("The source has jobs or products"))})
    def destroy(self, request: Request, pk: str) -> Response:
        """Remove a source that has neither jobs nor products; switch any other off with `is_enabled`."""
        delete_source(row_id(pk), expected_versions(request))
        return Response(status=204)

    @extend_schema(request=None, responses={200: CheckReportSerializer, 502: CANNOT_REACH, 504: TOO_SLOW})
    def check(self, request: Request, pk: str) -> Response:
        """Ask the source: reachable, signed right, permitted for each API, how long authorised."""
        EmptyBody.parse(request)
        report = checked(source_with_id(row_id(pk)))
        return self.reply(msgspec.to_builtins(report), message=_("Source checked"))

    def _changed(self, request: Request, pk: str, body: dict[str, Any]) -> Response:
        source = change_source(
            row_id(pk),
            {name: body[name] for name in (*SourceSettings.__struct_fields__, "app_key") if name in body},
            credentials=body.get("credentials"),
            make_default=body.get("is_default"),
            expected=expected_versions(request),
        )
        return self._shown(source)

    def _shown(self, source: Source, status: int = 200) -> Response:
        view = source_views([source])[0]
        headers = {"ETag": self.etag(view, source.version)}
        if status == 201:
            headers["Location"] = f"{self.request.path.rstrip('/')}/{source.pk}"
        return self.reply(view, status=status, headers=headers)
