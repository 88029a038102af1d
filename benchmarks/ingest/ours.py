"""Our own way: the engine in Celery workers, fed by a file or by the simulated gateway."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import psycopg

from benchmarks.accounting import tree_seconds
from benchmarks.bench import MEGABYTE
from benchmarks.ingest.workers import PeakMemory
from benchmarks.world.installation import Installation
from devstack.demo.stack import PATIENT_DATABASE, PROJECT, tail


class Pass(NamedTuple):
    """What one run over the source took."""

    products: int
    seconds: float
    worker_seconds: float
    database_seconds: float
    wal_bytes: int
    peak_mb: float


Sync = Callable[[dict[str, Any]], Pass]


@contextmanager
def syncing(installation: Installation, database: str, worker: int) -> Iterator[Sync]:
    """Gives a function that runs one full sync with the workers that are running; it raises RuntimeError."""
    command = [sys.executable, "-m", "benchmarks.ingest.job"]
    environment = {**installation.environment(database), **PATIENT_DATABASE}
    log = installation.folder / "job.log"
    with (
        log.open("wb") as errors,
        subprocess.Popen(
            command, env=environment, cwd=PROJECT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=errors
        ) as job,
    ):
        yield lambda orders: _measured(installation, database, worker, lambda: _run(job, log, orders))


def _measured(installation: Installation, database: str, worker: int, run: Callable[[], dict[str, Any]]) -> Pass:
    """Account for a sync.

    Raises:
        RuntimeError: it did not succeed.
    """
    url = installation.database_url(database)
    server = installation.postgres.pid or 0
    before = _wal(url), tree_seconds(worker), tree_seconds(server)
    with PeakMemory(worker) as memory:
        done = run()
    after = _wal(url), tree_seconds(worker), tree_seconds(server)
    if done["state"] != "succeeded":
        raise RuntimeError(f"the sync ended as {done['state']}: {done['error']}")
    wal, worker_seconds, database_seconds = (new - old for new, old in zip(after, before, strict=True))
    products = done["created"] + done["updated"] + done["unchanged"]
    peak = memory.peak / MEGABYTE
    return Pass(products, done["seconds"], worker_seconds, database_seconds, int(wal), peak)


def _run(job: "subprocess.Popen[bytes]", log: Path, orders: dict[str, Any]) -> dict[str, Any]:
    assert job.stdin  # noqa: S101 (we asked for pipes)
    assert job.stdout  # noqa: S101
    job.stdin.write(msgspec.json.encode(orders) + b"\n")
    job.stdin.flush()
    line = job.stdout.readline()
    if not line:
        raise RuntimeError(f"the sync could not be run. {tail(log)}")
    result: dict[str, Any] = msgspec.json.decode(line)
    return result


def _wal(url: str) -> float:
    with psycopg.connect(url) as connection:
        return float(connection.execute("SELECT pg_current_wal_insert_lsn() - '0/0'::pg_lsn").fetchall()[0][0])
