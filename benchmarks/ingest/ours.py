"""Our own way: the engine in Celery workers, fed by a file or by the simulated gateway."""

import subprocess
import sys
from typing import Any, NamedTuple

import msgspec
import psycopg

from benchmarks.accounting import tree_seconds
from benchmarks.bench import MEGABYTE
from benchmarks.ingest.workers import PeakMemory
from benchmarks.world.installation import Installation
from devstack.demo.stack import PATIENT_DATABASE, PROJECT


class Pass(NamedTuple):
    """What one run over the source took."""

    products: int
    seconds: float
    worker_seconds: float
    database_seconds: float
    wal_bytes: int
    peak_mb: float


def sync(installation: Installation, database: str, worker: int, orders: dict[str, Any]) -> Pass:
    """Run one full sync with the workers that are running.

    Raises:
        RuntimeError: it did not succeed.
    """
    url = installation.database_url(database)
    server = installation.postgres.pid or 0
    before = _wal(url), tree_seconds(worker), tree_seconds(server)
    with PeakMemory(worker) as memory:
        done = _run(installation, database, orders)
    after = _wal(url), tree_seconds(worker), tree_seconds(server)
    if done["state"] != "succeeded":
        raise RuntimeError(f"the sync ended as {done['state']}: {done['error']}")
    wal, worker_seconds, database_seconds = (new - old for new, old in zip(after, before, strict=True))
    products = done["created"] + done["updated"] + done["unchanged"]
    peak = memory.peak / MEGABYTE
    return Pass(products, done["seconds"], worker_seconds, database_seconds, int(wal), peak)


def _run(installation: Installation, database: str, orders: dict[str, Any]) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.ingest.job"],
        input=msgspec.json.encode(orders),
        env={**installation.environment(database), **PATIENT_DATABASE},
        cwd=PROJECT,
        capture_output=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"the sync could not be run: {done.stderr.decode(errors='replace')[-500:]}")
    result: dict[str, Any] = msgspec.json.decode(done.stdout)
    return result


def _wal(url: str) -> float:
    with psycopg.connect(url) as connection:
        return float(connection.execute("SELECT pg_current_wal_insert_lsn() - '0/0'::pg_lsn").fetchall()[0][0])
