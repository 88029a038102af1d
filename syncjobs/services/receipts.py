"""A run's receipt: the calls made for it, counted as they are made, and what its batches came to, kept at its end."""

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
INSERT INTO syncjobs_jobcalls AS c (job_id, api, calls) VALUES (%s::bigint, %s::text, 1)
ON CONFLICT (job_id, api) DO UPDATE SET calls = c.calls + 1
"""


def keep(job_id: int) -> None:
    """Add up the batches; joins the transaction that ends the job."""
    sql.execute(_KEEP, {"job": job_id})


class CountedGate:
    """A gate that notes for which job a call was made; a call is far dearer than the note, and a kill loses none."""

    def __init__(self, gate: CallGate, job_id: int) -> None:
        self._gate, self._job_id = gate, job_id

    def acquire(self, api: str) -> None:
        """As the gate, then count."""
        self._gate.acquire(api)
        sql.execute(_COUNT, [self._job_id, api])

    def slow_down(self, seconds: float) -> None:
        """As the gate."""
        self._gate.slow_down(seconds)

    def refused(self, api: str, *, used_up: bool = False) -> None:
        """As the gate."""
        self._gate.refused(api, used_up=used_up)
