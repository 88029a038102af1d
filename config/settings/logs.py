"""One JSON object a line on standard error, secrets removed, with its request id; warnings go into a table, too."""

from typing import Any

from config.env import boolean, integer, text

LOG_LEVEL = text("LOG_LEVEL", "INFO")
# Keep warnings and errors in the table that GET system/logs shows.
SYSTEM_LOG = boolean("SYSTEM_LOG", True)
SYSTEM_LOG_DAYS = integer("SYSTEM_LOG_DAYS", 30, minimum=1, maximum=365)

_HANDLERS: dict[str, dict[str, Any]] = {
    "stderr": {"class": "logging.StreamHandler", "formatter": "json", "filters": ["context", "redact"]},
    "table": {"class": "system.systemlog.TableHandler", "level": "WARNING", "filters": ["context", "redact"]},
}
_ROOT = ["stderr", "table"] if SYSTEM_LOG else ["stderr"]

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "filters": {
        "context": {"()": "system.logs.ContextFilter"},
        "redact": {"()": "system.logs.RedactFilter"},
    },
    "formatters": {
        "json": {
            "()": "system.logs.JsonFormatter",
            "format": "%(asctime)s %(levelname)s %(name)s %(message)s %(request_id)s",
        }
    },
    "handlers": _HANDLERS,
    "root": {"handlers": _ROOT, "level": LOG_LEVEL},
    "loggers": {
        "django.server": {"handlers": [], "propagate": True},
        "django.request": {"level": "ERROR"},
        "httpx": {"level": "WARNING"},
        "httpcore": {"level": "WARNING"},
        # The workers' pool; it passes nothing on, and without handlers Celery would give it one of its own.
        "multiprocessing": {"handlers": _ROOT, "propagate": False},
    },
}
