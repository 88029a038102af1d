"""Hosts, transport, cookies, cross-origin calls and the key that encrypts stored credentials."""

from config.env import boolean, networks, text, words

ALLOWED_HOSTS = words("ALLOWED_HOSTS", "127.0.0.1,localhost,[::1]")
HTTPS_ONLY = boolean("HTTPS_ONLY", False)
# Whose X-Forwarded headers count (system.client_ip); from everybody else they are dropped.
TRUSTED_PROXIES = networks("TRUSTED_PROXIES", words("TRUSTED_PROXIES"))

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
CSRF_TRUSTED_ORIGINS = words("CSRF_TRUSTED_ORIGINS")

CORS_ALLOWED_ORIGINS = words("CORS_ALLOWED_ORIGINS")
CORS_URLS_REGEX = r"^/(api|ec)/"
CORS_ALLOW_CREDENTIALS = True
CORS_ALLOW_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
CORS_ALLOW_HEADERS = (
    "authorization",
    "x-api-key",
    "content-type",
    "accept-language",
    "idempotency-key",
    "if-match",
    "if-none-match",
    "x-request-id",
    "x-client-version",
)
CORS_EXPOSE_HEADERS = (
    "ETag",
    "Link",
    "Location",
    "X-RateLimit-Limit",
    "X-RateLimit-Remaining",
    "X-RateLimit-Reset",
    "RateLimit",
    "RateLimit-Policy",
    "Retry-After",
    "X-Request-ID",
    "Idempotent-Replayed",
    "Deprecation",
    "Sunset",
)

DATA_UPLOAD_MAX_MEMORY_SIZE = 5 * 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 2000

# Fernet keys, newest first: the first encrypts, all decrypt, so a key can be changed without losing a credential.
CREDENTIALS_KEYS = text("CREDENTIALS_KEYS").split(",")
# Hosts (or host:port) outside the public internet that connectors may call; empty in production.
OUTBOUND_ALLOWED_HOSTS = tuple(words("OUTBOUND_ALLOWED_HOSTS"))
# Folders of the workers whose files a source may be made of through the API or the back office; none by default.
FEED_FOLDERS = tuple(words("FEED_FOLDERS"))

# A monitor that sends it as `Authorization: Bearer` reads /metrics; without it only administrators do.
METRICS_TOKEN = text("METRICS_TOKEN", "")
