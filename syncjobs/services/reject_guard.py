"""A source that suddenly speaks differently: stop before its whole catalogue is rejected at the price of paid calls."""

from syncjobs.models import SyncJob, SyncLog
from syncjobs.services import jobs
from system import runtime

CODE = "reject_limit"
# Fewer records prove nothing.
LEAST_RECORDS = 200


def check_rejects(job_id: int) -> None:
    """Hold a job that rejects more than its share of records; one that somebody resumed after that goes on to its end.

    A dry run is there to show rejects, and a scope of few records is soon over anyway.
    """
    job = SyncJob.objects.only("processed", "rejected", "dry_run").get(pk=job_id)
    limit = runtime.integer("sync.reject_limit_percent")
    if job.dry_run or job.processed < LEAST_RECORDS or job.rejected * 100 <= job.processed * limit:
        return
    if not SyncLog.objects.filter(job_id=job_id, context__code=CODE).exists():
        jobs.hold(job_id, {"code": CODE, "rejected": job.rejected, "processed": job.processed})
