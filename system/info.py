"""What an administrator may know of the installation: versions, migrations, sizes, queues, warnings. No secrets."""

import os
import platform
import shutil
import socket
import time
from collections.abc import Callable
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import redis.exceptions
from django.conf import settings
from django.core.checks import WARNING, run_checks
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.utils.translation import gettext as _

from system import sql
from system.health import WORKER_ONLINE_SECONDS
from system.redis import redis_client
from system.selectors import queues_view

PACKAGES = {"django": "Django", "rest_framework": "djangorestframework", "celery": "celery", "psycopg": "psycopg"}
# CVE-2025-49844 and CVE-2026-23479 are fixed from here on, by release series.
REDIS_FLOORS = {7: (7, 4, 6), 8: (8, 6, 3)}
OLDEST_SAFE_REDIS = (7, 4, 6)
POSTGRES_FLOOR = 140_000

_STARTED = time.time()
_counters: dict[str, Callable[[], int]] = {}


def register_counter(name: str, provider: Callable[[], int]) -> None:
    """Show a number of an application; cheap queries only. Called from `AppConfig.ready()`."""
    _counters[name] = provider


def report() -> dict[str, Any]:
    """Everything."""
    return {
        "application": _application(),
        "postgresql": _postgresql(),
        "redis": _redis(),
        "migrations": _migrations(),
        "process": _process(),
        "connections": _connections(),
        "workers": _workers(),
        "queues": queues_view(),
        "counters": [{"name": name, "value": provider()} for name, provider in sorted(_counters.items())],
        "tables": _tables(),
        "disk": _disk(),
        "warnings": _warnings(),
    }


def _application() -> dict[str, str]:
    packages = {name: version(package) for name, package in PACKAGES.items()}
    return {"version": settings.APP_VERSION, "python": platform.python_version(), **packages}


def _postgresql() -> dict[str, Any]:
    row = sql.one(
        "SELECT current_setting('server_version') AS version, current_setting('server_version_num')::int AS number,"
        " pg_database_size(current_database()) AS size, pg_postmaster_start_time() AS started_at,"
        " current_setting('max_connections')::int AS most"
    )
    found = row or {}
    old = found["number"] < POSTGRES_FLOOR
    return {
        "version": found["version"],
        "size_bytes": found["size"],
        "started_at": found["started_at"],
        "max_connections": found["most"],
        "warning": _("This version is no longer supported.") if old else None,
    }


def _redis() -> dict[str, Any]:
    try:
        told: dict[str, Any] = redis_client("cache").info()
    except redis.exceptions.RedisError:
        return {"version": None, "used_memory_bytes": None, "uptime_seconds": None, "warning": _("Redis is away.")}
    number = str(told["redis_version"])
    return {
        "version": number,
        "used_memory_bytes": told["used_memory"],
        "uptime_seconds": told["uptime_in_seconds"],
        "warning": None if is_safe_redis(number) else _("This version has known holes; use 7.4.6, 8.6.3 or later."),
    }


def is_safe_redis(number: str) -> bool:
    """Whether a version of Redis has the fixes we need."""
    parts = tuple(int(part) for part in number.split(".")[:3] if part.isdigit())
    return parts >= REDIS_FLOORS.get(parts[0] if parts else 0, OLDEST_SAFE_REDIS)


def _migrations() -> dict[str, Any]:
    executor = MigrationExecutor(connection)
    pending = executor.migration_plan(executor.loader.graph.leaf_nodes())
    return {
        "applied": len(executor.loader.applied_migrations),
        "pending": [f"{migration.app_label}.{migration.name}" for migration, _backwards in pending],
    }


def _process() -> dict[str, Any]:
    return {"host": socket.gethostname(), "pid": os.getpid(), "uptime_seconds": int(time.time() - _STARTED)}


def _connections() -> list[dict[str, Any]]:
    """Who holds how many connections to our database: the processes, by the name they go under."""
    return sql.rows(
        "SELECT application_name AS process, count(*) AS connections,"
        " count(*) FILTER (WHERE state = 'active') AS active"
        " FROM pg_stat_activity WHERE datname = current_database() AND backend_type = 'client backend'"
        " GROUP BY 1 ORDER BY 1 LIMIT 100"
    )


def _workers() -> list[dict[str, Any]]:
    return sql.rows(
        "SELECT worker AS name, seen_at, seen_at > now() - make_interval(secs => %s) AS online FROM system_workerpulse"
        " ORDER BY seen_at DESC LIMIT 100",
        [WORKER_ONLINE_SECONDS],
    )


def _tables() -> list[dict[str, Any]]:
    """All tables, as of the last ANALYZE, the biggest first."""
    return sql.rows(
        "SELECT relname::text AS name, greatest(reltuples, 0)::bigint AS rows,"
        " pg_total_relation_size(oid) AS size_bytes FROM pg_class"
        " WHERE relkind = 'r' AND relnamespace = current_schema()::regnamespace ORDER BY 3 DESC, 1 LIMIT 200"
    )


def _disk() -> dict[str, int]:
    """The disk this program lies on."""
    usage = shutil.disk_usage(Path(__file__).parent)
    return {"total_bytes": usage.total, "free_bytes": usage.free}


@cache
def _warnings() -> list[dict[str, str]]:
    """What `check --deploy` finds; the settings do not change while a process lives."""
    found = run_checks(include_deployment_checks=True)
    return [{"id": str(message.id), "message": str(message.msg)} for message in found if message.level >= WARNING]
