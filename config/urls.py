"""All routes: pages and documents here, the API itself in `config.api_urls`."""

from importlib import import_module

from django.conf import settings
from django.contrib import admin
from django.urls import path
from django.urls.resolvers import RoutePattern

from system.api import handlers
from system.api.docs import SchemaView, redoc, swagger
from system.api.health import bare_health, live
from system.api.information import MetricsView
from system.api.resolving import RememberingResolver

handler400 = handlers.bad_request
handler403 = handlers.permission_denied
handler404 = handlers.page_not_found
handler500 = handlers.server_error

urlpatterns = [
    RememberingResolver(RoutePattern("api/<version:version>/"), import_module("config.api_urls")),
    path("api/<version:version>/schema", SchemaView.as_view(), name="schema"),
    path("api/docs", swagger, name="swagger"),
    path("api/redoc", redoc, name="redoc"),
    path("health", bare_health),
    path("health/live", live),
    path("metrics", MetricsView.as_view()),
    path(settings.ADMIN_URL, admin.site.urls),
]
