"""What the applications say of their kinds of tasks: who works, what may be seen, how often to try, how to cancel."""

import uuid
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from system.task_context import TaskContext

Handler = Callable[[dict[str, Any], TaskContext], Any]
OnCrashLoop = Callable[[int, uuid.UUID, datetime | None], object]


@dataclass(frozen=True, kw_only=True)
class Kind:
    """How tasks of one kind are treated.

    Attributes:
        visible: keys of the payload that people may see; ids always may.
        backoff: seconds to wait after each attempt that ended with `RetryLater`; one attempt more than there are waits.
        on_cancel: called inside the transaction that cancels a task, with its job's number: ends what the task is only
            a part of.
        on_crash_loop: called inside the transaction that gives a task up, with its job's number, its own id and when
            the first of its attempts began.
        lease_seconds: how long a claimed task may be silent before another worker takes it; None as long as any task
            may run.
    """

    visible: tuple[str, ...] = ()
    backoff: tuple[int, ...] = ()
    on_cancel: Callable[[int], object] | None = None
    on_crash_loop: OnCrashLoop | None = None
    lease_seconds: int | None = None


@dataclass(frozen=True)
class JobNames:
    """How the kernel, which does not know jobs, learns their public names.

    Attributes:
        names: public names by number, for many numbers at once.
        number: the number of a public name, None for an unknown one.
    """

    names: Callable[[Collection[int]], Mapping[int, str]] = lambda _numbers: {}
    number: Callable[[str], int | None] = lambda _name: None


handlers: dict[str, Handler] = {}
_kinds: dict[str, Kind] = {}
_job_names = [JobNames()]


def register_handler(
    kind: str,
    handler: Handler,
    *,
    visible: tuple[str, ...] = (),
    backoff: tuple[int, ...] = (),
    on_cancel: Callable[[int], object] | None = None,
    on_crash_loop: OnCrashLoop | None = None,
    lease_seconds: int | None = None,
) -> None:
    """Say who works on tasks of this kind, and how they are treated (see `Kind`); called from `AppConfig.ready()`.

    A handler that works for more than a few seconds calls `context.check()` between its steps, so that a cancel takes
    effect within five seconds.
    """
    handlers[kind] = handler
    _kinds[kind] = Kind(
        visible=visible,
        backoff=backoff,
        on_cancel=on_cancel,
        on_crash_loop=on_crash_loop,
        lease_seconds=lease_seconds,
    )


def traits(kind: str) -> Kind:
    """How tasks of this kind are treated; a kind nobody registered shows ids and is tried once."""
    return _kinds.get(kind, Kind())


def leases() -> dict[str, int]:
    """Seconds of silence by kind, of the kinds that have their own."""
    return {kind: traits.lease_seconds for kind, traits in _kinds.items() if traits.lease_seconds is not None}


def register_job_names(names: JobNames) -> None:
    """Say how jobs are called in public; called from `AppConfig.ready()`."""
    _job_names[0] = names


def job_names() -> JobNames:
    """How jobs are called in public."""
    return _job_names[0]
