"""Runs syncs and waits for each. A program: orders are lines of JSON on standard input, each job is answered as one."""

import sys
import time
from typing import Any

import django
import msgspec

django.setup()

from syncjobs.connectors.registry import Credentials  # noqa: E402 (Django must be set up first)
from syncjobs.models import Source, SyncJob  # noqa: E402
from syncjobs.services.jobs import StartSync, start_sync, stop_sync  # noqa: E402
from syncjobs.services.sources import NewSource, add_source  # noqa: E402
from system import queue  # noqa: E402

LOOK_SECONDS, SWEEP_SECONDS = 0.02, 5


class Orders(msgspec.Struct, frozen=True, kw_only=True):
    """Which source, made when it is missing, and how many workers may work on it at once.

    `until_told`: an incremental sync (it misses nothing, so nothing is delisted) that says when it has begun to write
    and is stopped when standard input ends.
    """

    kind: str
    options: dict[str, Any]
    workers: int
    credentials: dict[str, Any] = {}
    calls_per_second: float = 100_000
    until_told: bool = False


class Done(msgspec.Struct, frozen=True, kw_only=True):
    """How it ended; `seconds` from the order to the last commit."""

    state: str
    seconds: float
    created: int
    updated: int
    unchanged: int
    error: str
    rate: float


def run(orders: Orders) -> Done:
    """Start, wait, tell."""
    source = Source.objects.first()
    if source is None:
        source = add_source(
            NewSource(
                name="bench",
                kind=orders.kind,
                options=orders.options,
                credentials=Credentials(**orders.credentials),
                calls_per_second=orders.calls_per_second,
            )
        )
    type_ = "incremental" if orders.until_told else "full"
    job = start_sync(StartSync(type=type_, source=source.name, max_workers=orders.workers))
    if orders.until_told:
        _let_run(job)
    _wait(job)
    seconds = (job.finished_at - job.created_at).total_seconds() if job.finished_at else 0.0
    return Done(
        state=job.state,
        seconds=seconds,
        created=job.created,
        updated=job.updated,
        unchanged=job.unchanged,
        error=str(job.error or ""),
        rate=job.processed / seconds if seconds else 0.0,
    )


def _let_run(job: SyncJob) -> None:
    while job.state in SyncJob.OPEN_STATES and not job.processed:
        time.sleep(LOOK_SECONDS)
        job.refresh_from_db()
    print("running", flush=True)
    sys.stdin.buffer.read()
    job.refresh_from_db()
    if job.state in SyncJob.OPEN_STATES:
        stop_sync(job.task_id)


def _wait(job: SyncJob) -> None:
    """Look again and again, sweeping as beat would."""
    sweep_at = time.monotonic() + SWEEP_SECONDS
    while job.state in SyncJob.OPEN_STATES:
        time.sleep(LOOK_SECONDS)
        if time.monotonic() >= sweep_at:
            queue.sweep()
            sweep_at = time.monotonic() + SWEEP_SECONDS
        job.refresh_from_db()


if __name__ == "__main__":
    while line := sys.stdin.buffer.readline():
        done = run(msgspec.json.decode(line, type=Orders))
        sys.stdout.buffer.write(msgspec.json.encode(done) + b"\n")
        sys.stdout.buffer.flush()
