"""What operators do to tasks: have one tried again, cancel one. Every change of state is a compare-and-swap."""

import uuid

from django.db import transaction

from system import audit, queue, sql
from system.errors import ApplicationError, ErrorCode
from system.models import Task
from system.task_kinds import traits
from system.task_records import task_view

# A running handler looks whether it was cancelled more often than this; one that is dead keeps its row no longer.
CANCEL_SECONDS = 5


def find_task(task_id: str) -> Task:
    """The task with this id.

    Raises:
        ApplicationError: 404, also for what is no id at all.
    """
    found = Task.objects.filter(pk=_uuid(task_id)).first()
    if found is None:
        raise ApplicationError(ErrorCode.NOT_FOUND)
    return found


def _uuid(text: str) -> uuid.UUID:
    """The id, written as we write it; the library also takes braces, URNs and missing hyphens."""
    try:
        task_id = uuid.UUID(text)
    except ValueError:
        raise ApplicationError(ErrorCode.NOT_FOUND) from None
    if str(task_id) != text.lower():
        raise ApplicationError(ErrorCode.NOT_FOUND)
    return task_id


# `again: false` ends the series of attempts that a kind's patience and the crash loop are counted by.
RETRY_SQL = """
UPDATE system_task SET state = 'pending', result = NULL, error = NULL, finished_at = NULL, lease_until = NULL,
    not_before = now(), rung_at = now(),
    attempts = CASE attempts WHEN '[]' THEN attempts
               ELSE jsonb_set(attempts, '{-1}', (attempts -> -1) || '{"again": false}') END
WHERE id = %s AND state IN ('failed', 'cancelled') RETURNING queue
"""


def retry_task(task_id: str) -> Task:
    """Put a failed or cancelled task back into its queue; its earlier attempts stay on record (seed 003, FR-008).

    Of several callers at once one gets the new attempt. A slice of a sync that is over finds nothing to do and ends.

    Raises:
        ApplicationError: unknown (404); pending, running or succeeded (409).
    """
    task = find_task(task_id)
    with transaction.atomic():
        waiting = sql.one(RETRY_SQL, [task.pk])
        if waiting is None:
            raise _clash(task)
        audit.record("task.retry", "task", task.pk, before={"status": task.state}, after={"status": "pending"})
        transaction.on_commit(lambda: queue.ring(task.pk, waiting["queue"]))
    task.refresh_from_db()
    return task


CANCEL_SQL = """
UPDATE system_task SET
    state = CASE state WHEN 'pending' THEN 'cancelled' ELSE 'cancelling' END,
    finished_at = CASE state WHEN 'pending' THEN now() END,
    lease_until = CASE state WHEN 'running' THEN least(lease_until, now() + make_interval(secs => %s::int)) END
WHERE id = %s AND state IN ('pending', 'running')
"""


def cancel_task(task_id: str) -> Task:
    """Cancel a waiting task at once, a running one within seconds; for good, whatever restarts (promise P9).

    Cancelling twice is the same as once. What a task is only a part of ends with it, as its kind declared.

    Raises:
        ApplicationError: unknown (404); succeeded or failed (409).
    """
    task = find_task(task_id)
    with transaction.atomic():
        before = Task.objects.select_for_update().values_list("state", flat=True).get(pk=task.pk)
        cancelled = sql.execute(CANCEL_SQL, [CANCEL_SECONDS, task.pk])
        task.refresh_from_db()
        if cancelled:
            _end_the_whole(task)
            audit.record("task.cancel", "task", task.pk, before={"status": before}, after={"status": task.state})
    if task.state not in (Task.State.CANCELLING, Task.State.CANCELLED):
        raise _clash(task)
    return task


def _end_the_whole(task: Task) -> None:
    on_cancel = traits(task.kind).on_cancel
    if on_cancel and task.job_id is not None:
        on_cancel(task.job_id)


def _clash(task: Task) -> ApplicationError:
    task.refresh_from_db()
    details = {"status": task.state, "job": task_view(task)["job"]}
    return ApplicationError(ErrorCode.TASK_STATE, details=details)
