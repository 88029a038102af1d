"""The life of a job: start, stop, resume, hold, fail, finish. Every change of state is a compare-and-swap."""

import logging
from collections.abc import Collection
from datetime import datetime
from typing import Any

import msgspec
from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils import timezone

from syncjobs.models import HeldProduct, Source, SyncBatch, SyncJob
from syncjobs.services import announce, forecasts, scopes, slices_queue, walk_memory
from system import audit, health, runtime, sql
from system.errors import ApplicationError, ErrorCode
from system.request_id import current_request_id

logger = logging.getLogger(__name__)

State = SyncJob.State
TASK_ID_LOCK = 0x1688_0001


class StartSync(msgspec.Struct, frozen=True, kw_only=True):
    """What a start asks for, the same from REST, admin, command and schedule.

    `source` is a name; None takes the default source. `sku_list` holds offer ids, `1688-<id>` or pasted offer links.
    `priority` is a queue name. `window` limits the job to products that changed between two moments, the second
    excluded; such a job neither delists nor moves the watermark. A `dry_run` goes the same way and leaves nothing in
    the catalogue but its own record.
    """

    type: str
    source: str | None = None
    category_id: int | None = None
    sku_list: tuple[str, ...] = ()
    batch_size: int = msgspec.field(default_factory=lambda: runtime.integer("sync.batch_size_default"))
    max_workers: int = msgspec.field(default_factory=lambda: runtime.integer("sync.max_workers_default"))
    priority: str = "default"
    trigger: str = SyncJob.Trigger.API
    requested_by: str = ""
    window: tuple[datetime, datetime] | None = None
    dry_run: bool = False


def start_sync(request: StartSync) -> SyncJob:
    """Create a running job with its first batch, and ring the workers once it is committed.

    Raises:
        ApplicationError: no such source or category (422), bad offer id (400), or a job of this scope is already
            open (409, details name its task_id).
    """
    target = scopes.examine(request.source, request.category_id, request.sku_list)
    source = target.checked_source()
    job = new_job(request, source, target.offer_ids, target.scope)
    job.forecast = forecasts.before_plan(job)
    try:
        with transaction.atomic():
            create_job(job, request.window)
    except IntegrityError as error:
        raise scopes.conflict(source, target.scope) from error
    return job


def new_job(request: StartSync, source: Source, offer_ids: list[str], scope: str) -> SyncJob:
    """The row of a job as it begins, without its public id and not stored."""
    now = timezone.now()
    return SyncJob(
        source=source,
        type=request.type,
        trigger=request.trigger,
        requested_by=request.requested_by,
        priority=request.priority,
        category_id=request.category_id,
        sku_list=offer_ids,
        scope=scope,
        batch_size=request.batch_size,
        max_workers=request.max_workers,
        dry_run=request.dry_run,
        request_id=current_request_id(),
        started_at=now,
        heartbeat_at=now,
    )


def create_job(job: SyncJob, window: tuple[datetime, datetime] | None) -> None:
    """Store a job of `new_job` with its first batch; joins the caller's transaction.

    Raises:
        ApplicationError: the source was removed meanwhile (422).
        IntegrityError: a job of this source and scope is open.
    """
    job.task_id = _next_task_id(timezone.now().strftime("%Y%m%d"))
    # Sources are removed under the lock that numbers jobs, so from here on this one stays.
    if not Source.objects.filter(pk=job.source_id).exists():
        raise ApplicationError(ErrorCode.SYNC_SOURCE_UNKNOWN, details={"source": job.source.name})
    job.save(force_insert=True)
    limits = dict(zip(("since", "until"), map(datetime.isoformat, window or ()), strict=False))
    SyncBatch.objects.create(job=job, number=0, stage=SyncBatch.Stage.PLAN, params=limits)
    if not health.online_workers():
        announce.log(job.id, "no worker is alive, nothing happens until one is started", level="warning")
    forecasts.warn_if_short(job.id, job.forecast)
    announce.log(job.id, "sync started", context={"status": State.RUNNING.value})
    slices_queue.ensure_slices(job.id)
    audit.record("sync.start", "sync_job", job.task_id, after=_order(job))


def _order(job: SyncJob) -> dict[str, Any]:
    names = ("type", "category_id", "sku_list", "batch_size", "max_workers", "priority", "trigger", "dry_run")
    return {"source": job.source.name, **{name: getattr(job, name) for name in names}}


def _next_task_id(day: str) -> str:
    """`sync_YYYYMMDD_NNN`, counted per day (UTC) under a lock that ends with the transaction."""
    sql.rows("SELECT pg_advisory_xact_lock(%s::bigint)", [TASK_ID_LOCK])
    last = sql.one(
        "SELECT coalesce(max(split_part(task_id, '_', 3)::int), 0) AS n FROM syncjobs_syncjob WHERE task_id LIKE %s",
        [f"sync\\_{day}\\_%"],
    )
    return f"sync_{day}_{(last['n'] if last else 0) + 1:03d}"


