"""Every ten seconds: whatever a crash left of a job is put back on its way."""

from django.db import transaction

from syncjobs.models import SyncJob
from syncjobs.services import (
    authorizations,
    batches,
    delisting,
    gates,
    jobs,
    messages,
    pump,
    quota_holds,
    schedule_runs,
)
from syncjobs.services.slices_queue import ensure_slices


def sweep_jobs() -> None:
    """Free expired leases, end or continue jobs that nobody works on, clear what finished walks remembered, start what
    is due and what was heard of.
    """
    batches.free_expired()
    batches.set_aside_deadly()
    for job_id in SyncJob.objects.filter(state__in=SyncJob.OPEN_STATES).order_by("id").values_list("pk", flat=True):
        jobs.settle(job_id)
        with transaction.atomic():
            ensure_slices(job_id)
    delisting.forget_walks()
    gates.write_ledgers_through()
    quota_holds.resume_after_reset()
    authorizations.tell_of_endings()
    schedule_runs.run_due()
    messages.ring_waiting()
    pump.begin_if_due()
