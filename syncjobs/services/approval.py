"""An operator agrees to the delisting a held job has shown, and to no more than that."""

from typing import Any

from django.db import IntegrityError, transaction

from syncjobs.models import HeldProduct, SyncBatch, SyncJob
from syncjobs.services import announce, jobs, scopes, slices_queue
from system import audit
from system.errors import ApplicationError, ErrorCode

# The reasons for holding a job that a list of products belongs to.
APPROVABLE = ("delist_limit", "empty_listing", "short_listing")
STAGE = SyncBatch.Stage
STATE = SyncBatch.State


def approve_sync(task_id: str) -> SyncJob:
    """Let a held job delist what it has shown. Products that came back or were stored since then stay.

    Raises:
        ApplicationError: unknown id (404); not held for a delisting, or another job of the scope is open (409).
    """
    job = jobs.find_job(task_id)
    reason: dict[str, Any] = job.error or {}
    try:
        with transaction.atomic():
            if not _reopen(job.pk):
                raise ApplicationError(ErrorCode.SYNC_NOT_HELD, details={"task_id": task_id, "status": job.state})
            _approve(job.pk)
            _record(job, reason)
            slices_queue.ensure_slices(job.pk)
    except IntegrityError as error:
        raise scopes.conflict(job.source, job.scope) from error
    return jobs.find_job(task_id)


def _reopen(job_id: int) -> bool:
    return any(jobs.reopen(job_id, [SyncJob.State.HELD], code=code) for code in APPROVABLE)


def _approve(job_id: int) -> None:
    """The delisting goes on under the list; a walk that found nothing at all needs no other batch than this one."""
    of_job = SyncBatch.objects.filter(job_id=job_id)
    approved = {"approved": True}
    if of_job.filter(stage=STAGE.DELIST).update(params=approved, not_before=None, crashes=0, failures=0):
        return
    of_job.filter(stage=STAGE.PLAN).update(state=STATE.DONE, task_id=None, lease_until=None)
    SyncBatch.objects.create(job_id=job_id, number=1, stage=STAGE.DELIST, params=approved)
    SyncJob.objects.filter(pk=job_id).update(total=0, provable=True)


def _record(job: SyncJob, reason: dict[str, Any]) -> None:
    shown = HeldProduct.objects.filter(job_id=job.pk).count()
    announce.log(job.pk, "delisting approved", context={"status": SyncJob.State.RUNNING.value, "products": shown})
    audit.record(
        "sync.approve",
        "sync_job",
        job.task_id,
        before={"status": SyncJob.State.HELD.value, "error": reason},
        after={"status": SyncJob.State.RUNNING.value, "products": shown},
    )
