"""Numbers for monitors, in Prometheus' text format.

Counters are added up in each process and carried to Redis every few seconds by a thread, so that any web process can
answer for all, whatever process or machine counted. Gauges are asked of the database when a monitor comes.
"""

import os
import threading
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import NamedTuple

import redis.exceptions
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric

from system.background import Background
from system.redis import key, redis_client

PREFIX = "s1688"
CARRY_SECONDS = 2.0
BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
ALL_BUCKETS = len(BUCKETS) + 1
# Between the parts of a counter's name in Redis; no label of ours holds it.
SEPARATOR = "\x1f"


Values = dict[tuple[str, ...], float]


class Counter(NamedTuple):
    """A number that only rises."""

    help: str
    labels: tuple[str, ...] = ()


class Gauge(NamedTuple):
    """A number as it is now, by the values of its labels."""

    name: str
    help: str
    labels: tuple[str, ...]
    values: Values


COUNTERS = {
    "http_requests": Counter("HTTP requests", ("method", "route", "status")),
    "rate_limit_refusals": Counter("Requests refused by a rate limit", ("route",)),
    "idempotency_replays": Counter("Answers given again under their Idempotency-Key"),
    "list_answers": Counter("Pages of lists by how they came: unchanged (304), kept, or read", ("how",)),
}
REQUEST_SECONDS = "http_request_seconds"
REQUEST_LABELS = ("method", "route")

Provider = Callable[[], Iterable[Gauge]]

_lock = threading.Lock()
_pending: dict[str, float] = defaultdict(float)
_providers: list[Provider] = []


def register_gauges(provider: Provider) -> None:
    """Have these numbers asked for with every visit of a monitor; called from `AppConfig.ready()`."""
    if provider not in _providers:
        _providers.append(provider)


def count(name: str, *labels: str, by: float = 1) -> None:
    """Raise one of COUNTERS."""
    _add({SEPARATOR.join((name, *labels)): by})


def count_request(method: str, route: str, status: int, seconds: float) -> None:
    """One HTTP request: how it ended and how long it took."""
    counted, total, buckets = _request_names(method, route, status)
    added = {counted: 1.0, buckets[bisect_left(BUCKETS, seconds)]: 1.0, total: seconds}
    if status == 429:
        added[SEPARATOR.join(("rate_limit_refusals", route))] = 1.0
    _add(added)


@lru_cache(4096)
def _request_names(method: str, route: str, status: int) -> tuple[str, str, tuple[str, ...]]:
    """The counters of a request: how it ended, the sum of the seconds, and one for each bucket of them."""
    timed = [SEPARATOR.join((REQUEST_SECONDS, method, route, part)) for part in ("sum", *map(str, range(ALL_BUCKETS)))]
    return SEPARATOR.join(("http_requests", method, route, str(status))), timed[0], tuple(timed[1:])


def exposition() -> bytes:
    """Everything, for a monitor."""
    carry()
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Collector())
    return generate_latest(registry)


def carry() -> None:
    """Bring what was counted to Redis; while it is away the numbers wait here."""
    with _lock:
        added = dict(_pending)
        _pending.clear()
    if not added:
        return
    try:
        pipeline = redis_client("cache").pipeline()
        for name, by in added.items():
            pipeline.hincrbyfloat(_hash(), name, by)
        pipeline.execute()
    except redis.exceptions.RedisError:
        _add(added)


def _add(added: dict[str, float]) -> None:
    with _lock:
        for name, by in added.items():
            _pending[name] += by
    _carrier.wake()


def _hash() -> str:
    return key("metrics")


class _Collector:
    """What `exposition` shows."""

    def collect(self) -> Iterable[Metric]:
        """All numbers."""
        counted = _counted()
        yield GaugeMetricFamily(f"{PREFIX}_redis_up", "Whether Redis answers", value=float(counted is not None))
        yield from _counter_families(counted or {})
        yield _request_seconds(counted or {})
        for provider in _providers:
            for gauge in provider():
                yield _gauge_family(gauge)


def _counted() -> dict[tuple[str, ...], float] | None:
    try:
        found: dict[bytes, bytes] = redis_client("cache").hgetall(_hash())  # type: ignore[assignment]
    except redis.exceptions.RedisError:
        return None
    return {tuple(name.decode().split(SEPARATOR)): float(number) for name, number in found.items()}


def _counter_families(counted: dict[tuple[str, ...], float]) -> Iterable[Metric]:
    for name, counter in COUNTERS.items():
        family = CounterMetricFamily(f"{PREFIX}_{name}", counter.help, labels=counter.labels)
        if not counter.labels:
            family.add_metric((), counted.get((name,), 0.0))
        for (first, *labels), number in sorted(counted.items()):
            if first == name and labels:
                family.add_metric(labels, number)
        yield family


def _request_seconds(counted: dict[tuple[str, ...], float]) -> Metric:
    family = HistogramMetricFamily(f"{PREFIX}_{REQUEST_SECONDS}", "Duration of HTTP requests", labels=REQUEST_LABELS)
    routes = sorted({labels[1:3] for labels in counted if labels[0] == REQUEST_SECONDS})
    bounds = [*map(str, BUCKETS), "+Inf"]
    for labels in routes:
        running, buckets = 0.0, []
        for index, bound in enumerate(bounds):
            running += counted.get((REQUEST_SECONDS, *labels, str(index)), 0.0)
            buckets.append((bound, running))
        family.add_metric(labels, buckets, counted.get((REQUEST_SECONDS, *labels, "sum"), 0.0))
    return family


def _gauge_family(gauge: Gauge) -> Metric:
    family = GaugeMetricFamily(f"{PREFIX}_{gauge.name}", gauge.help, labels=gauge.labels)
    for labels, number in gauge.values.items():
        family.add_metric(labels, number)
    return family


def forget_pending() -> None:
    """Drop what is not in Redis yet: of a forked process, whose parent carries it, and between tests."""
    global _lock
    _lock = threading.Lock()
    _pending.clear()


_carrier = Background("metrics", carry, CARRY_SECONDS)
os.register_at_fork(after_in_child=forget_pending)
