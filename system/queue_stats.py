"""How full the queues are, and how long something put into one will take; measured, never guessed."""

from datetime import datetime
from math import ceil
from typing import Any, TypedDict

from django.utils.translation import gettext as _

from system import sql
from system.health import WORKER_ONLINE_SECONDS
from system.models import Task
from system.selectors import queues_view

# In the order in which workers empty them.
QUEUES: tuple[str, ...] = (Task.Queue.CRITICAL.value, Task.Queue.DEFAULT.value, Task.Queue.LOW.value)


class WorkersStats(TypedDict):
    """Workers that consumed something in the last minute, and when one last did."""

    online: int
    last_seen: datetime | None


class Stats(TypedDict):
    """All queues, the workers, and what was finished lately."""

    queues: dict[str, dict[str, Any]]
    workers: WorkersStats
    per_minute: int
    failed_last_hour: int


LATELY_SQL = """
SELECT (SELECT count(*) FROM system_task WHERE finished_at > now() - interval '1 minute') AS per_minute,
    (SELECT count(*) FROM system_task WHERE finished_at > now() - interval '1 hour' AND state = 'failed')
        AS failed_last_hour,
    (SELECT count(*) FROM system_workerpulse WHERE seen_at > now() - make_interval(secs => %s::int)) AS online,
    (SELECT max(seen_at) FROM system_workerpulse) AS last_seen
"""


def queue_stats() -> Stats:
    """What `GET queue/stats` answers; every queue is named, also an empty one."""
    lately: dict[str, Any] = sql.rows(LATELY_SQL, [WORKER_ONLINE_SECONDS])[0]
    return {
        "queues": {queue.pop("name"): queue for queue in queues_view()},
        "workers": {"online": lately["online"], "last_seen": lately["last_seen"]},
        "per_minute": lately["per_minute"],
        "failed_last_hour": lately["failed_last_hour"],
    }


# Of each kind that waits before or beside a new task: how many, and the median of its last 20 good runs.
AHEAD_SQL = """
SELECT ahead.kind, ahead.tasks, measured.seconds::float8 AS seconds,
    (SELECT count(*) FROM system_workerpulse WHERE seen_at > now() - make_interval(secs => %(online)s::int)) AS workers
FROM (SELECT kind, sum(tasks) AS tasks FROM (
        SELECT kind, count(*) AS tasks FROM system_task
        WHERE state IN ('pending', 'running', 'cancelling') AND queue = ANY(%(queues)s::text[])
          AND coalesce(not_before <= now(), true) GROUP BY kind
        UNION ALL SELECT %(kind)s::text, 0) AS kinds GROUP BY kind) AS ahead,
    LATERAL (SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY took) AS seconds FROM (
        SELECT extract(epoch FROM finished_at - (attempts -> -1 ->> 'started_at')::timestamptz) AS took
        FROM system_task WHERE kind = ahead.kind AND state = 'succeeded'
        ORDER BY finished_at DESC LIMIT 20) AS last) AS measured
"""


def estimated_time(kind: str, queue: str, own_seconds: float | None = None) -> str:
    """When a task that was just put into a queue will be done, as text in the reader's language (seed 003).

    Everything that is due in this queue and in those emptied before it, times how long such tasks took lately, shared
    among the workers.

    Args:
        own_seconds: how long the whole takes that the task only begins; None: the task is the whole.
    """
    ahead = sql.rows(
        AHEAD_SQL,
        {"kind": kind, "queues": list(QUEUES[: QUEUES.index(queue) + 1]), "online": WORKER_ONLINE_SECONDS},
    )
    own = own_seconds if own_seconds is not None else next(row["seconds"] for row in ahead if row["kind"] == kind)
    if own is None:
        return _("as soon as a worker is free")
    waiting = sum(float(row["tasks"]) * (row["seconds"] or 0.0) for row in ahead) / max(ahead[0]["workers"], 1)
    # The task itself is among those counted.
    return within(max(waiting, own) if own_seconds is None else waiting + own)


def within(seconds: float) -> str:
    """A span of time as an upper bound people can read: "within 5 minutes"."""
    minutes = max(1, ceil(seconds / 60))
    if minutes == 1:
        return _("within a minute")
    if minutes <= 60:
        return _("within {count} minutes").format(count=minutes)
    return _("within {count} hours").format(count=ceil(minutes / 60))
