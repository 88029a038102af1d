"""One slice of a job: work through batches for a few seconds, then make room.

What a source's failure means for the job is decided here and nowhere else.
"""

import logging
import random
import time
import uuid
from contextlib import closing
from datetime import datetime
from functools import partial
from itertools import count
from typing import Any

from django.conf import settings
from django.db import InterfaceError, OperationalError, transaction
from psycopg.errors import DeadlockDetected, LockNotAvailable, QueryCanceled, SerializationFailure

from syncjobs.engine import retry
from syncjobs.engine.contracts import Connector
from syncjobs.engine.errors import EngineError, FatalSourceError, LeaseLost, QuotaExhausted, RetryableSourceError
from syncjobs.engine.pipeline import Commit, write_batch
from syncjobs.models import SyncBatch, SyncJob
from syncjobs.services import announce, batches, delisting, jobs, planning, receipts, reject_guard
from syncjobs.services.answer_memory import AnswerMemory
from syncjobs.services.batches import Claim
from syncjobs.services.kept_answers import KeptAnswers, commit_replay, connector_of
from syncjobs.services.pulse import Pulse
from syncjobs.services.read_ahead import ReadAhead
from syncjobs.services.slices_queue import ensure_slices
from system import leaving, turns
from system.queue import TaskContext, TaskGone

logger = logging.getLogger(__name__)

# A slice that found nothing to do leaves the workers to others this long.
IDLE_SECONDS = 1.0
# The transaction is gone and nothing of it happened; the same batch goes through a moment later.
LOCK_TROUBLE = (DeadlockDetected, LockNotAvailable, SerializationFailure)


def run_slice(payload: dict[str, Any], context: TaskContext) -> dict[str, int]:
    """Handler of `sync.slice`: claim and run batches until time is up or nothing is left to claim.

    Returns:
        Number of batches committed, for the task's row.
    """
    job_id: int = payload["job_id"]
    batches.release_held_by(context.task_id, crashed=context.follows_crash)
    job = SyncJob.objects.select_related("source").get(pk=job_id)
    done = 0
    connector = _connector(job) if job.state == SyncJob.State.RUNNING else None
    if connector:
        with closing(connector):
            done = _work(job, connector, context)
    jobs.settle(job_id)
    with transaction.atomic():
        ensure_slices(job_id, besides=context.task_id, rest_seconds=0 if done else IDLE_SECONDS)
    return {"batches": done}


def _connector(job: SyncJob) -> Connector | None:
    """The source's connector; a source that cannot even be connected to would fail every slice to come."""
    try:
        return connector_of(job)
    except Exception as error:
        logger.exception("job %s has no connector", job.task_id)
        jobs.fail(job.pk, {"code": getattr(error, "code", type(error).__name__), "message": str(error)[:500]})
        return None


def _work(job: SyncJob, connector: Connector, context: TaskContext) -> int:
    began, done, pulse, tried = time.monotonic(), 0, Pulse(context), count()

    def make_room() -> bool:
        return _is_over(job, context, time.monotonic() - began, next(tried))

    def claim_beside() -> Claim | None:
        return None if make_room() else batches.claim(job.pk, context.task_id, unblamed=True)

    try:
        with ReadAhead(connector, pulse, claim_beside) as ahead:
            while claim := _taken(ahead) or (None if make_room() else _claim(job, context)):
                with pulse.holding(claim):
                    done += _run_guarded(job, claim, connector, ahead, pulse)
    finally:
        receipts.write_calls(job.pk)
    pulse.show()
    return done


def _taken(ahead: ReadAhead) -> Claim | None:
    """The batch that is read already; a worker that was told to stop begins nothing more."""
    return None if leaving.told() else ahead.claim


def _claim(job: SyncJob, context: TaskContext) -> Claim | None:
    """The next batch; those that keep killing workers are only looked for where nothing else is left."""
    claim = batches.claim(job.pk, context.task_id)
    if claim is None and batches.set_aside_deadly(job.pk):
        claim = batches.claim(job.pk, context.task_id)
    return claim


def _is_over(job: SyncJob, context: TaskContext, spent: float, tried: int) -> bool:
    """Whether to make room: for a more urgent task after any batch, for those of other jobs after a turn.

    A slice that finds a job without any worker waiting, while its own has another, does not even begin. Every other
    one runs a batch at least, so that a job gets on however much waits beside it.
    """
    if leaving.told() or spent >= settings.SYNC_SLICE_SECONDS:
        return True
    waiting = turns.waiting(context.task_id, job.priority, job.pk)
    if tried:
        return waiting.urgent or (waiting.others and spent >= settings.SYNC_TURN_SECONDS)
    return waiting.starved


