"""Reads of the task table, for people: nothing of a payload but what its kind declared visible."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, TypedDict

from system.models import Task
from system.redaction import redact_value
from system.task_kinds import job_names, traits

WORKER_LOST = {"code": "worker_lost"}


class AttemptView(TypedDict):
    """One claim of a task. `finished_at` is null while it runs, and for one that lost its worker."""

    started_at: datetime | None
    finished_at: datetime | None
    worker: str | None
    error: dict[str, Any] | None


class TaskView(TypedDict):
    """A task as people see it. `job` is the public id of the sync it belongs to."""

    id: str
    kind: str
    queue: str
    priority: str
    status: str
    attempts: list[AttemptView]
    job: str | None
    payload: dict[str, Any]
    result: Any
    error: dict[str, Any] | None
    created_at: datetime
    started_at: datetime | None
    finished_at: datetime | None


def task_views(tasks: Iterable[Task]) -> list[TaskView]:
    """Show tasks; the names of all their jobs are looked up at once."""
    rows = list(tasks)
    numbers = {task.job_id for task in rows if task.job_id is not None}
    names = job_names().names(numbers) if numbers else {}
    return [_view(task, names.get(task.job_id or 0)) for task in rows]


def task_view(task: Task) -> TaskView:
    """Show one task."""
    return task_views([task])[0]


def _view(task: Task, job: str | None) -> TaskView:
    return {
        "id": str(task.pk),
        "kind": task.kind,
        # Three queues, three priorities: the queue is how a priority is kept.
        "queue": task.queue,
        "priority": task.queue,
        "status": task.state,
        "attempts": _attempts(task),
        "job": job,
        "payload": visible_payload(task),
        "result": task.result,
        "error": task.error,
        "created_at": task.created_at,
        "started_at": task.started_at,
        "finished_at": task.finished_at,
    }


def _attempts(task: Task) -> list[AttemptView]:
    working = task.state in (Task.State.RUNNING, Task.State.CANCELLING)
    last = len(task.attempts) - 1
    return [_attempt(entry, runs=working and number == last) for number, entry in enumerate(task.attempts)]


def _attempt(entry: dict[str, Any], *, runs: bool) -> AttemptView:
    lost = not runs and not entry.get("finished_at")
    return {
        "started_at": _moment(entry.get("started_at")),
        "finished_at": _moment(entry.get("finished_at")),
        "worker": entry.get("worker"),
        "error": WORKER_LOST if lost else entry.get("error"),
    }


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text).astimezone(UTC) if text else None


def visible_payload(task: Task) -> dict[str, Any]:
    """What people may see of a payload: ids, and what the kind declared; anything else stays inside."""
    shown = traits(task.kind).visible
    visible = {name: value for name, value in task.payload.items() if name in shown or _is_id(name, value)}
    redacted: dict[str, Any] = redact_value(visible)
    return redacted


def _is_id(name: str, value: object) -> bool:
    return (name == "id" or name.endswith("_id")) and isinstance(value, int | str)
