"""The whole route table of the API. No trailing slash; one is tolerated and not documented."""

from typing import Any

from django.urls import URLPattern, path

from accounts.api.views import ApiKeyViewSet, AuthViewSet, ProfileViewSet, UserViewSet
from products.api.views import (
    BatchViewSet,
    CategoryViewSet,
    ChangeViewSet,
    ExportViewSet,
    OwnershipViewSet,
    ProductViewSet,
    ShopViewSet,
    SkuViewSet,
    SuggestionViewSet,
)
from syncjobs.api.views import (
    CallbackViewSet,
    DeliveryViewSet,
    JobViewSet,
    RawViewSet,
    RejectFileViewSet,
    RejectViewSet,
    ScheduleViewSet,
    SourceViewSet,
    SyncTaskViewSet,
    SyncViewSet,
    WebhookViewSet,
)
from system.api.configuration import ConfigViewSet
from system.api.health import HealthView, SystemHealthView
from system.api.information import InfoView
from system.api.logbooks import LogbookViewSet
from system.api.queue import QueueViewSet
from system.api.tasks import TaskSubmissionViewSet

COLLECTION: dict[str, Any] = {"get": "list", "post": "create"}
RESOURCE: dict[str, Any] = {"get": "retrieve", "put": "update", "patch": "partial_update", "delete": "destroy"}

