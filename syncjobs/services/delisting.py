"""What a walk did not see. Absence proves something only after a complete full walk of the whole source.

A product goes a step of the ladder for each such walk in a row that misses it: missing, suspect, delisted (see
docs/delisting.md). The guard looks at everything a walk misses, whatever step it would go, so that a bad listing stops
at the first walk and not at the one that would delist.
"""

from typing import Any

from django.db import transaction

from products import catalog
from products.ingest import presence
from products.ingest.presence import STEP_SQL, Missed, Step
from syncjobs.engine.contracts import Heartbeat, Plan
from syncjobs.engine.pipeline import Counters
from syncjobs.models import HeldProduct, SeenProduct, SyncBatch, SyncJob
from syncjobs.services import announce, batches, jobs
from syncjobs.services.batches import Claim
from system import sql

# One transaction's worth of products.
CHUNK = 5000
# Rows of a finished walk's memory removed at once.
FORGET_CHUNK = 50_000
# From so many products on it matters how they are compared with what was seen.
MANY = 1000


def may_delist(job: SyncJob, plan: Plan) -> bool:
    """Only a full walk over everything a source has, by a connector that can prove it."""
    return job.type == SyncJob.Type.FULL and plan.provable and job.category_id is None and not job.sku_list


def looks_wiped(job: SyncJob, plan: Plan) -> bool:
    """A source that says it holds nothing, when the catalogue holds something of it."""
    return may_delist(job, plan) and plan.total == 0 and catalog.count_listed(job.source.name) > 0


def delist_missing(job: SyncJob, claim: Claim, pulse: Heartbeat) -> None:
    """Have what a provably complete walk did not see go a step; hold the job when that would be too much.

    Raises:
        LeaseLost, SyncCancelled: the batch is not ours any more.
    """
    job = SyncJob.objects.select_related("source").get(pk=job.pk)
    if (job.total or 0) >= MANY:
        # Of a walk that has just ended the planner knows nothing, and would compare each product with each.
        sql.execute("ANALYZE syncjobs_seenproduct")
    doubt = _doubt(job, approved=_is_approved(claim))
    if doubt:
        _skip(job, claim, doubt)
        return
    found = _count_missing(job)
    reason = None if _is_approved(claim) else _too_much(job, found)
    if reason:
        hold(job, claim, reason)
    elif job.dry_run:
        _count_only(job, claim, found)
    else:
        _step_in_chunks(job, claim, pulse)


def _too_much(job: SyncJob, found: Missed) -> dict[str, Any] | None:
    """Why what a walk misses is rather the listing's fault, None if it may be believed."""
    missing, limit = found.missing + found.delisted, job.source.delist_limit_percent
    listed = catalog.count_listed(job.source.name)
    if missing * 100 > listed * limit:
        return {"code": "delist_limit", "missing": missing, "delisting": found.delisted, "listed": listed}
    expected = _expected_total(job)
    if missing and (job.total or 0) * 100 < expected * (100 - limit):
        return {"code": "short_listing", "missing": missing, "delisting": found.delisted} | {
            "total": job.total,
            "expected": expected,
        }
    return None


def _expected_total(job: SyncJob) -> int:
    """What the source claimed to hold at its last complete walk; 0 before the first."""
    proven = SyncJob.objects.filter(source=job.source, scope=job.scope, type=SyncJob.Type.FULL, proven=True)
    last = proven.filter(pk__lt=job.pk, dry_run=False).order_by("-pk").values_list("total", flat=True).first()
    return last or 0


