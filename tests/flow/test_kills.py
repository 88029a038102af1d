"""kill -9 while a sync runs: nothing lost, nothing doubled, nothing different from a quiet run."""

import random
from functools import partial
from pathlib import Path

import pytest

from devstack.gateway.client import GatewayClient
from products.models import Product, ProductChange
from syncjobs.models import SyncJob
from system import queue
from tests.conftest import eventually
from tests.flow.conftest import catalogue, finished, forget_catalogue, start
from tests.flow.workers import Worker


def run_under_fire(worker: Worker, kills: int, seed: int) -> SyncJob:
    """A full sync whose worker is shot `kills` times, each after some more progress."""
    dice = random.Random(seed)
    job = start(max_workers=4)
    for _ in range(kills):
        seen = SyncJob.objects.get(pk=job.pk).processed
        eventually(partial(progressed, job, seen + dice.randrange(20, 300)), timeout=90)
        if dice.random() < 0.5:
            worker.kill_child()
        else:
            worker.kill_all()
    return finished(job)


def progressed(job: SyncJob, beyond: int) -> bool:
    """Whether more than this was processed, or the job is over; sweeps as beat would."""
    queue.sweep()
    job.refresh_from_db()
    return job.processed > beyond or job.state not in SyncJob.OPEN_STATES


def compare_with_quiet_run(gateway: GatewayClient, worker: Worker, products: int, kills: int, seed: int) -> None:
    """Row by row, whatever the killer did."""
    gateway.control("reset", products=products)
    quiet = finished(start(max_workers=4))
    assert (quiet.state, quiet.created) == ("succeeded", products)
    expected = catalogue()
    forget_catalogue()
    shot = run_under_fire(worker, kills, seed)
    assert (shot.state, shot.processed, shot.created) == ("succeeded", products, products)
    assert catalogue() == expected
    assert ProductChange.objects.filter(kind="created").count() == Product.objects.count() == products


def test_kill_9_of_children_and_workers_loses_and_doubles_nothing(gateway: GatewayClient, worker: Worker) -> None:
    compare_with_quiet_run(gateway, worker, products=2000, kills=3, seed=1)


def test_children_die_with_their_worker(worker: Worker) -> None:
    children = eventually(lambda: worker.children()[1:] and worker.children())
    eventually(lambda: "ready" in worker.log.read_text())
    worker.process.kill()
    worker.process.wait()
    eventually(lambda: not any(alive(pid) for pid in children))


def alive(pid: int) -> bool:
    """Whether a process runs; one that waits to be buried does not."""
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except FileNotFoundError:
        return False


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(5))
def test_five_kills_in_five_thousand_products(gateway: GatewayClient, worker: Worker, seed: int) -> None:
    compare_with_quiet_run(gateway, worker, products=5000, kills=5, seed=seed)