routes: list[URLPattern] = [
    path("products", ProductViewSet.as_view(COLLECTION)),
    path("products/batch", BatchViewSet.as_view({"post": "batch"})),
    path("products/search", ProductViewSet.as_view({"get": "search"})),
    path("products/search/suggestions", SuggestionViewSet.as_view({"get": "complete"})),
    path("products/changes", ChangeViewSet.as_view({"get": "read"})),
    path("products/conflicts", OwnershipViewSet.as_view({"get": "list"})),
    path("products/release", OwnershipViewSet.as_view({"post": "bulk_release"})),
    path("products/export", ExportViewSet.as_view({"get": "export"})),
    path("products/exports/<task_id>", ExportViewSet.as_view({"get": "retrieve"})),
    path("products/exports/<task_id>/download", ExportViewSet.as_view({"get": "download"})),
    path("products/<pk>", ProductViewSet.as_view(RESOURCE)),
    path("products/<pk>/publish", ProductViewSet.as_view({"post": "publish"})),
    path("products/<pk>/disable", ProductViewSet.as_view({"post": "disable"})),
    path("products/<pk>/release", ProductViewSet.as_view({"post": "release"})),
    path("products/<pk>/restore", ProductViewSet.as_view({"post": "restore"})),
    path("products/<pk>/purge", ProductViewSet.as_view({"post": "purge"})),
    path("products/<pk>/skus", SkuViewSet.as_view(COLLECTION)),
    path("products/<pk>/skus/<sku_id>", SkuViewSet.as_view(RESOURCE)),
    path("products/<pk>/history", ProductViewSet.as_view({"get": "history"})),
    path("categories", CategoryViewSet.as_view({"get": "list"})),
    path("categories/<pk>", CategoryViewSet.as_view({"get": "retrieve"})),
    path("shops", ShopViewSet.as_view({"get": "list"})),
    path("shops/<pk>", ShopViewSet.as_view({"get": "retrieve"})),
    path("shops/<pk>/follow", ShopViewSet.as_view({"post": "follow", "delete": "unfollow"})),
    path("sync/start", SyncViewSet.as_view({"post": "start"})),
    path("sync/stop", SyncViewSet.as_view({"post": "stop"})),
    path("sync/resume", SyncViewSet.as_view({"post": "resume"})),
    path("sync/validate", SyncViewSet.as_view({"post": "validate"})),
    path("sync/status", SyncViewSet.as_view({"get": "status"})),
    path("sync/logs", SyncViewSet.as_view({"get": "logs"})),
    path("sync/statistics", SyncViewSet.as_view({"get": "statistics"})),
    path("sync/quota", SyncViewSet.as_view({"get": "quota"})),
    path("sync/jobs", JobViewSet.as_view({"get": "list"})),
    path("sync/jobs/<task_id>", JobViewSet.as_view({"get": "retrieve"})),
    path("queue/tasks", QueueViewSet.as_view({"get": "list"})),
    path("queue/tasks/<task_id>", QueueViewSet.as_view({"get": "retrieve", "delete": "cancel"})),
    path("queue/tasks/<task_id>/retry", QueueViewSet.as_view({"post": "retry"})),
    path("queue/stats", QueueViewSet.as_view({"get": "stats"})),
    path("tasks/email", TaskSubmissionViewSet.as_view({"post": "email"})),
    path("tasks/sync", SyncTaskViewSet.as_view({"post": "sync"})),
    path("sync/sources", SourceViewSet.as_view(COLLECTION)),
    path("sync/sources/<pk>", SourceViewSet.as_view(RESOURCE)),
    path("sync/sources/<pk>/check", SourceViewSet.as_view({"post": "check"})),
    path("sync/sources/<pk>/drift", RawViewSet.as_view({"get": "drift"})),
    path("sync/schedules", ScheduleViewSet.as_view(COLLECTION)),
    path("sync/schedules/<pk>", ScheduleViewSet.as_view(RESOURCE)),
    path("sync/callbacks/<source>", CallbackViewSet.as_view({"post": "receive"})),
    path("webhooks", WebhookViewSet.as_view(COLLECTION)),
    path("webhooks/<pk>", WebhookViewSet.as_view(RESOURCE)),
    path("webhooks/<pk>/secret", WebhookViewSet.as_view({"post": "rotate"})),
    path("webhooks/<pk>/deliveries", DeliveryViewSet.as_view({"get": "list"})),
    path("webhooks/<pk>/deliveries/<delivery_id>/redeliver", DeliveryViewSet.as_view({"post": "redeliver"})),
    path("sync/jobs/<task_id>/changes", JobViewSet.as_view({"get": "changes"})),
    path("sync/jobs/<task_id>/events", JobViewSet.as_view({"get": "events"})),
    path("sync/jobs/<task_id>/compare", JobViewSet.as_view({"get": "compare"})),
    path("sync/jobs/<task_id>/approve", JobViewSet.as_view({"post": "approve"})),
    path("sync/jobs/<task_id>/undo", JobViewSet.as_view({"post": "undo"})),
    path("sync/replay", RawViewSet.as_view({"post": "replay"})),
    path("sync/answers", RawViewSet.as_view({"get": "list"})),
    path("sync/answers/<pk>", RawViewSet.as_view({"get": "retrieve"})),
    path("sync/jobs/<task_id>/rejects", RejectViewSet.as_view({"get": "list"})),
    path("sync/jobs/<task_id>/rejects/retry", RejectViewSet.as_view({"post": "retry_all"})),
    path("sync/jobs/<task_id>/rejects/export", RejectFileViewSet.as_view({"get": "export"})),
    path("sync/jobs/<task_id>/rejects/<pk>", RejectViewSet.as_view({"get": "retrieve"})),
    path("sync/jobs/<task_id>/rejects/<pk>/retry", RejectViewSet.as_view({"post": "retry"})),
    path("auth/login", AuthViewSet.as_view({"post": "login"})),
    path("auth/refresh", AuthViewSet.as_view({"post": "refresh"})),
    path("auth/logout", AuthViewSet.as_view({"post": "logout"})),
    path("auth/password", AuthViewSet.as_view({"post": "change_password"})),
    path("auth/profile", ProfileViewSet.as_view({"get": "profile", "patch": "update_profile"})),
    path("auth/api-keys", ApiKeyViewSet.as_view({"get": "list", "post": "create"})),
    path("auth/api-keys/<pk>", ApiKeyViewSet.as_view({"delete": "destroy"})),
    path("auth/api-keys/<pk>/reset", ApiKeyViewSet.as_view({"post": "reset"})),
    path("users", UserViewSet.as_view({"get": "list", "post": "create"})),
    path(
        "users/<pk>",
        UserViewSet.as_view({"get": "retrieve", "put": "update", "patch": "partial_update", "delete": "destroy"}),
    ),
    path("users/<pk>/purge", UserViewSet.as_view({"post": "purge"})),
    path("health", HealthView.as_view()),
    path("system/health", SystemHealthView.as_view()),
    path("system/info", InfoView.as_view()),
    path("system/config", ConfigViewSet.as_view({"get": "retrieve", "put": "update"})),
    path("system/logs", LogbookViewSet.as_view({"get": "logs"})),
    path("system/audit", LogbookViewSet.as_view({"get": "audit"})),
]

slashed = [path(f"{route.pattern}/", route.callback) for route in routes]

urlpatterns = [*routes, *slashed]
