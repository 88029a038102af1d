"""Keeps as many slices of a job queued as it may have workers."""

import uuid
from typing import Any

from system import sql
from system.queue import enqueue

SLICE_KIND = "sync.slice"

NEEDED_SQL = """
SELECT j.priority, least(j.max_workers, open.batches) - busy.slices AS missing,
       coalesce(greatest(extract(epoch FROM open.due - now()), 0), 0)::float8 AS delay
FROM syncjobs_syncjob j,
    (SELECT count(*) AS batches, min(coalesce(due, now())) AS due FROM (
        SELECT CASE state WHEN 'running' THEN lease_until ELSE not_before END AS due FROM syncjobs_syncbatch
        WHERE job_id = %(job)s::bigint AND state IN ('pending', 'running')
          AND stage = (SELECT min(stage) FROM syncjobs_syncbatch
                       WHERE job_id = %(job)s::bigint AND state IN ('pending', 'running'))
        ORDER BY 1 NULLS FIRST LIMIT 64) AS next) AS open,
    LATERAL (SELECT count(*) AS slices FROM system_task
     WHERE job_id = %(job)s::bigint AND kind = %(kind)s::text AND state IN ('pending', 'running')
       AND coalesce(not_before <= open.due + interval '1 second', true)
       AND (%(besides)s::uuid IS NULL OR id <> %(besides)s::uuid)) AS busy
WHERE j.id = %(job)s::bigint AND j.state = 'running'
"""


def ensure_slices(job_id: int, *, besides: uuid.UUID | None = None, rest_seconds: float = 0) -> int:
    """Enqueue the slices a running job lacks, for the moment a batch can be taken; returns how many.

    Slices that sleep longer than that do not count.

    Args:
        besides: a slice that is about to end and does not count any more.
        rest_seconds: none of them begins before.
    """
    found: dict[str, Any] | None = sql.one(NEEDED_SQL, {"job": job_id, "kind": SLICE_KIND, "besides": besides})
    if found is None:
        return 0
    missing = max(int(found["missing"]), 0)
    delay = max(found["delay"], rest_seconds)
    for _ in range(missing):
        enqueue(SLICE_KIND, {"job_id": job_id}, queue=found["priority"], job_id=job_id, delay_seconds=delay)
    return missing
