"""The whole route table of the API. No trailing slash; one is tolerated and not documented."""

from typing import Any

from django.urls import URLPattern, path

from accounts.api.views import AuthViewSet
from products.api.views import CategoryViewSet, ProductViewSet
from syncjobs.api.views import (
    CallbackViewSet,
    DeliveryViewSet,
    JobViewSet,
    ScheduleViewSet,
    SourceViewSet,
    SyncViewSet,
    WebhookViewSet,
)
from system.api.configuration import ConfigViewSet
from system.api.health import HealthView, SystemHealthView
from system.api.information import InfoView
from system.api.logbooks import LogbookViewSet

COLLECTION: dict[str, Any] = {"get": "list", "post": "create"}
RESOURCE: dict[str, Any] = {"get": "retrieve", "put": "update", "patch": "partial_update", "delete": "destroy"}

routes: list[URLPattern] = [
    path("products", ProductViewSet.as_view({"get": "list"})),
    path("products/<pk>", ProductViewSet.as_view({"get": "retrieve"})),
    path("categories", CategoryViewSet.as_view({"get": "list"})),
    path("categories/<pk>", CategoryViewSet.as_view({"get": "retrieve"})),
    path("sync/start", SyncViewSet.as_view({"post": "start"})),
    path("sync/stop", SyncViewSet.as_view({"post": "stop"})),
    path("sync/resume", SyncViewSet.as_view({"post": "resume"})),
    path("sync/status", SyncViewSet.as_view({"get": "status"})),
    path("sync/logs", SyncViewSet.as_view({"get": "logs"})),
    path("sync/jobs", JobViewSet.as_view({"get": "list"})),
    path("sync/jobs/<task_id>", JobViewSet.as_view({"get": "retrieve"})),
    path("sync/sources", SourceViewSet.as_view(COLLECTION)),
    path("sync/sources/<pk>", SourceViewSet.as_view(RESOURCE)),
    path("sync/sources/<pk>/check", SourceViewSet.as_view({"post": "check"})),
    path("sync/schedules", ScheduleViewSet.as_view(COLLECTION)),
    path("sync/schedules/<pk>", ScheduleViewSet.as_view(RESOURCE)),
    path("sync/callbacks/<source>", CallbackViewSet.as_view({"post": "receive"})),
    path("webhooks", WebhookViewSet.as_view(COLLECTION)),
    path("webhooks/<pk>", WebhookViewSet.as_view(RESOURCE)),
    path("webhooks/<pk>/secret", WebhookViewSet.as_view({"post": "rotate"})),
    path("webhooks/<pk>/deliveries", DeliveryViewSet.as_view({"get": "list"})),
    path("webhooks/<pk>/deliveries/<delivery_id>/redeliver", DeliveryViewSet.as_view({"post": "redeliver"})),
    path("auth/login", AuthViewSet.as_view({"post": "login"})),
    path("auth/refresh", AuthViewSet.as_view({"post": "refresh"})),
    path("auth/logout", AuthViewSet.as_view({"post": "logout"})),
    path("auth/profile", AuthViewSet.as_view({"get": "profile", "patch": "update_profile"})),
    path("health", HealthView.as_view()),
    path("system/health", SystemHealthView.as_view()),
    path("system/info", InfoView.as_view()),
    path("system/config", ConfigViewSet.as_view({"get": "retrieve", "put": "update"})),
    path("system/logs", LogbookViewSet.as_view({"get": "logs"})),
    path("system/audit", LogbookViewSet.as_view({"get": "audit"})),
]

slashed = [path(f"{route.pattern}/", route.callback) for route in routes]

urlpatterns = [*routes, *slashed]
