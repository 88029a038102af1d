"""Take back what a run did to the catalogue: a few products at once, many by a task, chunk by chunk."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import msgspec
from django.db import transaction

from products.ingest.revert import Skipped, revert
from products.models import ProductChange
from syncjobs.models import SyncJob
from syncjobs.services.jobs import find_job
from system import audit, sql
from system.actor import Actor, actor_scope, current_actor
from system.errors import ApplicationError, ErrorCode
from system.models import Task
from system.queue import TaskContext, TaskFailed, enqueue

UNDO_KIND = "sync.undo"
# One transaction's worth of products of a task.
CHUNK = 200
# More than this would keep a caller waiting.
AT_ONCE = 500
# So many products are told apart in an answer; the rest are counted by reason.
SHOWN = 1000
LEASE_SECONDS = 60

# Each product at its first line of the job, so that a step goes on in the index where the last one ended.
_NEXT = """
SELECT c.id, c.product_id FROM products_productchange c
WHERE c.job_id = %(job)s::bigint AND c.id > %(after)s::bigint AND c.kind <> ALL(%(steps)s::text[]) AND NOT EXISTS (
    SELECT FROM products_productchange e
    WHERE e.product_id = c.product_id AND e.id < c.id AND e.job_id = %(job)s::bigint
      AND e.kind <> ALL(%(steps)s::text[]))
ORDER BY c.id LIMIT %(limit)s::int
"""


class _Step(NamedTuple):
    """Some products of a run, and the last change line that was looked at."""

    products: list[int]
    last: int


class Undone(msgspec.Struct, kw_only=True):
    """What became of an undo. `task` is set while it is still to be done."""

    undone: int = 0
    skipped: list[dict[str, Any]] = msgspec.field(default_factory=list)
    skipped_by_reason: dict[str, int] = msgspec.field(default_factory=dict)
    task: Task | None = None

    def add(self, undone: Sequence[int], skipped: Sequence[Skipped]) -> None:
        """Count one chunk."""
        self.undone += len(undone)
        for each in skipped:
            self.skipped_by_reason[each.reason] = self.skipped_by_reason.get(each.reason, 0) + 1
        room = SHOWN - len(self.skipped)
        self.skipped += [each._asdict() for each in skipped[:room]]


def undo_sync(task_id: str, product_ids: Sequence[int] | None = None) -> Undone:
    """Put back all or some products of a run that nobody has changed since.

    Args:
        product_ids: None for all.

    Raises:
        ApplicationError: unknown id (404); the job is still active, or was a dry run (409).
    """
    job = find_job(task_id)
    if job.dry_run:
        raise ApplicationError(ErrorCode.SYNC_DRY_RUN, details={"task_id": task_id})
    if job.state in SyncJob.OPEN_STATES:
        raise ApplicationError(ErrorCode.SYNC_JOB_OPEN, details={"task_id": task_id, "status": job.state})
    wanted = _next(job.pk, 0, AT_ONCE + 1).products if product_ids is None else sorted(set(product_ids))
    if product_ids is None and len(wanted) > AT_ONCE:
        return Undone(task=_later(job))
    done = Undone()
    # In one step: whoever called may be in a transaction, and then the locks of several would not be in one order.
    _undo_chunk(job, wanted, done)
    return done


@transaction.atomic
def _later(job: SyncJob) -> Task:
    payload = {"job_id": job.pk, "actor": msgspec.to_builtins(current_actor())}
    task = enqueue(UNDO_KIND, payload, job_id=job.pk)
    audit.record("sync.undo", "sync_job", job.task_id, after={"task": str(task.id)})
    return task


def run_undo(payload: dict[str, Any], context: TaskContext) -> dict[str, Any]:
    """Handler of `sync.undo`. Begun anew after a crash, it finds what is done already undone.

    Returns:
        What `Undone` says, for the task's row.

    Raises:
        TaskFailed: the job was resumed; what it does from then on is not what somebody wanted undone.
    """
    done, last = Undone(), 0
    with actor_scope(msgspec.convert(payload["actor"], Actor)):
        while (step := _next(payload["job_id"], last, CHUNK)).products:
            context.heartbeat(LEASE_SECONDS)
            _undo_chunk(_resting(payload["job_id"]), step.products, done)
            last = step.last
    return {"undone": done.undone, "skipped": done.skipped, "skipped_by_reason": done.skipped_by_reason}


def _next(job_id: int, after: int, limit: int) -> _Step:
    rows = sql.rows(_NEXT, {"job": job_id, "after": after, "limit": limit, "steps": list(ProductChange.STEPS)})
    return _Step([row["product_id"] for row in rows], rows[-1]["id"] if rows else after)


def _resting(job_id: int) -> SyncJob:
    job = SyncJob.objects.get(pk=job_id)
    if job.state in SyncJob.OPEN_STATES:
        raise TaskFailed("job_open", "The job was resumed; what was put back before stays so.")
    return job


@transaction.atomic
def _undo_chunk(job: SyncJob, product_ids: Sequence[int], done: Undone) -> None:
    result = revert(job.pk, product_ids)
    if result.undone:
        audit.record("sync.undo", "sync_job", job.task_id, after={"products": result.undone})
    done.add(result.undone, result.skipped)
