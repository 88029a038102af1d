"""A worker that is told to stop: gone in time, its work goes on elsewhere, nothing of it is a crash (promise P26)."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from devstack.gateway.client import GatewayClient
from syncjobs.models import Source, SyncBatch, SyncJob
from system import leaving, queue
from system.models import Task
from tests.conftest import HANG_SECONDS, eventually
from tests.flow.conftest import finished, start
from tests.flow.test_kills import alive
from tests.flow.workers import Worker

LIST = "alibaba.product.list.get"
# The promise.
GONE_SECONDS = 20.0
# Longer than anybody would wait for a worker that does not leave.
FOR_EVER_SECONDS = 2 * HANG_SECONDS


def test_a_worker_gives_itself_less_time_than_is_promised() -> None:
    assert leaving.FINISH_SECONDS < leaving.GIVE_BACK_SECONDS < leaving.END_SECONDS < GONE_SECONDS


@pytest.fixture
def relief(source: Source, tmp_path: Path) -> Iterator[list[Worker]]:
    """The workers that take over, stopped at the end."""
    workers: list[Worker] = []
    yield workers
    for each in workers:
        each.stop()


@pytest.fixture
def unhurried(source: Source, tmp_path: Path) -> Iterator[Worker]:
    """A worker with enough time for its farewell on a busy machine, too."""
    running = Worker(tmp_path / "worker.log", app="tests.flow.app", FLOW_FAREWELL_FACTOR="15")
    yield running
    running.stop()


def lost_workers() -> tuple[int, int]:
    """How many workers batches and tasks are said to have lost."""
    attempts = [entry for task in Task.objects.exclude(state="running") for entry in task.attempts]
    return sum(SyncBatch.objects.values_list("crashes", flat=True)), sum("finished_at" not in a for a in attempts)


def at_work(job: SyncJob) -> bool:
    """Whether both processes have a batch of the walk in their hands."""
    queue.sweep()
    return SyncBatch.objects.filter(job=job, stage=1, state="running").count() == 2


def test_batches_in_hand_end_and_the_job_goes_on_elsewhere(
    gateway: GatewayClient, unhurried: Worker, relief: list[Worker], tmp_path: Path
) -> None:
    gateway.faults({"kind": "slow", "api": LIST, "seconds": 1.0})
    job = start(max_workers=2)
    eventually(lambda: at_work(job))
    children = unhurried.children()
    unhurried.leave()
    after = SyncJob.objects.get(pk=job.pk)
    assert "given back" not in unhurried.log.read_text()
    assert not any(map(alive, children))
    assert (after.state, after.processed > 0, lost_workers()) == ("running", True, (0, 0))
    assert not SyncBatch.objects.filter(job=job, state="running").exists()
    assert Task.objects.filter(job_id=job.pk, state="pending").exists()
    gateway.clear_faults()
    relief.append(Worker(tmp_path / "relief.log"))
    ended = finished(job)
    assert (ended.state, ended.created, lost_workers()) == ("succeeded", 300, (0, 0))


def test_a_source_that_hangs_holds_up_nobody(
    gateway: GatewayClient, worker: Worker, relief: list[Worker], tmp_path: Path
) -> None:
    gateway.faults({"kind": "timeout", "api": LIST, "seconds": FOR_EVER_SECONDS, "after": 1, "count": 2})
    job = start(max_workers=2)
    eventually(lambda: at_work(job))
    relief.append(Worker(tmp_path / "relief.log"))
    children = worker.children()
    worker.leave()
    assert "given back" in worker.log.read_text()
    assert not any(map(alive, children))
    ended = finished(job)
    assert (ended.state, ended.created, lost_workers()) == ("succeeded", 300, (0, 0))


def test_a_deploy_in_the_middle_costs_no_batch(
    gateway: GatewayClient, unhurried: Worker, relief: list[Worker], tmp_path: Path
) -> None:
    gateway.control("reset", products=2000)
    job = start(max_workers=4)
    eventually(lambda: SyncJob.objects.get(pk=job.pk).processed > 100)
    relief.append(Worker(tmp_path / "relief.log"))
    eventually(lambda: "ready" in relief[0].log.read_text())
    unhurried.leave()
    ended = finished(job)
    assert (ended.state, ended.created, lost_workers()) == ("succeeded", 2000, (0, 0))
    # Every page was read once, whatever worker read it.
    pages = SyncBatch.objects.filter(job=job, stage=1).count()
    assert gateway.control("calls")["apis"][LIST] <= pages + 2
