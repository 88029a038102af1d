"""What a walk did not see. Absence proves something only after a complete full walk of the whole source."""

from typing import Any

from django.db import transaction

from products import catalog
from syncjobs.engine.contracts import Heartbeat, Plan
from syncjobs.engine.pipeline import Counters
from syncjobs.models import HeldProduct, SeenProduct, SyncBatch, SyncJob
from syncjobs.services import announce, batches, jobs
from syncjobs.services.batches import Claim
from system import sql

# One transaction's worth of delistings.
CHUNK = 5000
# Rows of a finished walk's memory removed at once.
FORGET_CHUNK = 50_000


def may_delist(job: SyncJob, plan: Plan) -> bool:
    """Only a full walk over everything a source has, by a connector that can prove it."""
    return job.type == SyncJob.Type.FULL and plan.provable and job.category_id is None and not job.sku_list


def looks_wiped(job: SyncJob, plan: Plan) -> bool:
    """A source that says it holds nothing, when the catalogue holds something of it."""
    return may_delist(job, plan) and plan.total == 0 and catalog.count_listed(job.source.name) > 0


def delist_missing(job: SyncJob, claim: Claim, pulse: Heartbeat) -> None:
    """Delist what a provably complete walk did not see; hold the job when that would be too much.

    Raises:
        LeaseLost, SyncCancelled: the batch is not ours any more.
    """
    job = SyncJob.objects.select_related("source").get(pk=job.pk)
    doubt = _doubt(job)
    if doubt:
        _skip(job, claim, doubt)
        return
    missing, listed = _count_missing(job), catalog.count_listed(job.source.name)
    if not _is_approved(claim) and missing * 100 > listed * job.source.delist_limit_percent:
        hold(job, claim, {"code": "delist_limit", "missing": missing, "listed": listed})
    elif job.dry_run:
        _count_only(job, claim, missing)
    else:
        _delist_in_chunks(job, claim, pulse)


def hold(job: SyncJob, claim: Claim, reason: dict[str, Any]) -> None:
    """Show an operator what would be delisted and wait for a decision; a dry run only says so and goes on.

    Raises:
        LeaseLost: the batch is not ours any more.
    """
    with transaction.atomic():
        batches.check_fence(claim)
        sql.execute(HOLD, _values(job))
        held = HeldProduct.objects.filter(job_id=job.pk).count()
        if job.dry_run:
            SyncJob.objects.filter(pk=job.pk).update(held=held, error=reason)
            announce.log(job.pk, "a sync would be held here", level="warning", context=reason)
            batches.mark_done(claim, Counters())
        else:
            batches.give_back(claim)
            jobs.hold(job.pk, reason, held=held)


def _is_approved(claim: Claim) -> bool:
    """Whether an operator has seen the list (`syncjobs.services.approval`)."""
    return bool(claim.params.get("approved"))


def _count_only(job: SyncJob, claim: Claim, missing: int) -> None:
    with transaction.atomic():
        batches.check_fence(claim)
        batches.mark_done(claim, Counters(delisted=missing))
        batches.count(job.pk, Counters(delisted=missing))


def _doubt(job: SyncJob) -> dict[str, Any] | None:
    """Why the walk does not prove completeness; None when it does."""
    seen = SeenProduct.objects.filter(job_id=job.pk).count()
    lost = SyncBatch.objects.filter(job_id=job.pk, state=SyncBatch.State.FAILED).count()
    later = SyncJob.objects.filter(source=job.source, scope=job.scope, pk__gt=job.pk, processed__gt=0, dry_run=False)
    overtaken = later.exists()
    if lost or overtaken or not job.provable or job.total_drifted or seen != job.total:
        return {
            "seen": seen,
            "total": job.total,
            "total_drifted": job.total_drifted,
            "batches_set_aside": lost,
            "interrupted": not job.provable,
            "overtaken": overtaken,
        }
    return None


def _skip(job: SyncJob, claim: Claim, doubt: dict[str, Any]) -> None:
    with transaction.atomic():
        batches.check_fence(claim)
        announce.log(job.pk, "walk not provably complete, nothing delisted", level="warning", context=doubt)
        batches.mark_done(claim, Counters())


# What any job stored since the walk began was there after the walk had passed its place.
MISSING = """
FROM products_product p
WHERE p.source = %(source)s AND p.deleted_at IS NULL AND p.status <> ALL (%(gone)s::text[])
  AND 'status' <> ALL (p.owned_fields) AND coalesce(p.synced_at < %(began)s::timestamptz, true)
  AND NOT EXISTS (SELECT 1 FROM syncjobs_seenproduct s WHERE s.job_id = %(job)s::bigint AND s.source_id = p.source_id)
"""
HOLD = f"""
INSERT INTO syncjobs_heldproduct (job_id, product_id) SELECT %(job)s::bigint, p.id {MISSING} ON CONFLICT DO NOTHING
"""
APPROVED = """
  AND EXISTS (SELECT 1 FROM syncjobs_heldproduct h WHERE h.job_id = %(job)s::bigint AND h.product_id = p.id)
"""


def _values(job: SyncJob) -> dict[str, Any]:
    return {"source": job.source.name, "job": job.pk, "gone": list(catalog.GONE), "began": job.started_at}


def _count_missing(job: SyncJob) -> int:
    found = sql.one(f"SELECT count(*) AS n {MISSING}", _values(job))
    return int(found["n"]) if found else 0


def _delist_in_chunks(job: SyncJob, claim: Claim, pulse: Heartbeat) -> None:
    """Each chunk commits by itself: what is delisted is not missing any more, so a repeat goes on where this ended."""
    missing = MISSING + APPROVED if _is_approved(claim) else MISSING
    while True:
        pulse()
        with transaction.atomic():
            batches.check_fence(claim)
            found = sql.rows(f"SELECT p.id {missing} ORDER BY p.id LIMIT {CHUNK}", _values(job))
            delisted = catalog.delist(job.source.name, [row["id"] for row in found], job.pk) if found else 0
            batches.count(job.pk, Counters(delisted=delisted))
            if len(found) < CHUNK:
                batches.mark_done(claim, Counters(delisted=delisted))
                return


def forget_walks() -> None:
    """Remove what finished walks remembered, a chunk at a time."""
    sql.execute(
        """
        DELETE FROM syncjobs_seenproduct WHERE ctid IN (
            SELECT s.ctid FROM syncjobs_seenproduct s JOIN syncjobs_syncjob j ON s.job_id = ANY (ARRAY[j.id, -j.id])
            WHERE j.state IN ('succeeded', 'partial') LIMIT %s::int)
        """,
        [FORGET_CHUNK],
    )
