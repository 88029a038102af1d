"""The API's documents: the schema and two ways to read it, served from our own host alone."""

from functools import cache
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse
from django.utils import translation
from django.views.decorators.http import require_safe
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request

from system.api.permissions import IsAnyone
from system.api.query import QuerySerializer
from system.api.renderers import dumps
from system.api.throttling.charging import unlimited
from system.api.versions import oldest_version
from system.api.views import ApiView

# Swagger UI and Redoc set styles inline; scripts come from our own files only.
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "font-src 'self' data:; connect-src 'self'; worker-src blob:; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)


class SchemaQuery(QuerySerializer):
    """Parameters of the schema."""

    lang = serializers.ChoiceField(choices=[code for code, _name in settings.LANGUAGES], required=False)


class SchemaView(ApiView):
    """OpenAPI 3 of one API version, as JSON."""

    permission_classes = [IsAnyone]
    rate_limited = False

    @extend_schema(exclude=True)
    def get(self, request: Request) -> HttpResponse:
        """The schema, in the language of `lang` or else of Accept-Language."""
        language = SchemaQuery.parse(request).get("lang") or translation.get_language()
        return HttpResponse(schema_bytes(self.api.name, language), "application/json")


@cache
def schema_bytes(version: str, language: str) -> bytes:
    """The OpenAPI document of a version in a language, as JSON."""
    generator: Any = SchemaGenerator(api_version=version)  # type: ignore[no-untyped-call]
    with translation.override(language):
        return dumps(generator.get_schema(public=True))


@unlimited
@require_safe
def swagger(request: HttpRequest) -> HttpResponse:
    """Swagger UI, which can also send requests."""
    return _page(request, "apidocs/swagger.html")


@unlimited
@require_safe
def redoc(request: HttpRequest) -> HttpResponse:
    """Redoc, for reading."""
    return _page(request, "apidocs/redoc.html")


def _page(request: HttpRequest, template: str) -> HttpResponse:
    """A reader of the version and language that `?version=` and `?lang=` name; others are offered beside it."""
    languages = dict(settings.LANGUAGES)
    chosen = request.GET.get("lang", "")
    language = chosen if chosen in languages else translation.get_language()
    asked = request.GET.get("version", "")
    version = asked if asked in settings.API_VERSIONS else oldest_version()
    context = {
        "version": version,
        "versions": list(settings.API_VERSIONS),
        "language": language,
        "languages": languages.items(),
        "schema": f"{reverse('schema', kwargs={'version': version})}?lang={language}",
    }
    with translation.override(language):
        response = render(request, template, context)
    response.headers["Content-Security-Policy"] = CONTENT_SECURITY_POLICY
    return response
