"""A run's receipt: the calls made for it, and what its batches came to, kept at its end."""

import time
from collections import Counter

from django.db import connection

from syncjobs.connectors.registry import CallGate
from system import sql

# A batch that is done, and counted, will not be undone.
_KEEP = """
INSERT INTO syncjobs_jobreceipt (job_id, fields_changed, superseded, updated_at)
SELECT %(job)s::bigint,
    coalesce((SELECT jsonb_object_agg(name, n) FROM (
        SELECT f.key AS name, sum(f.value::bigint)::bigint AS n
        FROM syncjobs_syncbatch b, jsonb_each_text(coalesce(b.counters -> 'fields', '{}')) AS f
        WHERE b.job_id = %(job)s::bigint AND b.state = 'done' GROUP BY 1) AS fields), '{}'),
    coalesce((SELECT sum((counters ->> 'superseded')::bigint) FROM syncjobs_syncbatch
        WHERE job_id = %(job)s::bigint AND state = 'done'), 0), now()
ON CONFLICT (job_id) DO UPDATE SET fields_changed = excluded.fields_changed, superseded = excluded.superseded,
    updated_at = excluded.updated_at
"""
_COUNT = """
INSERT INTO syncjobs_jobcalls AS c (job_id, api, calls)
SELECT %s::bigint, api, calls FROM unnest(%s::text[], %s::bigint[]) AS made (api, calls) ORDER BY api
ON CONFLICT (job_id, api) DO UPDATE SET calls = c.calls + excluded.calls
"""
# How long a call may be noted in memory only: a row a call would cost more than all else that a call does here.
NOTED_SECONDS = 1.0

# Calls that are not written yet, by job and API.
_noted: Counter[tuple[int, str]] = Counter()


def keep(job_id: int) -> None:
    """Add up the batches; joins the transaction that ends the job."""
    sql.execute(_KEEP, {"job": job_id})


def write_calls(job_id: int) -> None:
    """Add the calls that this process has noted for a job to its receipt."""
    noted = {api: calls for (of_job, api), calls in _noted.items() if of_job == job_id}
    if noted:
        sql.execute(_COUNT, [job_id, list(noted), list(noted.values())])
    for api in noted:
        del _noted[job_id, api]


class CountedGate:
    """A gate that notes for which job a call was made.

    Notes are written about once a second and at the end of a slice (`write_calls`); a worker that is killed takes
    those of its last second with it. The ledger of the app key, which limits are held against, misses none.
    """

    def __init__(self, gate: CallGate, job_id: int) -> None:
        self._gate, self._job_id = gate, job_id
        self._write_at = time.monotonic() + NOTED_SECONDS

    def acquire(self, api: str) -> None:
        """As the gate, then count."""
        self._gate.acquire(api)
        _noted[self._job_id, api] += 1
        # Inside somebody's transaction the row would stay locked for all other workers until that ends.
        if time.monotonic() >= self._write_at and not connection.in_atomic_block:
            write_calls(self._job_id)
            self._write_at = time.monotonic() + NOTED_SECONDS

    def slow_down(self, seconds: float) -> None:
        """As the gate."""
        self._gate.slow_down(seconds)

    def refused(self, api: str, *, used_up: bool = False) -> None:
        """As the gate."""
        self._gate.refused(api, used_up=used_up)
