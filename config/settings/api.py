"""The REST API: everything is denied unless a view says otherwise."""

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["accounts.authentication.JWTAuthentication"],
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
API_MAX_PAGE_SIZE = 100
API_MAX_DEPTH = 100_000
API_MAX_BODY_BYTES = 1024 * 1024
API_MAX_BATCH_BODY_BYTES = 5 * 1024 * 1024
# What a person types as a local time is meant in the platform's own zone.
API_INPUT_TIME_ZONE = "Asia/Shanghai"

SPECTACULAR_SETTINGS = {
    "TITLE": "1688sync API",
    "DESCRIPTION": "A copy of 1688.com product catalogues in your own PostgreSQL.",
    "VERSION": "1.0.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    "SCHEMA_PATH_PREFIX": "/api/v[0-9]+",
    "COMPONENT_SPLIT_REQUEST": True,
    "SERVE_PUBLIC": True,
    "SERVE_AUTHENTICATION": [],
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "ENUM_NAME_OVERRIDES": {
        "UserStatus": "accounts.models.User.Status",
        "Tier": "accounts.models.User.Tier",
        "Role": "accounts.roles.ROLES",
        "ProductStatus": "products.models.Product.Status",
        "JobStatus": "syncjobs.models.SyncJob.State",
        "JobType": "syncjobs.models.SyncJob.Type",
        "HealthStatus": ("ok", "degraded", "unavailable"),
        "UpOrDown": ("up", "down"),
    },
    "PREPROCESSING_HOOKS": ["system.api.schema.without_slashed"],
}
