"""What a handler of a task gets, and what it may raise to say how its attempt ended."""

import time
import uuid
from dataclasses import dataclass
from typing import Any

import msgspec

from system import leaving, sql
from system.models import Task

# How often `check` asks the database.
LOOK_SECONDS = 1.0


class TaskGone(Exception):
    """The row is no longer ours: cancelled, or claimed by another worker."""


class WorkerStopping(TaskGone):
    """This worker was told to stop: the task goes back into its queue, for another to do."""


class TaskFailed(Exception):
    """Raised by a handler to end its task as failed, with a code that people can act on."""

    def __init__(self, code: str, message: str) -> None:
        self.code, self.message = code, message
        super().__init__(f"{code}: {message}")


class RetryLater(TaskFailed):
    """Raised by a handler that wants another attempt: after `seconds`, or as its kind's `backoff` says.

    After the last attempt that `backoff` allows the task has failed.
    """

    def __init__(self, code: str, message: str, seconds: float | None = None) -> None:
        self.seconds = seconds
        super().__init__(code, message)


@dataclass(frozen=True, kw_only=True)
class Bell:
    """Which message a worker answers. The broker sends it again when the process that had it is dead.

    Attributes:
        name: id of the message, the same each time.
        tries: how often it was sent before. What an earlier try claimed is void; a copy of the same try voids nothing.
        alive: up to which of these tries the process did not die, but had no database.
    """

    name: str
    tries: int = 0
    alive: int = -1


class TaskContext:
    """What a handler gets beside its payload: the claimed row, and the means to keep it.

    `attempt` counts from 1 and begins anew when somebody has the task tried again; `follows_crash` says that the one
    before lost its worker, `bell` the message that brought the task.
    """

    def __init__(
        self,
        task_id: uuid.UUID,
        fence: int,
        job_id: int | None,
        attempt: int = 1,
        *,
        follows_crash: bool = False,
        bell: Bell | None = None,
    ) -> None:
        self.task_id = task_id
        self.fence = fence
        self.job_id = job_id
        self.attempt = attempt
        self.follows_crash = follows_crash
        self.bell = bell
        self._look_at = 0.0

    def heartbeat(self, seconds: int) -> None:
        """Make the lease end `seconds` from now.

        Raises:
            TaskGone: the row was cancelled or belongs to another worker.
        """
        kept = sql.execute(
            "UPDATE system_task SET lease_until = now() + make_interval(secs => %s::int)"
            " WHERE id = %s AND fence = %s AND state = 'running'",
            [seconds, self.task_id, self.fence],
        )
        if not kept:
            raise TaskGone(str(self.task_id))

    def report(self, result: Any) -> None:
        """Show how far the work is, as the task's result so far; joins the caller's transaction.

        A later attempt finds it with `reported`, and can go on from there.

        Raises:
            TaskGone: the row was cancelled or belongs to another worker.
        """
        kept = sql.execute(
            "UPDATE system_task SET result = %s::jsonb WHERE id = %s AND fence = %s AND state = 'running'",
            [msgspec.json.encode(result).decode(), self.task_id, self.fence],
        )
        if not kept:
            raise TaskGone(str(self.task_id))

    def reported(self) -> Any:
        """What an earlier attempt reported last; None without one."""
        return Task.objects.values_list("result", flat=True).get(pk=self.task_id)

    def check(self) -> None:
        """See whether to go on; cheap enough to be called between any two steps, it looks once a second.

        Raises:
            TaskGone: the row was cancelled or belongs to another worker, or this one was told to stop a while ago.
        """
        if leaving.seconds() > leaving.FINISH_SECONDS:
            raise WorkerStopping(str(self.task_id))
        now = time.monotonic()
        if now < self._look_at:
            return
        self._look_at = now + LOOK_SECONDS
        if not Task.objects.filter(pk=self.task_id, fence=self.fence, state=Task.State.RUNNING).exists():
            raise TaskGone(str(self.task_id))