def end_crash_loop(job_id: int, task_id: uuid.UUID, since: datetime | None) -> None:
    """A slice that lost its worker too often is given up: another takes its place, and its batch has one crash more.

    Where it held none, and the job got nowhere since its first attempt, every other slice would die as well.
    """
    held = batches.release_held_by(task_id, crashed=True)
    got_on = SyncJob.objects.filter(pk=job_id, heartbeat_at__gte=since).exists() if since else True
    if held or got_on:
        ensure_slices(job_id, besides=task_id)
    else:
        jobs.fail(job_id, {"code": "crash_loop", "message": "its workers die before they begin"})


def _run_guarded(job: SyncJob, claim: Claim, connector: Connector, ahead: ReadAhead, pulse: Pulse) -> int:
    """Run one batch; every way it can fail ends in a decision about the batch and the job.

    Raises:
        OperationalError, InterfaceError: the database is away.
        TaskGone: the slice was cancelled, or another worker has it.
    """
    try:
        _run(job, claim, connector, ahead, pulse)
    except TaskGone:
        batches.give_back(claim)
        batches.plead(claim)
        raise
    except EngineError as error:
        _answer(claim, error)
    except (OperationalError, InterfaceError) as error:
        if not isinstance(error.__cause__, (*LOCK_TROUBLE, QueryCanceled)):
            raise
        _answer_database(claim, error)
    except Exception as error:
        logger.exception("batch %s/%s failed", job.task_id, claim.number)
        batches.crashed(claim, {"code": type(error).__name__, "message": str(error)[:500]})
    else:
        return 1
    return 0


def _answer(claim: Claim, error: EngineError) -> None:
    """What each of the engine's errors means for the batch and the job."""
    reason: dict[str, Any] = {"code": error.code, "message": error.message}
    match error:
        case RetryableSourceError():
            _postpone(claim, error)
        case QuotaExhausted():
            batches.give_back(claim)
            jobs.hold(claim.job_id, reason | {"until": error.until.isoformat() if error.until else None})
        case FatalSourceError():
            batches.give_back(claim)
            jobs.fail(claim.job_id, reason | {"suggestion": error.suggestion})
        case LeaseLost():
            innocent = batches.plead(claim)
            logger.warning("LeaseLost: %s; counted as lost: %s", error, innocent)
        case _:
            logger.info("batch %s/%s given back: %s", claim.job_id, claim.number, error)
            batches.give_back(claim)


def _answer_database(claim: Claim, error: OperationalError | InterfaceError) -> None:
    """The database is there, but did not let the batch through."""
    if isinstance(error.__cause__, QueryCanceled):
        # It takes as long the next time, so it counts: a batch that is tried for ever keeps its job running for ever.
        logger.error("batch %s/%s took too long: %s", claim.job_id, claim.number, error)
        batches.crashed(claim, {"code": "statement_timeout", "message": str(error)[:500]})
    else:
        logger.info("batch %s/%s met another at a lock and is given back", claim.job_id, claim.number)
        batches.give_back(claim)


def _run(job: SyncJob, claim: Claim, connector: Connector, ahead: ReadAhead, pulse: Pulse) -> None:
    if claim.stage == SyncBatch.Stage.PLAN:
        planning.plan_job(job, claim, connector, pulse)
    elif claim.stage == SyncBatch.Stage.DELIST:
        delisting.delist_missing(job, claim, pulse)
    else:
        reading = ahead.take(claim)
        write_batch(reading.normalized, connector, _commit(claim, connector, reading.memory))
        pulse.moved()


def _commit(claim: Claim, connector: Connector, memory: AnswerMemory) -> Commit:
    then = partial(reject_guard.check_rejects, claim.job_id)
    if isinstance(connector, KeptAnswers):
        return partial(commit_replay, claim, connector, then)
    return partial(batches.commit_batch, claim, then, memory)


def _postpone(claim: Claim, error: RetryableSourceError) -> None:
    failures = claim.failures + (not error.waits)
    reason = {"code": error.code, "message": error.message}
    if failures >= settings.SYNC_MAX_BATCH_FAILURES:
        batches.give_back(claim)
        jobs.fail(claim.job_id, reason)
        return
    delay = retry.delay_seconds(failures, error.retry_after, random.random())  # noqa: S311 (spreads load, guards nothing)
    batches.postpone(claim, delay, reason, failed=not error.waits)
    context = reason | {"seconds": round(delay, 1)}
    text = "no call is free, trying again" if error.waits else "source failed, trying again"
    announce.log(claim.job_id, text, level="warning", context=context)
