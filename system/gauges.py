"""What monitors watch of the kernel: queues and workers, as they are now."""

from collections.abc import Iterable

from django.db import Error as DatabaseProblem

from system import health, selectors
from system.metrics import Gauge, Values


def system_gauges() -> Iterable[Gauge]:
    """Queue depths, waiting times, workers, and whether the database answers; nothing else while it does not."""
    try:
        queues, workers = selectors.queues_view(), health.online_workers()
    except DatabaseProblem:
        return [Gauge("postgres_up", "Whether PostgreSQL answers", (), {(): 0.0})]
    depths: Values = {
        (queue["name"], state): float(queue[state]) for queue in queues for state in ("pending", "running")
    }
    oldest: Values = {(queue["name"],): float(queue["oldest_pending_seconds"] or 0) for queue in queues}
    return [
        Gauge("postgres_up", "Whether PostgreSQL answers", (), {(): 1.0}),
        Gauge("queue_tasks", "Tasks in a queue", ("queue", "status"), depths),
        Gauge("queue_oldest_pending_seconds", "How long the oldest due task has waited", ("queue",), oldest),
        Gauge("workers_online", "Workers that consume", (), {(): float(workers)}),
    ]
