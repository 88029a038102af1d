"""The API's documents: the schema and two ways to read it, served from our own host alone."""

from functools import cache
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import translation
from django.views.decorators.http import require_safe
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request

from system.api.permissions import IsAnyone
from system.api.renderers import dumps
from system.api.views import ApiView

# Swagger UI and Redoc set styles inline; scripts come from our own files only.
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "font-src 'self' data:; connect-src 'self'; worker-src blob:; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)


class SchemaView(ApiView):
    """OpenAPI 3 of one API version, as JSON."""

    permission_classes = [IsAnyone]

    @extend_schema(exclude=True)
    def get(self, request: Request) -> HttpResponse:  # noqa: ARG002 (the framework's signature)
        """The schema in the caller's language."""
        return HttpResponse(_schema(self.api.name, translation.get_language()), "application/json")


@cache
def _schema(version: str, _language: str) -> bytes:
    generator: Any = SchemaGenerator(api_version=version)  # type: ignore[no-untyped-call]
    return dumps(generator.get_schema(public=True))


@require_safe
def swagger(request: HttpRequest) -> HttpResponse:
    """Swagger UI, which can also send requests."""
    return _page(request, "apidocs/swagger.html")


@require_safe
def redoc(request: HttpRequest) -> HttpResponse:
    """Redoc, for reading."""
    return _page(request, "apidocs/redoc.html")


def _page(request: HttpRequest, template: str) -> HttpResponse:
    response = render(request, template)
    response.headers["Content-Security-Policy"] = CONTENT_SECURITY_POLICY
    return response
