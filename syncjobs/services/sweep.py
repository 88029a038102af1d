"""Every ten seconds: whatever a crash left of a job is put back on its way."""

from django.db import transaction

from syncjobs.models import SyncJob
from syncjobs.services import batches, delisting, jobs
from syncjobs.services.slices_queue import ensure_slices
from system import sql


def sweep_jobs() -> None:
    """Free expired leases, end or continue jobs that nobody works on, clear what finished walks remembered."""
    sql.execute(
        "UPDATE syncjobs_syncbatch SET state = 'pending', crashes = crashes + 1, task_id = NULL, lease_until = NULL"
        " WHERE state = 'running' AND lease_until < now()"
    )
    batches.set_aside_deadly()
    for job_id in SyncJob.objects.filter(state__in=SyncJob.OPEN_STATES).order_by("id").values_list("pk", flat=True):
        jobs.settle(job_id)
        with transaction.atomic():
            ensure_slices(job_id)
    delisting.forget_walks()