def find_job(task_id: str) -> SyncJob:
    """The job with this public id, its source joined.

    Raises:
        ApplicationError: 404.
    """
    known = SyncJob.objects.select_related("source").filter(task_id=task_id)
    job = None if "\0" in task_id else known.first()
    if job is None:
        raise ApplicationError(ErrorCode.NOT_FOUND, details={"task_id": task_id})
    return job


def stop_sync(task_id: str | None = None) -> SyncJob:
    """Ask a job to stop; without an id, the only active one. Stopping twice is the same as once.

    Raises:
        ApplicationError: unknown id (404), already finished, none active, or several active and no id given (409).
    """
    job = find_job(task_id) if task_id else _only_active_job()
    request_stop(job.pk)
    job.refresh_from_db()
    if job.state not in (State.STOPPING, State.STOPPED):
        raise ApplicationError(ErrorCode.SYNC_JOB_FINISHED, details={"task_id": job.task_id, "status": job.state})
    return find_job(job.task_id)


@transaction.atomic
def request_stop(job_id: int) -> bool:
    """Have a running job stop; False for one that does not run. Its slices see it within a second."""
    stopping = SyncJob.objects.filter(pk=job_id, state=State.RUNNING).update(state=State.STOPPING)
    if stopping:
        announce.log(job_id, "stop requested", context={"status": State.STOPPING.value})
        _audit_change(job_id, "sync.stop", State.RUNNING, State.STOPPING)
        settle(job_id)
    return bool(stopping)


def _audit_change(job_id: int, action: str, before: str, after: str) -> None:
    task_id = SyncJob.objects.filter(pk=job_id).values_list("task_id", flat=True).first()
    audit.record(action, "sync_job", task_id, before={"status": before}, after={"status": after})


def _only_active_job() -> SyncJob:
    active = list(SyncJob.objects.filter(state__in=SyncJob.OPEN_STATES).order_by("id")[:20])
    if not active:
        raise ApplicationError(ErrorCode.SYNC_JOB_FINISHED)
    if len(active) > 1:
        raise ApplicationError(ErrorCode.SYNC_JOB_AMBIGUOUS, details={"task_ids": [job.task_id for job in active]})
    return active[0]


def resume_sync(task_id: str) -> SyncJob:
    """Go on from the last committed batch.

    Raises:
        ApplicationError: unknown id (404), not resumable, or another job of the scope is open (409).
    """
    job = find_job(task_id)
    try:
        with transaction.atomic():
            if not reopen(job.pk, SyncJob.RESUMABLE_STATES):
                raise ApplicationError(ErrorCode.SYNC_NOT_RESUMABLE, details={"task_id": task_id, "status": job.state})
            go_on(job.pk, job.state, "sync resumed")
    except IntegrityError as error:
        raise scopes.conflict(job.source, job.scope) from error
    return find_job(task_id)


def go_on(job_id: int, before: str, text: str) -> None:
    """Bring a job that was just reopened back to work, from its last committed batch; part of the same transaction.

    Args:
        before: the state it rested in.
        text: the line of its log.
    """
    _reopen_batches(job_id)
    _forget_approval(job_id)
    announce.log(job_id, text, context={"status": State.RUNNING.value})
    _audit_change(job_id, "sync.resume", before, State.RUNNING)
    slices_queue.ensure_slices(job_id)


def reopen(job_id: int, among: Collection[str], **error: str) -> bool:
    """Set a job running again if it rests in one of these states; one caller of many gets True.

    Args:
        error: what the error it rests with must hold, such as `code`.
    """
    reasons = {f"error__{name}": said for name, said in error.items()}
    resting = SyncJob.objects.filter(pk=job_id, state__in=among, **reasons)
    reopened = resting.update(state=State.RUNNING, error=None, finished_at=None, held=0, heartbeat_at=timezone.now())
    return bool(reopened)


def _reopen_batches(job_id: int) -> None:
    """Batches that were set aside get another chance, and waiting ones need not wait any more.

    A walk that rested proves nothing: as many products may have come as gone, and one that moved up a page meanwhile
    was never seen.
    """
    of_job = SyncBatch.objects.filter(job_id=job_id)
    if of_job.filter(stage=SyncBatch.Stage.FETCH).exclude(state=SyncBatch.State.DONE).exists():
        SyncJob.objects.filter(pk=job_id).update(provable=False)
    tried = Q(crashes__gt=0) | Q(failures__gt=0) | Q(not_before__isnull=False)
    of_job.filter(Q(state=SyncBatch.State.FAILED) | Q(state=SyncBatch.State.PENDING) & tried).update(
        state=SyncBatch.State.PENDING, crashes=0, failures=0, not_before=None, finished_at=None
    )


def _forget_approval(job_id: int) -> None:
    """What is missing is found out anew, and shown anew if it is too much."""
    HeldProduct.objects.filter(job_id=job_id).delete()
    SyncBatch.objects.filter(job_id=job_id, stage=SyncBatch.Stage.DELIST).update(params={})


def fail(job_id: int, error: dict[str, Any]) -> None:
    """End a job that cannot go on; it stays resumable."""
    _leave_running(job_id, State.FAILED, error, "sync failed", level="error")


