"""What a job tells the world: log lines in the database, events to whoever watches. Events leave after the commit."""

from typing import Any

from django.db import transaction
from django.utils import timezone

from syncjobs import live, selectors
from syncjobs.models import SyncLog
from syncjobs.services import deliveries, drift_queue
from system import sql

# First word of the lock that makes writers of one job's log take turns.
LOG_LOCK = 0x168A


def log(job_id: int, message: str, *, level: str = "info", context: dict[str, Any] | None = None) -> None:
    """Write one line. `message` is one of `syncjobs.log_texts`, translated when it is shown.

    Whoever writes holds the job's log until its transaction ends, so a job's lines appear in the order of their ids:
    a reader who has seen one has seen all before it. Whoever locks the job's row as well does so first.
    """
    with transaction.atomic(savepoint=False):
        sql.rows("SELECT pg_advisory_xact_lock(%s::int, %s::int)", [LOG_LOCK, job_id & 0x7FFFFFFF])
        line = SyncLog.objects.create(
            job_id=job_id, level=level, message=message, context=context or {}, created_at=timezone.now()
        )
    transaction.on_commit(lambda: _show(line))


def _show(line: SyncLog) -> None:
    line.job = selectors.job(line.job_id)
    live.publish(line.job_id, "log", selectors.log_view(line))


def progress(job_id: int) -> None:
    """Show where the job stands."""
    transaction.on_commit(lambda: live.publish(job_id, "progress", selectors.job_view(selectors.job(job_id))))


def finished(job_id: int) -> None:
    """Show how the job ended, to whoever watches and to the webhooks that ask for it; look at what it heard."""
    deliveries.job_ended(job_id)
    drift_queue.order_look(job_id)
    transaction.on_commit(lambda: live.publish(job_id, "finished", selectors.job_view(selectors.job(job_id))))
