"""Who calls which route of which API version: counted in the process, written every few seconds, a row a day."""

import atexit
import logging
import os
import threading
from collections import Counter
from collections.abc import Callable, Collection
from typing import Any, NamedTuple

from django.conf import settings
from django.db import DatabaseError, InterfaceError, connection
from django.utils import timezone

from system import sql

logger = logging.getLogger(__name__)

# Distinct calls a process keeps when the database is away; what comes beyond is not counted.
MOST_DISTINCT = 10_000

_UPSERT = """
    INSERT INTO system_apiusage (day, version, method, route, user_id, key_id, client_version, calls)
    SELECT %s::date, *
    FROM unnest(%s::text[], %s::text[], %s::text[], %s::bigint[], %s::bigint[], %s::text[], %s::bigint[])
    ON CONFLICT (day, version, route, method, user_id, key_id, client_version)
    DO UPDATE SET calls = system_apiusage.calls + excluded.calls
"""
_CLIENTS = """
    SELECT version, key_id, user_id, client_version, sum(calls)::bigint AS calls, count(DISTINCT route) AS routes,
        max(day) AS last_day
    FROM system_apiusage WHERE version = ANY(%s) AND day >= %s::date
    GROUP BY version, key_id, user_id, client_version ORDER BY calls DESC, user_id, key_id, client_version
"""
_ROUTES = """
    SELECT version, method, route, sum(calls)::bigint AS calls, max(day) AS last_day
    FROM system_apiusage WHERE version = ANY(%s) AND day >= %s::date
    GROUP BY version, method, route ORDER BY calls DESC, route, method
"""


class Call(NamedTuple):
    """What tells one kind of call from another; 0 and "" stand for none."""

    version: str
    method: str
    route: str
    user_id: int
    key_id: int
    client_version: str


NamesOf = Callable[[Collection[int]], dict[int, str]]
_names: dict[str, NamesOf] = {}
_lock = threading.Lock()
_counts: Counter[Call] = Counter()
_writer_pid = 0


def register_names(kind: str, names_of: NamesOf) -> None:
    """Say how ids of "user" or "key" are called; from `AppConfig.ready()` of who knows them."""
    _names[kind] = names_of


def note(call: Call) -> None:
    """Count one call: a dictionary access, no input or output."""
    with _lock:
        if call in _counts or len(_counts) < MOST_DISTINCT:
            _counts[call] += 1
    _ensure_writer()


def flush() -> None:
    """Add what was counted to the table; what cannot be written stays counted."""
    global _counts
    with _lock:
        taken, _counts = _counts, Counter()
    if not taken:
        return
    try:
        # One order for all processes, so that they wait for each other but never in a circle.
        rows = sorted(taken.items())
        columns = [list(column) for column in zip(*(call for call, _ in rows), strict=True)]
        sql.execute(_UPSERT, [timezone.now().date(), *columns, [count for _, count in rows]])
    except (DatabaseError, InterfaceError) as error:
        logger.warning("API usage could not be written, it is tried again: %s", error)
        with _lock:
            _counts.update(taken)


def report(versions: Collection[str], since: Any) -> dict[str, list[dict[str, Any]]]:
    """Clients and routes that used these versions.

    Args:
        since: the first day that counts.

    Returns:
        `clients` (version, key, user, client_version, calls, routes, last_day) and `routes` (version, method, route,
        calls, last_day), busiest first.
    """
    clients = sql.rows(_CLIENTS, [list(versions), since])
    for column in ("user", "key"):
        ids = {row[f"{column}_id"] for row in clients} - {0}
        names = _names[column](ids) if ids and column in _names else {}
        for row in clients:
            number = row[f"{column}_id"]
            row[column] = names.get(number, f"#{number}") if number else ""
    return {"clients": clients, "routes": sql.rows(_ROUTES, [list(versions), since])}


def _ensure_writer() -> None:
    """One thread a process, started by its first call: threads do not survive a fork."""
    global _writer_pid
    if _writer_pid == os.getpid() or not settings.API_USAGE_SECONDS:
        return
    with _lock:
        if _writer_pid == os.getpid():
            return
        _writer_pid = os.getpid()
    threading.Thread(target=_write_for_ever, name="api-usage", daemon=True).start()
    atexit.register(_write)


def _write_for_ever() -> None:
    pause = threading.Event()
    while not pause.wait(settings.API_USAGE_SECONDS):
        _write()


def _write() -> None:
    try:
        flush()
    finally:
        # A connection kept for one statement in ten seconds is one too many.
        connection.close()
