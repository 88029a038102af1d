"""A source that suddenly speaks differently: stop before its whole catalogue is rejected at the price of paid calls."""

from syncjobs.models import SyncLog
from syncjobs.services import jobs
from syncjobs.services.batches import Totals
from system import runtime

CODE = "reject_limit"
# Fewer records prove nothing.
LEAST_RECORDS = 200


def check_rejects(job_id: int, totals: Totals) -> None:
    """Hold a job that rejects more than its share of records; one that somebody resumed after that goes on to its end.

    A dry run is there to show rejects, and a scope of few records is soon over anyway.
    """
    if totals.dry_run or totals.processed < LEAST_RECORDS or not totals.rejected:
        return
    if totals.rejected * 100 <= totals.processed * runtime.integer("sync.reject_limit_percent"):
        return
    if not SyncLog.objects.filter(job_id=job_id, context__code=CODE).exists():
        jobs.hold(job_id, {"code": CODE, "rejected": totals.rejected, "processed": totals.processed})
