"""Is everything there that we need? Probes run side by side, wait a short time and are asked at most once a second."""

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from time import monotonic
from typing import Any

from django.db import connection
from django.utils.translation import gettext as _

from system import sql
from system.redis import redis_client

logger = logging.getLogger(__name__)

PATIENCE_SECONDS = 0.3
CACHE_SECONDS = 1.0
# A worker proves every few seconds that it consumes; after this long without it counts as gone.
WORKER_ONLINE_SECONDS = 60

Probe = Callable[[], Any]


@dataclass
class _Asked:
    """One question to a probe, asked in its own thread so that a hanging service cannot hold a request."""

    probe: Probe
    answer: Any = None
    answered: bool = False
    done: threading.Event = field(default_factory=threading.Event)

    def run(self, name: str) -> None:
        try:
            self.answer, self.answered = self.probe(), True
        except Exception as error:  # noqa: BLE001 (whatever a probe meets means "down")
            logger.warning("Health probe %s failed: %s: %s", name, type(error).__name__, error)
        finally:
            self.done.set()


@dataclass
class _Registry:
    probes: dict[str, Probe] = field(default_factory=dict)
    asked: dict[str, _Asked] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)
    last: tuple[float, dict[str, Any]] | None = None


_registry = _Registry()


def register_probe(name: str, probe: Probe) -> None:
    """Have `probe` asked with every check; it returns something JSON can hold, not None, or raises."""
    _registry.probes[name] = probe


def probe_all() -> dict[str, Any]:
    """The answer of each probe by name, None for one that failed or did not answer in 300 ms; at most a second old."""
    with _registry.lock:
        if _registry.last and monotonic() - _registry.last[0] < CACHE_SECONDS:
            return _registry.last[1]
        answers = _ask_all()
        _registry.last = (monotonic(), answers)
        return answers


def forget() -> None:
    """Ask anew at the next check."""
    _registry.last = None


def report() -> dict[str, Any]:
    """The health body (seed 003): status ok, degraded (Redis is down) or unavailable (PostgreSQL is down).

    Workers are reported and do not change the status. `error` names what is down, only when something is.
    """
    answers = probe_all()
    up = {name: answers.get(name) is not None for name in ("postgres", "redis")}
    body = {
        "status": "ok" if all(up.values()) else "degraded" if up["postgres"] else "unavailable",
        **{name: "up" if answered else "down" for name, answered in up.items()},
        "workers": answers.get("workers") or {"online": None, "last_seen": None},
    }
    down = [label for name, label in (("postgres", "PostgreSQL"), ("redis", "Redis")) if not up[name]]
    if down:
        body["error"] = _("No answer from {names}").format(names=", ".join(down))
    return body


def _ask_all() -> dict[str, Any]:
    for name, probe in _registry.probes.items():
        pending = _registry.asked.get(name)
        # One that still hangs is not asked again: at most one thread a probe.
        if pending is None or pending.done.is_set():
            _registry.asked[name] = asked = _Asked(probe)
            threading.Thread(target=asked.run, args=(name,), name=f"health-{name}", daemon=True).start()
    deadline = monotonic() + PATIENCE_SECONDS
    for asked in _registry.asked.values():
        asked.done.wait(max(0.0, deadline - monotonic()))
    return {name: asked.answer if asked.answered else None for name, asked in _registry.asked.items()}


def probe_postgres() -> bool:
    """Whether the database answers a new connection."""
    return bool(_rows("SELECT 1"))


def probe_workers() -> dict[str, Any]:
    """How many workers consume, and when one last proved it."""
    online, last_seen = _rows(
        "SELECT count(*) FILTER (WHERE seen_at > now() - make_interval(secs => %s)), max(seen_at)"
        " FROM system_workerpulse",
        [WORKER_ONLINE_SECONDS],
    )[0]
    return {"online": online, "last_seen": last_seen}


def online_workers() -> int:
    """How many workers consume, asked on the caller's connection."""
    row = sql.fetch_one(
        "SELECT count(*) FROM system_workerpulse WHERE seen_at > now() - make_interval(secs => %s)",
        [WORKER_ONLINE_SECONDS],
    )
    return int(row[0]) if row else 0


def probe_redis() -> bool:
    """Whether Redis answers."""
    return bool(redis_client("cache").ping())


def _rows(statement: str, parameters: list[Any] | None = None) -> list[Any]:
    # The thread ends with its question, so must its connection.
    try:
        with connection.cursor() as cursor:
            cursor.execute(statement, parameters)
            found: list[Any] = cursor.fetchall()
            return found
    finally:
        connection.close()
