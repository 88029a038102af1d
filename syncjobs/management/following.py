"""A job's progress on the terminal, read from the database, so that it works whatever becomes of Redis."""

import time

from rich.progress import BarColumn, Progress, SpinnerColumn, TaskProgressColumn, TextColumn, TimeRemainingColumn

from syncjobs import selectors
from syncjobs.models import SyncJob

LOOK_SECONDS = 0.5
COUNTERS = ("created", "updated", "unchanged", "rejected", "delisted", "missing", "hidden")


def follow(job_id: int) -> bool:
    """Show a bar until the job is no longer open.

    Returns:
        Whether it succeeded, rejected records or not.
    """
    with _bar() as bar:
        shown = bar.add_task("", total=None, status="", rate="", counters="")
        while True:
            job = selectors.job(job_id)
            view = selectors.job_view(job)["progress"]
            bar.update(
                shown,
                completed=view["percent"] or 0,
                total=None if view["percent"] is None else 100,
                description=job.task_id,
                status=_status(job),
                rate=f"{view['rate_per_second']}/s",
                counters=counters_text(job),
            )
            if job.state not in SyncJob.OPEN_STATES:
                return job.state in (SyncJob.State.SUCCEEDED, SyncJob.State.PARTIAL)
            time.sleep(LOOK_SECONDS)


def _status(job: SyncJob) -> str:
    waiting = job.state == SyncJob.State.RUNNING and not job.processed and not selectors.workers_view()["online"]
    return f"{job.state}, no worker is online" if waiting else job.state


def counters_text(job: SyncJob) -> str:
    """The counters that moved, such as `created 20, rejected 1`."""
    return ", ".join(f"{name} {getattr(job, name)}" for name in COUNTERS if getattr(job, name))


def _bar() -> Progress:
    return Progress(
        SpinnerColumn(),
        TextColumn("{task.description} {task.fields[status]}"),
        BarColumn(),
        TaskProgressColumn(),
        TextColumn("{task.fields[rate]}"),
        TimeRemainingColumn(),
        TextColumn("{task.fields[counters]}"),
    )
