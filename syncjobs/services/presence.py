"""What a batch says about the presence of products: those it saw, and those its source says do not exist."""

import msgspec
from django.db import transaction

from products.ingest.presence import Gone, saw, say_gone
from syncjobs.engine.normalize import Reject
from syncjobs.engine.pipeline import BatchResult
from syncjobs.models import SyncJob

GONE_CODE = "gone"


def settled(source: str, job_id: int, result: BatchResult, *, dry_run: bool) -> BatchResult:
    """Take what was seen off the ladder, and delist what the source, asked for exactly that product, calls gone.

    Only a job that names the product asks for it. A walk that looks up what it was listed, and a product that is not
    known here, keep the reject. A product that is delisted so counts as updated, one that was gone before as unchanged.
    """
    if not dry_run:
        saw(source, result.seen, job_id)
    gone = [reject for reject in result.rejects if reject.code == GONE_CODE and reject.source_id]
    asked = _asked(job_id, gone) if gone else []
    return _counted(result, _say_gone(source, asked, job_id, dry_run=dry_run)) if asked else result


def with_hidden(result: BatchResult, hidden: int) -> BatchResult:
    """The same result, with how many of its products nobody is shown."""
    if not hidden:
        return result
    return msgspec.structs.replace(result, counters=msgspec.structs.replace(result.counters, hidden=hidden))


def _asked(job_id: int, gone: list[Reject]) -> list[str]:
    named = set(SyncJob.objects.values_list("sku_list", flat=True).get(pk=job_id))
    return sorted({reject.source_id for reject in gone if reject.source_id in named})


def _say_gone(source: str, source_ids: list[str], job_id: int, *, dry_run: bool) -> Gone:
    if not dry_run:
        return say_gone(source, source_ids, job_id)
    before = transaction.savepoint()
    try:
        return say_gone(source, source_ids, job_id)
    finally:
        transaction.savepoint_rollback(before)


def _counted(result: BatchResult, gone: Gone) -> BatchResult:
    known = gone.delisted | gone.known_before
    rejects = tuple(each for each in result.rejects if each.code != GONE_CODE or each.source_id not in known)
    counters, fields = result.counters, dict(result.counters.fields)
    if gone.delisted:
        fields["status"] = fields.get("status", 0) + len(gone.delisted)
    counters = msgspec.structs.replace(
        counters,
        updated=counters.updated + len(gone.delisted),
        unchanged=counters.unchanged + len(gone.known_before),
        rejected=len(rejects),
        delisted=counters.delisted + len(gone.delisted),
        fields=fields,
    )
    return msgspec.structs.replace(result, counters=counters, rejects=rejects)
