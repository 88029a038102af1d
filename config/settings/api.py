"""The REST API: everything is denied unless a view says otherwise."""

from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from config.env import integer

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["accounts.authentication.CredentialAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["system.api.permissions.DenyAll"],
    "DEFAULT_RENDERER_CLASSES": ["system.api.renderers.EnvelopeRenderer"],
    "DEFAULT_PARSER_CLASSES": ["system.api.parsers.StrictJSONParser"],
    "DEFAULT_SCHEMA_CLASS": "system.api.schema.EnvelopeAutoSchema",
    "EXCEPTION_HANDLER": "system.api.errors.exception_handler",
    "UNAUTHENTICATED_USER": "django.contrib.auth.models.AnonymousUser",
    "NUM_PROXIES": 0,
    # `?format=` would choose a renderer behind the declared query parameters.
    "URL_FORMAT_OVERRIDE": None,
}

# Where each version is defined, oldest first.
API_VERSIONS = {"v1": "system.api.v1.VERSION", "v2": "system.api.v2.VERSION"}
# What is to go: a version ("v1") or one of its routes ("v1 GET products/<pk>"), each with the day it was declared
# deprecated, the day it ends and what takes its place. system.api.lifecycle says it on every answer, and the system
# checks hold it against docs/api-versions.md.
API_DEPRECATIONS: dict[str, dict[str, str]] = {}
# The day each version was released: it is served for six months at least.
API_RELEASES = {"v1": "2025-11-18", "v2": "2026-11-25"}
# How often a process writes down who called what; 0 = only when told to.
API_USAGE_SECONDS = integer("API_USAGE_SECONDS", 10)
API_MAX_PAGE_SIZE = 100
API_MAX_DEPTH = 100_000
# Pages of lists that a process keeps as they went out; 0 = none.
LIST_CACHE_MB = integer("LIST_CACHE_MB", 32, minimum=0, maximum=4096)
API_MAX_BODY_BYTES = 1024 * 1024
API_MAX_BATCH_BODY_BYTES = 5 * 1024 * 1024
# How long an answer is kept under its Idempotency-Key unless an administrator says otherwise.
IDEMPOTENCY_HOURS = integer("IDEMPOTENCY_HOURS", 24, minimum=1, maximum=168)
# What a person types as a local time is meant in the platform's own zone.
API_INPUT_TIME_ZONE = "Asia/Shanghai"


def _header(description: Promise, kind: str = "string") -> dict[str, Any]:
    return {"description": description, "schema": {"type": kind}}


SPECTACULAR_SETTINGS = {
    "TITLE": "1688sync API",
    "DESCRIPTION": _("A copy of 1688.com product catalogues in your own PostgreSQL."),
    "VERSION": "1.0.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
    "SCHEMA_PATH_PREFIX": "/api/v[0-9]+",
    "COMPONENT_SPLIT_REQUEST": True,
    # `make lint` generates and checks every version; the check at start knows none.
    "ENABLE_DJANGO_DEPLOY_CHECK": False,
    "SERVE_PUBLIC": True,
    "SERVE_AUTHENTICATION": [],
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "ENUM_NAME_OVERRIDES": {
        "UserStatus": "accounts.models.User.Status",
        "Tier": "accounts.models.User.Tier",
        "Role": "accounts.roles.ROLES",
        "Scope": "system.api.permissions.SCOPES",
        "ProductStatus": "products.models.Product.Status",
        "ProductChangeKind": "products.models.ProductChange.Kind",
        "JobStatus": "syncjobs.models.SyncJob.State",
        "JobType": "syncjobs.models.SyncJob.Type",
        "TaskStatus": "system.models.Task.State",
        "TaskQueue": "system.models.Task.Queue",
        "SourceKind": ("alibaba1688", "feed"),
        "ScheduledRunStatus": "syncjobs.models.ScheduledRun.State",
        "WebhookEvent": "syncjobs.models.Webhook.Event",
        "DeliveryEvent": "syncjobs.models.WebhookDelivery.EVENTS",
        "WebhookDisabledReason": "syncjobs.models.Webhook.Disabled",
        "DeliveryStatus": "syncjobs.models.WebhookDelivery.State",
        "OwnableField": "products.ingest.ownership.OWNABLE",
        "ProductChangeReason": "products.models.ProductChange.Reason",
        "RunChangeKind": (
            *("created", "updated", "missing", "suspect", "delisted", "seen_again", "restored", "deleted", "held"),
        ),
        "AnswerFieldType": "syncjobs.models.AnswerField.Kind",
        "LogLevel": "syncjobs.models.SyncLog.Level",
        "SystemLogLevel": "system.api.logbooks.LEVELS",
        "HealthStatus": ("ok", "degraded", "unavailable"),
        "UpOrDown": ("up", "down"),
    },
    "PREPROCESSING_HOOKS": ["system.api.schema.without_slashed"],
    "POSTPROCESSING_HOOKS": ["drf_spectacular.hooks.postprocess_schema_enums", "system.api.openapi.finish"],
    "APPEND_COMPONENTS": {
        "securitySchemes": {
            "bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"},
            "apiKey": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
        },
        "headers": {
            "X-Request-ID": _header(_("Id of this request, as sent or made")),
            "X-RateLimit-Limit": _header(_("Requests allowed in the window"), "integer"),
            "X-RateLimit-Remaining": _header(_("Requests left in the window"), "integer"),
            "X-RateLimit-Reset": _header(_("When all are available again, seconds since 1970"), "integer"),
            "RateLimit": _header(_("The same by the IETF's draft")),
            "RateLimit-Policy": _header(_("The limits by the IETF's draft")),
            "Retry-After": _header(_("Seconds to wait"), "integer"),
            "ETag": _header(_("Names this state; for If-None-Match and If-Match")),
            "Location": _header(_("Address of what was created")),
            "WWW-Authenticate": _header(_("Bearer")),
            "Allow": _header(_("The methods of this address")),
        },
    },
}
