"""PostgreSQL and Redis: where they are and how long anything may wait for them."""

from urllib.parse import unquote, urlsplit

from config.env import integer, text, url

# How this process is called in pg_stat_activity and in the system log.
PROCESS_NAME = text("PROCESS_NAME", "1688sync")
_database = urlsplit(url("DATABASE_URL", ("postgresql", "postgres")))
# For web requests; workers are started with longer limits.
_LOCK_TIMEOUT = integer("DATABASE_LOCK_TIMEOUT_MS", 3_000, minimum=100)
_STATEMENT_TIMEOUT = integer("DATABASE_STATEMENT_TIMEOUT_MS", 10_000, minimum=100)

DATABASES = {
    "default": {
        "ENGINE": "system.database",
        "NAME": unquote(_database.path.lstrip("/")),
        "USER": unquote(_database.username or ""),
        "PASSWORD": unquote(_database.password or ""),
        "HOST": _database.hostname or "",
        "PORT": str(_database.port or ""),
        # HTTP runs on a bounded thread pool, so connections are processes x threads, known in advance.
        "CONN_MAX_AGE": None,
        # Before each request; costs no round trip (system.database).
        "CONN_HEALTH_CHECKS": True,
        "DISABLE_SERVER_SIDE_CURSORS": False,
        "OPTIONS": {
            "server_side_binding": True,
            "prepare_threshold": 1,
            "connect_timeout": 3,
            "keepalives_idle": 10,
            "tcp_user_timeout": 10_000,
            "application_name": PROCESS_NAME,
            "options": (
                f"-c statement_timeout={_STATEMENT_TIMEOUT} -c lock_timeout={_LOCK_TIMEOUT}"
                " -c idle_in_transaction_session_timeout=30000 -c timezone=UTC"
            ),
        },
    }
}

REDIS_URL = url("REDIS_URL", ("redis", "rediss", "unix"))


def _redis_database(offset: int) -> str:
    """The database `offset` places above the one REDIS_URL names: broker, cache and live status must not mix."""
    base, _, query = REDIS_URL.partition("?")
    parts = urlsplit(base)
    number = int(parts.path.strip("/") or 0) + offset
    return f"{parts.scheme}://{parts.netloc}/{number}" + (f"?{query}" if query else "")


REDIS_BROKER_URL = text("REDIS_BROKER_URL", _redis_database(0))
REDIS_CACHE_URL = text("REDIS_CACHE_URL", _redis_database(1))
REDIS_LIVE_URL = text("REDIS_LIVE_URL", _redis_database(2))
# Pub/sub channels are shared by all databases of a server, so their names carry the database.
REDIS_KEY_PREFIX = f"s1688:{urlsplit(REDIS_URL.partition('?')[0]).path.strip('/') or 0}:"
REDIS_SOCKET_TIMEOUT_SECONDS = 3
# Every request asks for its limits: without an answer within this time it goes on without them.
REDIS_LIMITS_TIMEOUT_SECONDS = integer("REDIS_LIMITS_TIMEOUT_MS", 250, minimum=10) / 1000

CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": REDIS_CACHE_URL,
        "KEY_PREFIX": "s1688",
    }
}
