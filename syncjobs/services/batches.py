"""A job's batches: claimed by compare-and-swap, kept by heartbeat, committed under a fence.

All times are compared on the database's clock. Every write of a batch begins with a look at its fence: a worker that
slept through its lease finds another number there and writes nothing.
"""

import uuid
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from typing import Any

import msgspec
from django.conf import settings
from django.db import transaction

from products import catalog
from products.records import ApplyResult, ChangeSet, FingerprintedProduct
from syncjobs.engine.errors import LeaseLost, SyncCancelled
from syncjobs.engine.pipeline import BatchResult, Counters
from syncjobs.models import SyncJob
from syncjobs.services import presence, raw_answers, reject_rows, walk_memory
from syncjobs.services.answer_memory import AnswerMemory
from system import sql

# First word of the advisory lock that makes claims of one job take turns.
CLAIM_LOCK = 0x1688


class Claim(msgspec.Struct, frozen=True, kw_only=True):
    """A batch that is ours until its lease ends."""

    id: int
    job_id: int
    source: str
    number: int
    stage: int
    fence: int
    params: dict[str, Any]
    crashes: int
    failures: int
    walk: bool  # part of a walk that counts what it saw against what the source claims
    dry_run: bool


class Totals(msgspec.Struct, frozen=True):
    """Where a job stands after a batch."""

    processed: int
    rejected: int
    dry_run: bool


Then = Callable[[Totals], None]


def nothing_more(_totals: Totals) -> None:
    """Nothing is to be done once a batch is committed."""


# Whoever held this let its lease end. That the database began anew since the lease was last extended explains it;
# otherwise the worker counts as lost, until it says itself that it was not (`plead`).
_BLAMED = "(b.state = 'running' AND pg_postmaster_start_time() < b.lease_until - make_interval(secs => %(lease)s::int))"
_BLAME = f"""
    crashes = b.crashes + {_BLAMED}::int,
    error = CASE WHEN {_BLAMED} THEN jsonb_build_object('code', 'worker_lost', 'fence', b.fence) ELSE b.error END
"""
CLAIM_SQL = f"""
WITH busy AS (
    SELECT count(DISTINCT task_id) AS workers FROM syncjobs_syncbatch
    WHERE job_id = %(job)s::bigint AND state = 'running' AND lease_until >= now() AND task_id <> %(task)s::uuid
), next AS (
    SELECT b.id FROM syncjobs_syncbatch b
    WHERE b.job_id = %(job)s::bigint AND b.state IN ('pending', 'running')
      AND b.stage = (SELECT min(stage) FROM syncjobs_syncbatch
                     WHERE job_id = %(job)s::bigint AND state IN ('pending', 'running'))
      AND (SELECT j.state = 'running' AND busy.workers < j.max_workers
           FROM syncjobs_syncjob j, busy WHERE j.id = %(job)s::bigint)
      AND CASE b.state WHEN 'running' THEN b.lease_until < now() ELSE coalesce(b.not_before <= now(), true) END
      AND b.crashes < %(deadly)s::int
    ORDER BY b.crashes, b.number LIMIT 1 FOR UPDATE OF b SKIP LOCKED
)
UPDATE syncjobs_syncbatch b
SET state = 'running', fence = b.fence + 1, task_id = %(task)s::uuid, {_BLAME},
    lease_until = now() + make_interval(secs => %(lease)s::int)
FROM next, syncjobs_syncjob j, syncjobs_source s
WHERE b.id = next.id AND j.id = b.job_id AND s.id = j.source_id
RETURNING b.id, b.job_id, s.name AS source, b.number, b.stage, b.fence, b.params, b.crashes, b.failures,
    (j.total IS NOT NULL AND j.watermark IS NOT NULL) AS walk, j.dry_run
"""  # noqa: S608 (constants of ours)


def claim(job_id: int, task_id: uuid.UUID, *, unblamed: bool = False) -> Claim | None:
    """Take the job's next batch; None when nothing can be taken now. What this task holds already is no other worker.

    Args:
        unblamed: none that a worker was lost with.

    A stage begins only when the one before is done. Batches that lost a worker before come last, so that a deadly one
    cannot hold up the others; those that are to be set aside do not come at all. A locked one is being committed,
    however long its lease is over.
    """
    deadly = 1 if unblamed else settings.SYNC_MAX_BATCH_CRASHES
    with transaction.atomic():
        sql.rows("SELECT pg_advisory_xact_lock(%s::int, %s::int)", [CLAIM_LOCK, job_id & 0x7FFFFFFF])
        values = {"job": job_id, "task": task_id, "lease": settings.SYNC_LEASE_SECONDS}
        found = sql.one(CLAIM_SQL, values | {"deadly": deadly})
    if found is None:
        return None
    return msgspec.convert(found | {"params": msgspec.json.decode(found["params"])}, Claim)


