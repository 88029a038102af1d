"""Exports: the catalogue as a file, at once or written by a task."""

from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from django.http.response import HttpResponseBase
from django.utils.translation import gettext_lazy as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework.exceptions import NotAcceptable
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from products.api.queries import ExportQuery
from products.api.serializers.exports import EXPORT_EXAMPLE, ExportSerializer
from products.selectors.exports import export_data, export_task
from products.services.export_files import FORMATS
from products.services.exports import ExportOrder, export_path, fits_an_answer, start_export, written
from system.api.paths import caller_id
from system.api.permissions import IsPayingUser
from system.api.query import QuerySerializer
from system.api.views import ApiViewSet, Negotiation
from system.errors import ApplicationError, ErrorCode
from system.files import file_response
from system.models import Task

MEDIA_TYPES = {name: kind.content_type.partition(";")[0] for name, kind in FORMATS.items()}
# Clients made from the schema take what is no text as bytes.
FILES = {
    (200, media): OpenApiTypes.BINARY if name == "xlsx" else OpenApiTypes.STR for name, media in MEDIA_TYPES.items()
}
STARTED: dict[Any, Any] = {
    **FILES,
    202: ExportSerializer,
    422: OpenApiResponse(description=_("Too many products for one export")),
}
FETCHED: dict[Any, Any] = {
    **FILES,
    409: OpenApiResponse(description=_("The export is not ready")),
    410: OpenApiResponse(description=_("The export has expired")),
}
# What says how a file is wanted rather than what goes into it.
_MANNER = frozenset({"format", "columns", "async"})


class FileNegotiation(Negotiation):
    """Who accepts one of the files is answered, too; refusals are JSON all the same."""

    def select_renderer(
        self, request: Request, renderers: Iterable[BaseRenderer], format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        """The renderer of what is not a file."""
        offered = list(renderers)
        try:
            return super().select_renderer(request, offered, format_suffix)
        except NotAcceptable:
            accepted = request.META.get("HTTP_ACCEPT", "")
            if any(media in accepted for media in MEDIA_TYPES.values()):
                return offered[0], offered[0].media_type or ""
            raise


class ExportViewSet(ApiViewSet):
    """Products as CSV, XLSX or NDJSON."""

    permission_classes = [IsPayingUser]
    content_negotiation_class = FileNegotiation
    throttle_buckets = {"export": ("export",)}

    @extend_schema(parameters=[ExportQuery], responses=STARTED, examples=[EXPORT_EXAMPLE])
    def export(self, request: Request) -> HttpResponseBase:
        """All products that the filters leave, in the order of their ids, as one file.

        An export of many rows, or any with `async=true`, is written by a task: 202 and its `task_id`; read
        `products/exports/{task_id}` until it has succeeded, then fetch `products/exports/{task_id}/download`.
        """
        query = ExportQuery.parse(request)
        filters = {name: value for name, value in query.items() if name not in _MANNER}
        order = ExportOrder(query["format"], filters, query.get("columns"), self.api.name)
        if query["async"] or not fits_an_answer(order):
            return self.accept(export_data(start_export(order, caller_id(request))))
        return _as_file(written(order), order.format, datetime.now(UTC))

    @extend_schema(responses=ExportSerializer, examples=[EXPORT_EXAMPLE])
    def retrieve(self, request: Request, task_id: str) -> Response:
        """How far an export is. Only who ordered it and admins see it."""
        QuerySerializer.parse(request)
        return self.reply(export_data(_visible(request, task_id)))

    @extend_schema(responses=FETCHED)
    def download(self, request: Request, task_id: str) -> HttpResponseBase:
        """The file of an export that has succeeded, for a day."""
        QuerySerializer.parse(request)
        task = _visible(request, task_id)
        if task.state != Task.State.SUCCEEDED or task.finished_at is None:
            raise ApplicationError(ErrorCode.EXPORT_UNFINISHED, details={"status": task.state})
        file_format = task.payload["format"]
        return _as_file(_opened(export_path(task.pk, file_format)), file_format, task.created_at)


def _visible(request: Request, task_id: str) -> Task:
    user: Any = request.user
    task = export_task(task_id, caller_id(request), everybodys=user.has_role("admin"))
    if task is None:
        raise ApplicationError(ErrorCode.NOT_FOUND)
    return task


def _opened(path: Path) -> Any:
    try:
        return path.open("rb")
    except FileNotFoundError:
        raise ApplicationError(ErrorCode.EXPORT_EXPIRED) from None


def _as_file(file: Any, file_format: str, at: datetime) -> HttpResponseBase:
    name = f"products-{at.astimezone(UTC):%Y%m%d-%H%M%S}.{file_format}"
    return file_response(file, name, FORMATS[file_format].content_type)
