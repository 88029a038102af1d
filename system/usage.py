"""Who calls which route of which API version: counted in the process, written every few seconds, a row a day."""

import logging
import os
import threading
from collections import Counter
from collections.abc import Callable, Collection
from datetime import date
from typing import Any, NamedTuple

from django.conf import settings
from django.db import DatabaseError, InterfaceError, OperationalError, connection
from django.utils import timezone

from system import sql
from system.background import Background

logger = logging.getLogger(__name__)

# How far back anybody can look.
KEPT_DAYS = 366
# What a process tells apart in a day, and so adds to the table; what comes beyond is not counted. Callers can make up
# client versions: beyond half of it such a call counts without its version.
MOST_DISTINCT = 10_000
MOST_VERSIONED = MOST_DISTINCT // 2

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
_distinct: set[Call] = set()
_day: date | None = None


def register_names(kind: str, names_of: NamesOf) -> None:
    """Say how ids of "user" or "key" are called; from `AppConfig.ready()` of who knows them."""
    _names[kind] = names_of


def note(call: Call) -> None:
    """Count one call: a dictionary access, no input or output."""
    with _lock:
        kind = call if _is_told_apart(call) else call._replace(client_version="")
        if kind is call or _is_told_apart(kind):
            _counts[kind] += 1
    if settings.API_USAGE_SECONDS:
        _writer.wake()


def _is_told_apart(call: Call) -> bool:
    if call in _distinct:
        return True
    told = len(_distinct) < (MOST_VERSIONED if call.client_version else MOST_DISTINCT)
    if told:
        _distinct.add(call)
    return told


def flush() -> None:
    """Add what was counted to the table; while the database is away it stays counted."""
    today = timezone.now().date()
    taken = _take()
    if not taken:
        return
    try:
        # One order for all processes, so that they wait for each other but never in a circle.
        rows = sorted(taken.items())
        columns = [list(column) for column in zip(*(call for call, _ in rows), strict=True)]
        sql.execute(_UPSERT, [today, *columns, [count for _, count in rows]])
    except (OperationalError, InterfaceError) as error:
        logger.warning("API usage could not be written, it is tried again: %s", error)
        with _lock:
            _counts.update(taken)
    except DatabaseError:
        # Tried again it would be refused again, and everything else with it.
        logger.exception("API usage was refused by the database, %s calls are not counted", sum(taken.values()))
    else:
        _begin(today)


def _take() -> Counter[Call]:
    global _counts
    with _lock:
        taken, _counts = _counts, Counter()
    return taken


def _begin(today: date) -> None:
    global _day
    with _lock:
        if _day and today != _day:
            _distinct.clear()
            _distinct.update(_counts)
        _day = today


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


def _write() -> None:
    try:
        flush()
    finally:
        # A connection kept for one statement in ten seconds is one too many.
        connection.close()


def _begin_anew() -> None:
    # The parent writes what it counted before the fork.
    global _lock
    _lock = threading.Lock()
    _counts.clear()
    _distinct.clear()


_writer = Background("api-usage", _write, settings.API_USAGE_SECONDS)
os.register_at_fork(after_in_child=_begin_anew)