def extend_lease(claim: Claim) -> None:
    """Keep the batch for another lease.

    Raises:
        LeaseLost: somebody else has it.
    """
    kept = sql.execute(
        "UPDATE syncjobs_syncbatch SET lease_until = now() + make_interval(secs => %s::int)"
        " WHERE id = %s AND fence = %s AND state = 'running'",
        [settings.SYNC_LEASE_SECONDS, claim.id, claim.fence],
    )
    if not kept:
        raise LeaseLost(f"batch {claim.job_id}/{claim.number} belongs to another worker")


def give_back(claim: Claim) -> None:
    """Return the batch untouched."""
    _release(claim)


def postpone(claim: Claim, delay_seconds: float, error: dict[str, str], *, failed: bool = True) -> None:
    """Return the batch after the source failed, or was not asked at all: not before `delay_seconds` from now."""
    _release(claim, failures=int(failed), error=error, delay_seconds=delay_seconds)


def crashed(claim: Claim, error: dict[str, str]) -> None:
    """Return the batch after our own code failed on it; it counts like a lost worker, and its reason is kept."""
    _release(claim, crashes=1, error=error)


RELEASE_SQL = """
UPDATE syncjobs_syncbatch
SET state = 'pending', task_id = NULL, lease_until = NULL, error = coalesce(%(error)s::jsonb, error),
    failures = failures + %(failures)s::int, crashes = crashes + %(crashes)s::int,
    not_before = now() + nullif(%(delay)s::float8, 0) * interval '1 second'
WHERE id = %(id)s AND fence = %(fence)s AND state = 'running'
"""


def _release(
    claim: Claim,
    *,
    failures: int = 0,
    crashes: int = 0,
    error: dict[str, str] | None = None,
    delay_seconds: float = 0,
) -> None:
    values = {"failures": failures, "crashes": crashes, "delay": delay_seconds, "id": claim.id, "fence": claim.fence}
    sql.execute(RELEASE_SQL, values | {"error": _json(error) if error else None})


def release_held_by(task_id: uuid.UUID, *, crashed: bool) -> int:
    """Free what an earlier attempt of this task held: the attempt is over, or this one would not run.

    Args:
        crashed: that attempt lost its worker; otherwise it only had to end, and nobody is to blame.
    """
    return sql.execute(
        """
        UPDATE syncjobs_syncbatch SET state = 'pending', task_id = NULL, lease_until = NULL,
            crashes = crashes + %(crashed)s::bool::int, error = CASE WHEN %(crashed)s::bool THEN
                jsonb_build_object('code', 'worker_lost', 'fence', fence) ELSE error END
        WHERE task_id = %(task)s::uuid AND state = 'running'
        """,
        {"task": task_id, "crashed": crashed},
    )


def free_expired() -> int:
    """Put batches back whose worker is gone, but not those that are being committed at this moment."""
    return sql.execute(
        f"""
        UPDATE syncjobs_syncbatch b SET state = 'pending', task_id = NULL, lease_until = NULL, {_BLAME}
        WHERE id IN (SELECT id FROM syncjobs_syncbatch WHERE state = 'running' AND lease_until < now()
            FOR UPDATE SKIP LOCKED)
        """,  # noqa: S608 (a constant of ours)
        {"lease": settings.SYNC_LEASE_SECONDS},
    )


def plead(claim: Claim) -> bool:
    """Who finds its batch in other hands is alive: it was slow, stopped or cut off, and no worker was lost."""
    cleared = sql.execute(
        "UPDATE syncjobs_syncbatch SET crashes = crashes - 1, error = NULL"
        " WHERE id = %s AND crashes > 0 AND error ->> 'code' = 'worker_lost' AND (error ->> 'fence')::bigint = %s",
        [claim.id, claim.fence],
    )
    return bool(cleared)


def set_aside_deadly(job_id: int | None = None) -> int:
    """Fail batches that took down their workers too often; the job goes on without them."""
    return sql.execute(
        """
        UPDATE syncjobs_syncbatch SET state = 'failed', finished_at = now(), task_id = NULL, lease_until = NULL,
            error = CASE WHEN error ->> 'code' <> 'worker_lost' THEN error ELSE %(error)s::jsonb END
        WHERE id IN (SELECT id FROM syncjobs_syncbatch
            WHERE (%(job)s::bigint IS NULL OR job_id = %(job)s::bigint) AND crashes >= %(most)s::int
              AND (state = 'pending' OR (state = 'running' AND lease_until < now())) FOR UPDATE SKIP LOCKED)
        """,
        {"job": job_id, "most": settings.SYNC_MAX_BATCH_CRASHES, "error": _json({"code": "crash_loop"})},
    )


