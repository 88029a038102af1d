"""What a WebSocket shows first and again and again: the state of a stream as the database has it."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import ParamSpec, TypeVar

from django.db import close_old_connections

from syncjobs import selectors
from syncjobs.models import SyncJob

P = ParamSpec("P")
T = TypeVar("T")

ACTIVE_JOBS, RECENT_JOBS = 50, 10
# All sockets of a process share these threads and with them two database connections.
_threads = ThreadPoolExecutor(max_workers=2, thread_name_prefix="websocket")


async def in_database(function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Run a function that uses the database; broken connections are replaced before and after it.

    Not Channels' `database_sync_to_async`, which swallows the cancellation of whoever waits for it.
    """
    call = partial(_on_fresh_connections, partial(function, *args, **kwargs))
    return await asyncio.get_running_loop().run_in_executor(_threads, call)


def _on_fresh_connections(function: Callable[[], T]) -> T:
    close_old_connections()
    try:
        return function()
    finally:
        close_old_connections()


def job_id_of(task_id: str) -> int | None:
    """The row id of a job; None when there is no such job."""
    if "\0" in task_id:
        return None
    return SyncJob.objects.filter(task_id=task_id).values_list("pk", flat=True).first()


def job_snapshot(job_id: int) -> selectors.JobView:
    """One job.

    Raises:
        SyncJob.DoesNotExist: it was deleted.
    """
    return selectors.job_view(selectors.job(job_id))


def jobs_snapshot() -> dict[str, list[selectors.JobView]]:
    """The active jobs and the last ended ones, each newest first."""
    jobs = selectors.jobs()
    active = jobs.filter(state__in=SyncJob.OPEN_STATES)[:ACTIVE_JOBS]
    ended = jobs.exclude(state__in=SyncJob.OPEN_STATES)[:RECENT_JOBS]
    return {"jobs": [selectors.job_view(row) for row in [*active, *ended]]}
