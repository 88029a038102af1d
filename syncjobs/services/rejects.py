"""Rejected records, replayed from their kept payload: the way of a batch, without one call to the source."""

from collections.abc import Iterator
from contextlib import closing, contextmanager

import msgspec
from django.db import transaction
from django.utils import timezone

from products import catalog
from products.models import Product
from products.records import ApplyResult, ChangeSet, FingerprintedProduct
from syncjobs.engine.contracts import Connector, Page, RawRecord
from syncjobs.engine.diff import differing
from syncjobs.engine.errors import FatalSourceError
from syncjobs.engine.normalize import Normalized, Reject
from syncjobs.models import RejectedRecord, SyncJob
from syncjobs.services import raw_answers
from syncjobs.services.jobs import find_job
from syncjobs.services.sources import connect
from system import audit, sql
from system.errors import ApplicationError, ErrorCode

Outcome = RejectedRecord.Outcome

# The last reject a run had been missing makes it whole, unless something else was missing too.
_SETTLE = """
UPDATE syncjobs_syncjob j
SET rejected = greatest(rejected - 1, 0),
    created = created + (%(outcome)s::text = 'created')::int,
    updated = updated + (%(outcome)s::text = 'updated')::int,
    unchanged = unchanged + (%(outcome)s::text IN ('unchanged', 'superseded'))::int,
    state = CASE WHEN state = 'partial' AND error IS NULL AND rejected <= 1 THEN 'succeeded' ELSE state END
WHERE id = %(job)s::bigint
"""


class Retried(msgspec.Struct, frozen=True, kw_only=True):
    """What a replay came to: `outcome` is one of `RejectedRecord.Outcome`, or "rejected" again."""

    outcome: str
    reject: RejectedRecord


def find_reject(task_id: str, reject_id: int) -> RejectedRecord:
    """A rejected record of this job, without its payload.

    Raises:
        ApplicationError: 404.
    """
    of_job = RejectedRecord.objects.defer("payload").filter(job__task_id=task_id)
    found = of_job.filter(pk=reject_id).first()
    if found is None:
        raise ApplicationError(ErrorCode.NOT_FOUND, details={"task_id": task_id, "reject_id": reject_id})
    return found


def retry_reject(task_id: str, reject_id: int) -> Retried:
    """Map and store a rejected record as the connector and its mapping are now.

    A record that a later sync has overtaken changes nothing; one that was replayed already stays as it came out.

    Raises:
        ApplicationError: no such record (404), nothing to replay (422), the source's options cannot be used (422), or
            the job was a dry run (409).
    """
    job = find_job(task_id)
    find_reject(task_id, reject_id)
    if job.dry_run:
        raise ApplicationError(ErrorCode.SYNC_DRY_RUN, details={"task_id": task_id})
    with mapper_of(job) as connector, transaction.atomic():
        retried = retry_row(job, connector, reject_id)
        if retried.outcome != "rejected":
            after = {"task_id": job.task_id, "outcome": retried.outcome}
            audit.record("reject.retry", "reject", reject_id, after=after)
        return retried


def retry_row(job: SyncJob, connector: Connector, reject_id: int) -> Retried:
    """Map and store one record; joins the caller's transaction.

    Raises:
        ApplicationError: nothing to replay (422).
        FatalSourceError: the source's options cannot be used.
    """
    row = RejectedRecord.objects.select_for_update().get(pk=reject_id)
    if row.resolved_at:
        return Retried(outcome=row.outcome, reject=row)
    if not row.payload:
        raise ApplicationError(ErrorCode.REJECT_NOT_REPLAYABLE, details={"code": row.code})
    normalized = Normalized()
    record = RawRecord(payload=bytes(row.payload), source_id=row.source_id or None)
    normalized.add(Page(records=(record,), calls=0), connector, lambda: None)
    if normalized.rejects:
        return _rejected_again(row, normalized.rejects[0])
    (product,) = normalized.products.values()
    return _stored(job, row, product)


@contextmanager
def mapper_of(job: SyncJob) -> Iterator[Connector]:
    """The connector of the job's source, to map and not to call.

    Raises:
        ApplicationError: the source's options cannot be used (422), also when that turns out only on use.
    """
    try:
        with closing(connect(job.source)) as connector:
            yield connector
    except FatalSourceError as error:
        details = {"code": error.code, "message": error.message, "suggestion": error.suggestion}
        raise ApplicationError(ErrorCode.SYNC_SOURCE_REFUSED, details=details) from error


def _rejected_again(row: RejectedRecord, reject: Reject) -> Retried:
    row.step, row.code, row.field = reject.step[:20], reject.code[:50], reject.field[:100]
    row.message, row.retries = reject.message, row.retries + 1
    row.save(update_fields=["step", "code", "field", "message", "retries"])
    return Retried(outcome="rejected", reject=row)


def _stored(job: SyncJob, row: RejectedRecord, product: FingerprintedProduct) -> Retried:
    outcome = _outcome(job, row, product)
    row.source_id, row.outcome = product.record.source_id, outcome
    row.retries, row.resolved_at = row.retries + 1, timezone.now()
    row.save(update_fields=["source_id", "outcome", "retries", "resolved_at"])
    if outcome in (Outcome.CREATED, Outcome.UPDATED):
        raw_answers.mark_used(job.source.name, row.source_id, bytes(row.payload))
    sql.execute(_SETTLE, {"job": job.pk, "outcome": outcome})
    return Retried(outcome=outcome, reject=row)


def _outcome(job: SyncJob, row: RejectedRecord, product: FingerprintedProduct) -> str:
    """Write the product as a batch of one would.

    A source need not say when a product changed; what a sync has stored since is newer than what was kept here.
    """
    source, source_id = job.source.name, product.record.source_id
    if Product.objects.filter(source=source, source_id=source_id, synced_at__gt=row.created_at).exists():
        return Outcome.SUPERSEDED.value
    stored = catalog.load_fingerprints(source, [source_id])
    changed, _ = differing([product], {key: known.fingerprint for key, known in stored.items()})
    applied = ApplyResult(unchanged=1)
    if changed:
        applied = catalog.apply(ChangeSet(source=source, job_id=job.pk, products=changed))
    if applied.created:
        return Outcome.CREATED.value
    return Outcome.UPDATED.value if applied.updated else Outcome.UNCHANGED.value
