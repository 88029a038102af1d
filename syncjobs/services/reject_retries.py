"""All matching rejected records of a run, retried by a task: one by one, each committed with how far the task is."""

from collections.abc import Mapping
from typing import Any

import msgspec
from django.db import transaction

from syncjobs.models import SyncJob
from syncjobs.selectors.rejects import matching
from syncjobs.services.jobs import find_job
from syncjobs.services.rejects import mapper_of, retry_row
from system import audit
from system.actor import Actor, actor_scope, current_actor
from system.errors import ApplicationError, ErrorCode
from system.models import Task
from system.queue import LEASE_SECONDS, TaskContext, TaskFailed, enqueue

RETRY_KIND = "sync.retry_rejects"
FILTERS = ("code", "step", "field", "source_id", "q")
READ_AT_ONCE = 200


class Ordered(msgspec.Struct, frozen=True):
    """A retry that a task does, and how many records it is about now."""

    task: Task
    matching: int


class Progress(msgspec.Struct, kw_only=True):
    """How far a task is: the task's result, from which another attempt goes on. `last` is the last record it tried."""

    matching: int = 0
    retried: int = 0
    outcomes: dict[str, int] = msgspec.field(default_factory=dict)
    last: int = 0

    def add(self, reject_id: int, outcome: str) -> None:
        """Count one record."""
        self.last, self.retried = reject_id, self.retried + 1
        self.outcomes[outcome] = self.outcomes.get(outcome, 0) + 1


def retry_rejects(task_id: str, filters: Mapping[str, Any]) -> Ordered:
    """Have all unresolved records of a run that match retried; ordered twice while it is not done, it is one task.

    Args:
        filters: code, step, field (any of these), source_id, q.

    Raises:
        ApplicationError: unknown id (404), or the job was a dry run (409).
    """
    job = find_job(task_id)
    if job.dry_run:
        raise ApplicationError(ErrorCode.SYNC_DRY_RUN, details={"task_id": task_id})
    wanted = {name: filters[name] for name in FILTERS if filters.get(name)}
    payload = {"job_id": job.pk, "filters": wanted}
    with transaction.atomic():
        same = Task.objects.filter(
            kind=RETRY_KIND, state__in=Task.OPEN_STATES, job_id=job.pk, payload__filters=wanted
        ).first()
        task = same or _order(job, payload, wanted)
    return Ordered(task, _replayable(job.pk, wanted).count())


def _order(job: SyncJob, payload: dict[str, Any], wanted: dict[str, Any]) -> Task:
    task = enqueue(RETRY_KIND, payload | {"actor": msgspec.to_builtins(current_actor())}, job_id=job.pk)
    audit.record("reject.retry_all", "sync_job", job.task_id, after={"task": str(task.id), **wanted})
    return task


def run_retries(payload: dict[str, Any], context: TaskContext) -> dict[str, Any]:
    """Handler of `sync.retry_rejects`. After a crash it goes on behind the last record that was committed.

    Returns:
        What `Progress` says, for the task's row.

    Raises:
        TaskFailed: the source's options cannot be used.
        TaskGone: cancelled meanwhile.
    """
    job = SyncJob.objects.select_related("source").get(pk=payload["job_id"])
    progress = msgspec.convert(context.reported() or {}, Progress)
    progress.matching = progress.retried + _replayable(job.pk, payload["filters"], progress.last).count()
    with actor_scope(msgspec.convert(payload["actor"], Actor)):
        try:
            _retry_all(job, payload["filters"], progress, context)
        except ApplicationError as error:
            raise TaskFailed(error.code.value, str(error.message)) from error
    result: dict[str, Any] = msgspec.to_builtins(progress)
    return result


def _retry_all(job: SyncJob, filters: dict[str, Any], progress: Progress, context: TaskContext) -> None:
    with mapper_of(job) as connector:
        while found := list(_replayable(job.pk, filters, progress.last)[:READ_AT_ONCE]):
            context.heartbeat(LEASE_SECONDS)
            for reject_id in found:
                context.check()
                with transaction.atomic():
                    progress.add(reject_id, retry_row(job, connector, reject_id).outcome)
                    context.report(msgspec.to_builtins(progress))


def _replayable(job_id: int, filters: dict[str, Any], last: int = 0) -> Any:
    """Ids of unresolved records with a payload, behind the last one that was tried."""
    found = matching(job_id, {**filters, "resolved": False}).filter(pk__gt=last).exclude(payload=b"")
    return found.order_by("pk").values_list("pk", flat=True)