class BatchUnitOfWork:
    """The engine's `UnitOfWork` on Django's connection."""

    def __init__(self, claim: Claim, memory: AnswerMemory | None = None) -> None:
        self.claim = claim
        self.memory = memory or AnswerMemory(claim.source, b"")
        self.totals = Totals(0, 0, claim.dry_run)
        self._written: tuple[str, ...] = ()
        self._hidden = 0

    def fingerprints(self, source_ids: Collection[str]) -> dict[str, bytes]:
        """Fingerprints of what the catalogue holds."""
        stored = catalog.load_fingerprints(self.claim.source, list(source_ids))
        self._hidden = sum(row.is_hidden for row in stored.values())
        return {source_id: row.fingerprint for source_id, row in stored.items()}

    def apply(self, products: tuple[FingerprintedProduct, ...]) -> ApplyResult:
        """Write through the catalogue's port; a dry run takes it back, having counted what a run would do."""
        changes = ChangeSet(source=self.claim.source, job_id=self.claim.job_id, products=products)
        self._written = tuple(product.record.source_id for product in products)
        if not self.claim.dry_run:
            return catalog.apply(changes)
        before = transaction.savepoint()
        try:
            return catalog.apply(changes)
        finally:
            transaction.savepoint_rollback(before)

    def finish(self, result: BatchResult) -> None:
        """Rejects, the source's answers, what was seen and what is gone, the batch's own row, the job's counters."""
        result = presence.settled(self.claim.source, self.claim.job_id, result, dry_run=self.claim.dry_run)
        result = presence.with_hidden(result, self._hidden)
        reject_rows.save(self.claim.job_id, self.claim.source, result.rejects)
        if result.answers and not self.claim.dry_run and raw_answers.days():
            self.memory.keep(self.claim.job_id, result.answers, result.mapped, self._written)
        if self.claim.walk:
            walk_memory.remember(self.claim.job_id, result.seen)
        mark_done(self.claim, result.counters)
        job_id, unidentified = self.claim.job_id, result.unidentified
        self.totals = count(job_id, result.counters, totals=result.totals, unidentified=unidentified)


@contextmanager
def commit_batch(
    claim: Claim, then: Then = nothing_more, memory: AnswerMemory | None = None
) -> Iterator[BatchUnitOfWork]:
    """One transaction for everything a batch does; its fence is checked before the first write.

    Args:
        then: called after the commit.
        memory: what the batch recalled; it takes in what the batch heard.

    Raises:
        LeaseLost: another worker has the batch.
        SyncCancelled: the job has ended meanwhile.
    """
    with transaction.atomic():
        check_fence(claim)
        work = BatchUnitOfWork(claim, memory)
        yield work
    then(work.totals)


def check_fence(claim: Claim) -> None:
    """Lock the batch's row for this transaction.

    Raises:
        LeaseLost: the fence moved on.
    """
    ours = sql.one(
        "SELECT 1 AS ours FROM syncjobs_syncbatch WHERE id = %s AND fence = %s AND state = 'running' FOR UPDATE",
        [claim.id, claim.fence],
    )
    if not ours:
        raise LeaseLost(f"batch {claim.job_id}/{claim.number} belongs to another worker")


def mark_done(claim: Claim, counters: Counters) -> None:
    """The batch happened. Only inside a transaction that checked the fence."""
    sql.execute(DONE_SQL, [msgspec.json.encode(counters).decode(), claim.id])


DONE_SQL = """
UPDATE syncjobs_syncbatch SET state = 'done', counters = %s::jsonb, lease_until = NULL, task_id = NULL, error = NULL,
    finished_at = now() WHERE id = %s::bigint
"""
COUNT_SQL = """
UPDATE syncjobs_syncjob
SET processed = processed + %(processed)s::bigint, created = created + %(created)s::bigint,
    updated = updated + %(updated)s::bigint, unchanged = unchanged + %(unchanged)s::bigint,
    rejected = rejected + %(rejected)s::bigint, delisted = delisted + %(delisted)s::bigint,
    missing = missing + %(missing)s::bigint, hidden = hidden + %(hidden)s::bigint,
    calls = calls + %(calls)s::bigint, heartbeat_at = now(),
    total_drifted = total_drifted OR %(unidentified)s::bool
        OR EXISTS (SELECT 1 FROM unnest(%(totals)s::bigint[]) AS said WHERE said <> total),
    total = greatest(total, (SELECT max(said) FROM unnest(%(totals)s::bigint[]) AS said))
WHERE id = %(job)s::bigint AND state IN ('running', 'stopping') RETURNING processed, rejected, dry_run
"""


def count(job_id: int, counters: Counters, *, totals: Collection[int] = (), unidentified: int = 0) -> Totals:
    """Add to the job's counters; last in the transaction, because all of a job's workers meet at this row.

    Raises:
        SyncCancelled: the job is over; the transaction must not commit.
    """
    values = msgspec.to_builtins(counters) | {"processed": counters.processed}
    values |= {"job": job_id, "totals": list(totals), "unidentified": bool(unidentified)}
    found = sql.fetch_one(COUNT_SQL, values)
    if found is None:
        raise SyncCancelled(f"job {job_id} is over")
    return Totals(*found)


def _json(value: dict[str, str]) -> str:
    return msgspec.json.encode(value).decode()


def job_state(job_id: int) -> str:
    """The job's state now."""
    found: str = SyncJob.objects.values_list("state", flat=True).get(pk=job_id)
    return found