def hold(job: SyncJob, claim: Claim, reason: dict[str, Any]) -> None:
    """Show an operator what would become of each product and wait for a decision; a dry run only says so and goes on.

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
            sql.execute(WATCH, _values(job))
            batches.give_back(claim)
            jobs.hold(job.pk, reason, held=held)


def _is_approved(claim: Claim) -> bool:
    """Whether an operator has seen the list (`syncjobs.services.approval`)."""
    return bool(claim.params.get("approved"))


def _count_only(job: SyncJob, claim: Claim, found: Missed) -> None:
    counters = Counters(delisted=found.delisted, missing=found.missing)
    with transaction.atomic():
        batches.check_fence(claim)
        batches.mark_done(claim, counters)
        batches.count(job.pk, counters)


def _doubt(job: SyncJob, *, approved: bool) -> dict[str, Any] | None:
    """Why the walk does not prove completeness; None when it does.

    What was approved has been watched since it was shown: whoever saw one of its products has removed it. So only a
    later full walk, with a list of its own, overtakes it.
    """
    seen = SeenProduct.objects.filter(job_id=job.pk).count()
    lost = SyncBatch.objects.filter(job_id=job.pk, state=SyncBatch.State.FAILED).count()
    later = SyncJob.objects.filter(source=job.source, scope=job.scope, pk__gt=job.pk, processed__gt=0, dry_run=False)
    overtaken = (later.filter(type=SyncJob.Type.FULL) if approved else later).exists()
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
FROM products_product p LEFT JOIN products_missingproduct m ON m.product_id = p.id
WHERE p.source = %(source)s AND p.deleted_at IS NULL AND p.status <> ALL (%(gone)s::text[])
  AND 'status' <> ALL (p.owned_fields) AND coalesce(p.synced_at < %(began)s::timestamptz, true)
  AND NOT EXISTS (SELECT 1 FROM syncjobs_seenproduct s WHERE s.job_id = %(job)s::bigint AND s.source_id = p.source_id)
"""
# Complete walks in a row that missed the product, this one included; it may have been counted already.
WALKS = "coalesce(m.walks, 0) + coalesce(m.job_id < %(job)s::bigint, true)::int"
STEP = STEP_SQL.format(walks=f"({WALKS})", most="%(most)s::int")
COUNT = f"SELECT {STEP} AS step, count(*) AS n {MISSING} GROUP BY 1"
HOLD = f"""
INSERT INTO syncjobs_heldproduct (job_id, product_id, step, walks)
SELECT %(job)s::bigint, p.id, {STEP}, {WALKS} {MISSING} ON CONFLICT DO NOTHING
"""
# Whoever sees one of them before the decision removes it, and the approval passes it over.
WATCH = f"""
INSERT INTO products_missingproduct (product_id, source, source_id, walks, since)
SELECT p.id, p.source, p.source_id, 0, now() {MISSING} AND m.product_id IS NULL ON CONFLICT DO NOTHING
"""
NEXT = f"""
SELECT p.id, 'delisted' AS step {MISSING} AND coalesce(m.job_id < %(job)s::bigint, true) AND p.id > %(after)s::bigint
ORDER BY p.id LIMIT %(chunk)s::int
"""
NEXT_APPROVED = f"""
SELECT h.product_id AS id, h.step FROM syncjobs_heldproduct h
WHERE h.job_id = %(job)s::bigint AND h.product_id > %(after)s::bigint AND EXISTS (
    SELECT 1 {MISSING} AND p.id = h.product_id AND m.product_id IS NOT NULL
    AND coalesce(m.job_id < %(job)s::bigint, true))
ORDER BY h.product_id LIMIT %(chunk)s::int
"""  # noqa: S608 - constants only


def _values(job: SyncJob) -> dict[str, Any]:
    return {
        "source": job.source.name,
        "job": job.pk,
        "gone": list(catalog.GONE),
        "began": job.started_at,
        "most": job.source.delist_after_walks,
    }


def _count_missing(job: SyncJob) -> Missed:
    """How many products this walk misses, by whether they would be delisted."""
    found = {row["step"]: int(row["n"]) for row in sql.rows(COUNT, _values(job))}
    delisted = found.pop(Step.DELISTED, 0)
    return Missed(sum(found.values()), delisted)


def _step_in_chunks(job: SyncJob, claim: Claim, pulse: Heartbeat) -> None:
    """Each chunk commits by itself; what this walk has counted is passed over, so a repeat goes on where it ended."""
    statement = NEXT_APPROVED if _is_approved(claim) else NEXT
    values = _values(job) | {"after": 0, "chunk": CHUNK}
    total = Missed(0, 0)
    while True:
        pulse()
        with transaction.atomic():
            batches.check_fence(claim)
            found = sql.rows(statement, values)
            went = _step(job, {row["id"]: Step(row["step"]) for row in found})
            batches.count(job.pk, Counters(delisted=went.delisted, missing=went.missing))
            total = Missed(total.missing + went.missing, total.delisted + went.delisted)
            if len(found) < CHUNK:
                _finish(job, claim, total)
                return
        values["after"] = found[-1]["id"]


def _step(job: SyncJob, at_most: dict[int, Step]) -> Missed:
    if not at_most:
        return Missed(0, 0)
    return presence.miss(
        job.source.name,
        at_most,
        job_id=job.pk,
        began=job.started_at,
        delist_after=job.source.delist_after_walks,
    )


def _finish(job: SyncJob, claim: Claim, total: Missed) -> None:
    SyncJob.objects.filter(pk=job.pk).update(proven=True)
    batches.mark_done(claim, Counters(delisted=total.delisted, missing=total.missing))
    if total.missing:
        context = {"missing": total.missing, "delist_after_walks": job.source.delist_after_walks}
        announce.log(job.pk, "products missing from the source, not delisted yet", context=context)


def forget_walks() -> None:
    """Remove what finished walks remembered, a chunk at a time."""
    sql.execute(
        """
        WITH RECURSIVE walks AS (
            SELECT min(job_id) AS id FROM syncjobs_seenproduct
            UNION ALL
            SELECT (SELECT min(job_id) FROM syncjobs_seenproduct WHERE job_id > walks.id) FROM walks
            WHERE walks.id IS NOT NULL)
        DELETE FROM syncjobs_seenproduct WHERE ctid = ANY (ARRAY(
            SELECT s.ctid FROM walks
            JOIN syncjobs_syncjob j ON j.id = abs(walks.id) AND j.state IN ('succeeded', 'partial')
            JOIN syncjobs_seenproduct s ON s.job_id = walks.id LIMIT %s::int))
        """,
        [FORGET_CHUNK],
    )
