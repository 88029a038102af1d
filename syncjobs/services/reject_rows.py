"""Rejected records as rows."""

from collections.abc import Sequence

from syncjobs.engine.normalize import Reject
from syncjobs.models import RejectedRecord


def save(job_id: int, source: str, rejects: Sequence[Reject]) -> None:
    """Keep what a batch could not use; joins the caller's transaction."""
    if rejects:
        RejectedRecord.objects.bulk_create([_row(job_id, source, reject) for reject in rejects])


def _row(job_id: int, source: str, reject: Reject) -> RejectedRecord:
    return RejectedRecord(
        job_id=job_id,
        source=source,
        source_id=(reject.source_id or "")[:100],
        step=reject.step[:20],
        code=reject.code[:50],
        field=reject.field[:100],
        message=reject.message,
        payload=reject.payload,
    )
