"""Who else waits for a worker: what a long task asks between two steps, so that it makes room in time.

A waiting task is one that is due and that nobody took for a moment; a worker that idles takes it sooner than that.
"""

import uuid
from dataclasses import dataclass

from system import sql
from system.models import Task

# Most urgent first; workers empty them in this order.
ORDER = (Task.Queue.CRITICAL, Task.Queue.DEFAULT, Task.Queue.LOW)
# A worker that idles has taken a task by then.
UNNOTICED_MS = 50
# What waits longer than this is rung among the urgent ones, so that nothing starves behind a busy queue.
PATIENCE_SECONDS = 60


@dataclass(frozen=True)
class Waiting:
    """Who waits.

    Attributes:
        urgent: a task of a more urgent queue.
        others: a task of the same queue that is not part of our job.
        starved: such a one whose job has no worker at all, while ours has another one besides us.
    """

    urgent: bool
    others: bool
    starved: bool


# Asked for in the order of the index `task_waiting`; otherwise the planner reads the table to learn that nobody waits.
WAITING_SQL = """
WITH other AS MATERIALIZED (
    SELECT job_id FROM system_task
    WHERE state = 'pending' AND queue = %(queue)s::text AND job_id IS DISTINCT FROM %(job)s::bigint
      AND coalesce(not_before, rung_at) < now() - make_interval(secs => %(unnoticed)s::float8)
    ORDER BY coalesce(not_before, rung_at) LIMIT %(most)s::int
)
SELECT EXISTS (
        SELECT 1 FROM unnest(%(urgent)s::text[]) AS more(urgent), LATERAL (
            SELECT 1 FROM system_task
            WHERE state = 'pending' AND queue = more.urgent
              AND coalesce(not_before, rung_at) < now() - make_interval(secs => %(unnoticed)s::float8)
            ORDER BY coalesce(not_before, rung_at) LIMIT 1) AS first) AS urgent,
    EXISTS (SELECT 1 FROM other) AS others,
    EXISTS (SELECT 1 FROM system_task WHERE job_id = %(job)s::bigint AND state = 'running' AND id <> %(task)s::uuid)
        AND EXISTS (SELECT 1 FROM other WHERE NOT EXISTS (
            SELECT 1 FROM system_task t WHERE t.job_id = other.job_id AND t.state = 'running')) AS starved
"""
# So many of those that wait are looked at for a starved one.
MOST = 64


def waiting(task_id: uuid.UUID, queue: str, job_id: int | None) -> Waiting:
    """Look who waits beside this task of ours: one statement over an index of waiting tasks."""
    urgent = [str(each) for each in ORDER[: ORDER.index(Task.Queue(queue))]]
    values = {"urgent": urgent, "unnoticed": UNNOTICED_MS / 1000, "most": MOST}
    found = sql.one(WAITING_SQL, values | {"task": task_id, "queue": queue, "job": job_id})
    return Waiting(**(found or {}))


# One of each queue at a time: a backlog of one must not hide another's.
FORGOTTEN_SQL = """
SELECT DISTINCT ON (queue) id FROM system_task
WHERE state = 'pending' AND queue <> 'critical' AND coalesce(not_before, rung_at) < now()
  AND greatest(not_before, created_at) < now() - make_interval(secs => %s::int)
ORDER BY queue, greatest(not_before, created_at)
"""


def forgotten() -> list[uuid.UUID]:
    """The task of each queue that has waited longest, if that is too long."""
    return [row["id"] for row in sql.rows(FORGOTTEN_SQL, [PATIENCE_SECONDS])]
