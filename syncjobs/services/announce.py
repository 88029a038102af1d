"""What a job tells the world: log lines in the database, events to whoever watches. Events leave after the commit."""

from typing import Any

from django.db import transaction
from django.utils import timezone

from syncjobs import live, selectors
from syncjobs.models import SyncLog
from syncjobs.services import deliveries


def log(job_id: int, message: str, *, level: str = "info", context: dict[str, Any] | None = None) -> None:
    """Write one line. `message` is one of `syncjobs.log_texts`, translated when it is shown."""
    line = SyncLog.objects.create(
        job_id=job_id, level=level, message=message, context=context or {}, created_at=timezone.now()
    )
    transaction.on_commit(lambda: live.publish(job_id, "log", selectors.log_view(line)))


def progress(job_id: int) -> None:
    """Show where the job stands."""
    transaction.on_commit(lambda: live.publish(job_id, "progress", selectors.job_view(selectors.job(job_id))))


def finished(job_id: int) -> None:
    """Show how the job ended, to whoever watches and to the webhooks that ask for it."""
    deliveries.job_ended(job_id)
    transaction.on_commit(lambda: live.publish(job_id, "finished", selectors.job_view(selectors.job(job_id))))
