"""Hosts, transport, cookies, cross-origin calls and the key that encrypts stored credentials."""

from corsheaders.defaults import default_headers

from config.env import boolean, text, words

ALLOWED_HOSTS = words("ALLOWED_HOSTS", "127.0.0.1,localhost,[::1]")
HTTPS_ONLY = boolean("HTTPS_ONLY", False)

SECURE_SSL_REDIRECT = HTTPS_ONLY
# The container's own check and load balancers ask over plain HTTP, and follow no redirect.
SECURE_REDIRECT_EXEMPT = [r"^health(/live)?/?$"]
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS_ONLY else 0
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if HTTPS_ONLY else None
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS_ONLY
SESSION_COOKIE_AGE = 8 * 3600
SESSION_COOKIE_SAMESITE = "Strict"
SESSION_COOKIE_HTTPONLY = True
X_FRAME_OPTIONS = "DENY"
# Asks for Django's own middleware by name; ours extends it and looks at pages only.
SILENCED_SYSTEM_CHECKS = ["security.W003"]
CSRF_TRUSTED_ORIGINS = words("CSRF_TRUSTED_ORIGINS")

CORS_ALLOWED_ORIGINS = words("CORS_ALLOWED_ORIGINS")
CORS_URLS_REGEX = r"^/api/.*$"
CORS_ALLOW_HEADERS = (
    *default_headers,
    "x-request-id",
    "x-client-version",
    "idempotency-key",
    "if-match",
    "if-none-match",
)
CORS_EXPOSE_HEADERS = ["X-Request-ID", "Link", "ETag", "Retry-After"]

DATA_UPLOAD_MAX_MEMORY_SIZE = 5 * 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 2000

# Fernet keys, newest first: the first encrypts, all decrypt, so a key can be changed without losing a credential.
CREDENTIALS_KEYS = text("CREDENTIALS_KEYS").split(",")
# Hosts (or host:port) outside the public internet that connectors may call; empty in production.
OUTBOUND_ALLOWED_HOSTS = tuple(words("OUTBOUND_ALLOWED_HOSTS"))

# A monitor that sends it as `Authorization: Bearer` reads /metrics; without it only administrators do.
METRICS_TOKEN = text("METRICS_TOKEN", "")