def hold(job_id: int, error: dict[str, Any], *, held: int = 0) -> None:
    """Put a job aside until somebody decides, or the quota comes back.

    Args:
        held: number of products whose delisting waits for a decision.
    """
    _leave_running(job_id, State.HELD, error, "sync held", level="warning", held=held)


def _leave_running(job_id: int, state: str, error: dict[str, Any], text: str, *, level: str, held: int = 0) -> None:
    with transaction.atomic():
        left = SyncJob.objects.filter(pk=job_id, state=State.RUNNING).update(
            state=state, error=error, held=held, finished_at=timezone.now()
        )
        if left:
            announce.log(job_id, text, level=level, context={"status": state} | error)
            announce.finished(job_id)


SETTLE_SQL = """
UPDATE syncjobs_syncjob j SET state = 'stopped', finished_at = now()
WHERE id = %s AND state = 'stopping' AND NOT EXISTS (
    SELECT 1 FROM syncjobs_syncbatch b WHERE b.job_id = j.id AND b.state = 'running' AND b.lease_until >= now())
"""


def settle(job_id: int) -> None:
    """Bring a job to rest where nothing holds it any more: stopping becomes stopped, a finished walk ends."""
    with transaction.atomic():
        if sql.execute(SETTLE_SQL, [job_id]):
            announce.log(job_id, "sync stopped", context={"status": State.STOPPED.value})
            announce.finished(job_id)
        else:
            finish_if_done(job_id)


# A job without a plan has done nothing at all: it has failed, and can be resumed.
FINISH_SQL = """
UPDATE syncjobs_syncjob j
SET finished_at = now(),
    state = CASE WHEN lost.plan THEN 'failed' WHEN rejected > 0 OR lost.batches > 0 THEN 'partial' ELSE 'succeeded' END,
    error = CASE WHEN lost.batches > 0
        THEN jsonb_build_object('code', 'batches_set_aside', 'batches', lost.batches) ELSE error END
FROM (SELECT count(*) AS batches, coalesce(bool_or(stage = 0), false) AS plan
      FROM syncjobs_syncbatch WHERE job_id = %(job)s::bigint AND state = 'failed') AS lost
WHERE j.id = %(job)s::bigint AND j.state = 'running' AND NOT EXISTS (
    SELECT 1 FROM syncjobs_syncbatch b WHERE b.job_id = j.id AND b.state IN ('pending', 'running'))
RETURNING j.state, lost.batches AS lost
"""

WATERMARK_SQL = """
INSERT INTO syncjobs_watermark (source, scope, value, job_id)
SELECT s.name, j.scope, j.watermark, j.id FROM syncjobs_syncjob j JOIN syncjobs_source s ON s.id = j.source_id
WHERE j.id = %s AND j.watermark IS NOT NULL AND NOT j.dry_run
ON CONFLICT (source, scope) DO UPDATE
SET value = greatest(excluded.value, syncjobs_watermark.value), job_id = excluded.job_id
"""

# Records that did not say which product they are were seen, though nobody knows which.
UNSEEN_SQL = """
SELECT coalesce(j.total, 0) - (SELECT count(*) FROM syncjobs_seenproduct WHERE job_id = j.id)
    - (SELECT count(*) FROM syncjobs_rejectedrecord WHERE job_id = j.id AND source_id = '') AS products
FROM syncjobs_syncjob j WHERE j.id = %s AND j.watermark IS NOT NULL
"""


def finish_if_done(job_id: int) -> bool:
    """End the job when its last batch is done, moving the watermark in the same transaction."""
    finished = sql.one(FINISH_SQL, {"job": job_id})
    if finished is None:
        return False
    _move_watermark(job_id, batches_lost=finished["lost"])
    if finished["state"] == State.FAILED:
        context = {"status": finished["state"], "code": "batches_set_aside"}
        announce.log(job_id, "sync failed", level="error", context=context)
    else:
        announce.log(job_id, "sync finished", context={"status": _state_now(job_id)})
    announce.finished(job_id)
    return True


def _state_now(job_id: int) -> str:
    found: str = SyncJob.objects.values_list("state", flat=True).get(pk=job_id)
    return found


def _move_watermark(job_id: int, *, batches_lost: int) -> None:
    """Only past what is stored: a walk that lost batches, or saw less than the source claims, must be walked again.

    Rows move between pages while they are read, so a walk can step over a product without any error. Where a crash of
    the database took the memory of the walk, nobody knows, and what changed since the last watermark is read again.
    """
    unseen = sql.one(UNSEEN_SQL, [job_id])
    if unseen and unseen["products"] > 0 and not walk_memory.is_whole(job_id):
        announce.log(
            job_id,
            "what the walk saw is forgotten: the database was restarted, or the job rested for long",
            level="warning",
        )
    elif unseen and unseen["products"] > 0:
        error = {"code": "incomplete_walk", "unseen": unseen["products"]}
        SyncJob.objects.filter(pk=job_id, state=State.SUCCEEDED).update(state=State.PARTIAL, error=error)
        announce.log(job_id, "walk saw less than the source claims", level="warning", context=unseen)
    elif not batches_lost:
        sql.execute(WATERMARK_SQL, [job_id])
