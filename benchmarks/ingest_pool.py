"""How many worker processes keep the cores busy: real workers, the simulator in front, signatures and HTTP included.

    python -m benchmarks.ingest_pool --products 3000 --concurrency 1 2 4

Starts PostgreSQL, Redis, the gateway simulator and a Celery worker of its own for each size of the pool, and runs a
first load and an unchanged one. Beside the time it prints how many of these processes wanted a core at the same moment,
on average: what other work on the machine makes them wait counts as well. With as many as there are cores all are busy.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from signal import SIGKILL, SIGTERM
from typing import Any

import django

from benchmarks.ingest_cost import empty_tables, start_servers
from devstack import processes
from devstack.gateway.client import GatewayClient, running_gateway

NANOSECONDS = 1e9
SWEEP_SECONDS = 5


def main() -> None:
    """Measure each size of the pool."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.ingest_pool")
    parser.add_argument("--products", type=int, default=3000)
    parser.add_argument("--batch", type=int, default=200, help="products a batch")
    parser.add_argument("--concurrency", type=int, nargs="+", default=[1, 2, 4])
    parser.add_argument("--prefetch", type=int, nargs="+", default=[1])
    options = parser.parse_args()
    start_servers()
    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0, interactive=False)
    with running_gateway(products=options.products, seed=7) as gateway:
        for concurrency in options.concurrency:
            for prefetch in options.prefetch:
                _add_source(gateway)
                with _worker(concurrency, prefetch):
                    for name in ("first load", "unchanged"):
                        _measure(f"{concurrency} processes, prefetch {prefetch}, {name}", concurrency, options)


def _measure(title: str, concurrency: int, options: argparse.Namespace) -> None:
    from syncjobs.services.jobs import StartSync, start_sync
    from system import queue

    began, before = time.monotonic(), _wanted()
    job = start_sync(StartSync(type="full", source="pool", batch_size=options.batch, max_workers=concurrency))
    sweep_at = began + SWEEP_SECONDS
    while job.state == "running":
        time.sleep(0.05)
        if time.monotonic() > sweep_at:
            sweep_at = time.monotonic() + SWEEP_SECONDS
            queue.sweep()
        job.refresh_from_db()
    seconds, after = time.monotonic() - began, _wanted()
    spent = {name: tuple(now - then for now, then in zip(after[name], before[name], strict=True)) for name in after}
    runnable = sum(ran + waited for ran, waited in spent.values()) / seconds
    shares = ", ".join(f"{name} {ran:.1f} s" for name, (ran, _) in spent.items())
    print(f"{title}: {job.state}, {job.processed / seconds:,.0f} products/s, {runnable:.1f} want a core; ran: {shares}")


def _wanted() -> dict[str, tuple[float, float]]:
    """Seconds that our processes ran, and that they waited for a core, by what they are."""
    totals: dict[str, tuple[float, float]] = {}
    for pid in _descendants(os.getpid()):
        name = _kind(pid)
        ran, waited = totals.get(name, (0.0, 0.0))
        try:
            more_ran, more_waited, _ = Path(f"/proc/{pid}/schedstat").read_text().split()
        except OSError:
            continue
        totals[name] = (ran + int(more_ran) / NANOSECONDS, waited + int(more_waited) / NANOSECONDS)
    return {name: totals.get(name, (0.0, 0.0)) for name in ("worker", "postgres", "redis", "gateway")}


def _kind(pid: int) -> str:
    try:
        line = Path(f"/proc/{pid}/cmdline").read_text()
    except OSError:
        return "gone"
    names = {"celery": "worker", "gateway": "gateway", "redis": "redis", "postgres": "postgres"}
    return next((kind for word, kind in names.items() if word in line), "other")


def _descendants(pid: int) -> Iterator[int]:
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return
    for child in map(int, children):
        yield child
        yield from _descendants(child)


@contextmanager
def _worker(concurrency: int, prefetch: int) -> Iterator[None]:
    command = [sys.executable, "-m", "celery", "-A", "config", "worker", "--queues", "critical,default,low"]
    command += ["--concurrency", str(concurrency), "--prefetch-multiplier", str(prefetch)]
    with tempfile.TemporaryFile() as log:
        worker = subprocess.Popen(
            [*command, "--without-gossip", "--without-mingle"],
            stdout=log, stderr=log, env={**os.environ, "PROCESS_NAME": "worker"},
            preexec_fn=processes.die_with_parent(SIGKILL),
        )  # fmt: skip
        try:
            _wait_for_pool(worker.pid, concurrency)
            yield
        finally:
            processes.stop(worker, SIGTERM)


def _wait_for_pool(pid: int, concurrency: int) -> None:
    while sum(1 for _ in _descendants(pid)) < concurrency:
        time.sleep(0.1)


def _add_source(gateway: GatewayClient) -> Any:
    from syncjobs.connectors.registry import Credentials
    from syncjobs.services.sources import NewSource, add_source

    empty_tables()
    names = ("app_key", "app_secret", "access_token", "refresh_token")
    held = Credentials(**{name: getattr(gateway, name) for name in names})
    place = {"gateway_url": gateway.url}
    new = NewSource(name="pool", kind="alibaba1688", options=place, credentials=held, calls_per_second=10_000)
    return add_source(new)


if __name__ == "__main__":
    main()
