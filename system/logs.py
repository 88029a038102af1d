"""Logging: JSON lines that name their request, hold no secrets and stay one line each."""

import logging
import re
from datetime import UTC, datetime
from functools import lru_cache
from types import TracebackType
from typing import Any
from urllib.parse import unquote_plus

import orjson
from django.http import HttpRequest, HttpResponseBase
from pythonjsonlogger.json import JsonFormatter as BaseJsonFormatter

from system.api.throttling.charging import account_of, headers_of
from system.api.transport import client_version
from system.client_ip import client_ip
from system.errors import ErrorCode
from system.redaction import CONFIDENTIAL_NAME, HIDDEN, redact, redact_value
from system.request_id import current_request_id

# JSON escapes what is below a space; these would still move a terminal or split a line.
UNSAFE = re.compile(r"[\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")

STANDARD_ATTRIBUTES = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "request_id", "taskName"}

# Queries that come again and again; what a client made up must not fill the memory.
REMEMBERED_QUERIES, REMEMBERED_LENGTH = 2048, 500

# What no line of ours names need not be found out for every line.
logging.logThreads = logging.logProcesses = logging.logMultiprocessing = False

access_logger = logging.getLogger("system.access")


class AccessRecord(logging.LogRecord):
    """The line of a request: every one has it, so it is made of `fields` that are known to hold no secret.

    Args:
        fields: what the line says beside the message.
    """

    def __init__(self, message: str, fields: dict[str, Any]) -> None:
        super().__init__(access_logger.name, logging.INFO, "", 0, message, (), None)
        self.request_id = current_request_id()
        self.fields = fields
        vars(self).update(fields)


class ContextFilter(logging.Filter):
    """Adds the request id of the work at hand."""

    def filter(self, record: logging.LogRecord) -> bool:
        if not hasattr(record, "request_id"):
            record.request_id = current_request_id()
        return True


class RedactFilter(logging.Filter):
    """Takes secrets out of the message, its arguments and the extra fields."""

    def filter(self, record: logging.LogRecord) -> bool:
        if isinstance(record, AccessRecord):
            return True
        record.msg, record.args = redact(record.getMessage()), ()
        for name in vars(record).keys() - STANDARD_ATTRIBUTES:
            value = getattr(record, name)
            if isinstance(value, str | dict | list | tuple):
                hidden = HIDDEN if CONFIDENTIAL_NAME.fullmatch(name) and value else redact_value(value)
                setattr(record, name, hidden)
        return True


class JsonFormatter(BaseJsonFormatter):
    """One JSON object a line, times in UTC, tracebacks without secrets."""

    def format(self, record: logging.LogRecord) -> str:
        if not isinstance(record, AccessRecord):
            return str(super().format(record))
        record.message = record.msg
        head = {name: getattr(record, name) for name in ("levelname", "name", "message", "request_id")}
        return self.jsonify_log_record({"asctime": self.formatTime(record), **head, **record.fields})

    def formatTime(self, record: logging.LogRecord, datefmt: str | None = None) -> str:  # noqa: ARG002, N802 (the framework's signature)
        return datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")

    def formatException(  # noqa: N802 (the framework's name)
        self, ei: tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None]
    ) -> str:
        return redact(str(super().formatException(ei)))

    def jsonify_log_record(self, log_data: Any) -> str:
        line = orjson.dumps(log_data, default=str, option=orjson.OPT_NON_STR_KEYS).decode()
        return UNSAFE.sub(lambda found: f"\\u{ord(found.group()):04x}", line)


def redact_query(query: str) -> str:
    """A query string without secrets: by the name they stand under, however it is spelled, and by their form."""
    if not query:
        return ""
    return _redacted_query(query) if len(query) <= REMEMBERED_LENGTH else _redacted_query.__wrapped__(query)


@lru_cache(REMEMBERED_QUERIES)
def _redacted_query(query: str) -> str:
    parts = [part.partition("=") for part in query.split("&")]
    return redact(
        "&".join(
            name + equals + (HIDDEN if value and CONFIDENTIAL_NAME.fullmatch(unquote_plus(name)) else value)
            for name, equals, value in parts
        )
    )


def log_access(request: HttpRequest, response: HttpResponseBase, seconds: float) -> None:
    """One line an API request: who, what, how it ended. No header, no body and no secret of the query stands in it."""
    if not access_logger.isEnabledFor(logging.INFO):
        return
    user, path, version = getattr(request, "user", None), redact(request.path_info), client_version(request)
    fields = {
        "method": request.method,
        "path": path,
        "query": redact_query(request.META.get("QUERY_STRING", "")),
        "status": response.status_code,
        "ms": round(seconds * 1000, 1),
        "bytes": None if response.streaming else len(getattr(response, "content", b"")),
        "ip": client_ip(request),
        "user_id": getattr(user, "id", None),
        "key_id": getattr(user, "key_id", None),
        "client_version": version and redact(version),
    }
    if response.status_code == ErrorCode.RATE_LIMITED.status:
        fields["limits"] = headers_of(account_of(request)).get("ratelimit", (None, None))[1]
    access_logger.handle(AccessRecord(f"{request.method} {path} {response.status_code}", fields))
