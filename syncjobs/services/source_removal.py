"""Removing a source that never brought anything; one that did is switched off instead."""

from django.db import transaction

from products.models import Product
from syncjobs.models import ChangeMessage, MessageListener, Source, SyncJob, Watermark
from syncjobs.services.jobs import TASK_ID_LOCK
from syncjobs.services.sources import source_with_id
from system import audit, sql
from system.errors import ApplicationError, ErrorCode
from system.preconditions import check_version

COUNT_LIMIT = 10_000


def delete_source(source_id: int, expected: frozenset[int] | None = None) -> None:
    """Delete a source without jobs and products.

    Jobs and products carry a source for good: without its row a job could not be resumed, nor a product explained. The
    lock under which jobs get their number keeps one from starting meanwhile.

    Raises:
        ApplicationError: 404, 412, or 409 with the counts of what hangs on it.
    """
    with transaction.atomic():
        sql.rows("SELECT pg_advisory_xact_lock(%s::bigint)", [TASK_ID_LOCK])
        source = source_with_id(source_id, Source.objects.select_for_update())
        check_version(source.version, expected)
        held = _held_by(source)
        if any(held.values()):
            raise ApplicationError(ErrorCode.SYNC_SOURCE_IN_USE, details=held)
        ChangeMessage.objects.filter(source=source).delete()
        MessageListener.objects.filter(source=source).delete()
        Watermark.objects.filter(source=source.name).delete()
        audit.record("source.delete", "source", source.pk, before={"name": source.name, "kind": source.kind})
        source.delete()


def _held_by(source: Source) -> dict[str, int]:
    """What hangs on a source, counted up to a limit."""
    jobs = SyncJob.objects.filter(source=source)
    return {
        "jobs": jobs.order_by()[:COUNT_LIMIT].count(),
        "open_jobs": jobs.filter(state__in=SyncJob.OPEN_STATES).order_by()[:COUNT_LIMIT].count(),
        "products": Product.objects.filter(source=source.name).order_by()[:COUNT_LIMIT].count(),
    }
