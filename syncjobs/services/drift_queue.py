"""Orders the look at what a job's answers were made of, once it has ended."""

from syncjobs.models import RawAnswer
from system.models import Task
from system.queue import enqueue

DRIFT_KIND = "sync.drift"


def order_look(job_id: int) -> None:
    """Enqueue it if the job heard anything new; joins the transaction that ends the job."""
    if RawAnswer.objects.filter(job_id=job_id).exists():
        enqueue(DRIFT_KIND, {"job_id": job_id}, queue=Task.Queue.LOW, job_id=job_id)
