"""Who gets a worker: urgent tasks within a batch, small jobs beside large ones, and nobody never."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from devstack.gateway.client import GatewayClient
from products.models import Product
from syncjobs.models import Source, SyncBatch, SyncJob
from system import queue, turns
from system.models import Task
from tests.conftest import eventually
from tests.flow.conftest import finished, start
from tests.flow.workers import Worker

LIST = "alibaba.product.list.get"
PROCESSES = 2


@pytest.fixture
def busy(gateway: GatewayClient, source: Source, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[SyncJob]:
    """A large job whose slices have both processes for as long as nobody makes them give way; at most a minute, or
    what the test says.
    """
    seconds = getattr(request, "param", "60")
    gateway.control("reset", products=2000)
    gateway.faults({"kind": "slow", "api": LIST, "seconds": 0.2})
    worker = Worker(tmp_path / "worker.log", app="tests.flow.app", SYNC_SLICE_SECONDS=seconds)
    try:
        job = start(max_workers=8)
        eventually(lambda: done_of(job) > 2 * PROCESSES)
        yield job
    finally:
        worker.stop()


def done_of(job: SyncJob) -> int:
    """How many batches of the walk are done."""
    queue.sweep()
    return SyncBatch.objects.filter(job=job, stage=1, state="done").count()


def is_done(task: Task) -> bool:
    """Whether a task has succeeded; sweeps as beat would."""
    queue.sweep()
    return Task.objects.filter(pk=task.pk, state="succeeded").exists()


def test_a_critical_task_is_served_within_one_batch(busy: SyncJob) -> None:
    for _ in range(5):
        task = queue.enqueue("test.hang", {"seconds": 0}, queue="critical")
        eventually(partial(is_done, task))
        task.refresh_from_db()
        between = SyncBatch.objects.filter(job=busy, finished_at__range=(task.created_at, task.started_at))
        # Both processes look between two batches; the second may end one while the first lets the task in.
        assert between.count() <= PROCESSES + 1
    assert SyncJob.objects.get(pk=busy.pk).state == "running"


def test_ten_products_do_not_wait_for_two_thousand(busy: SyncJob) -> None:
    some = tuple(Product.objects.order_by("id").values_list("source_id", flat=True)[:10])
    before = done_of(busy)
    small = finished(start(sku_list=some))
    large = SyncJob.objects.get(pk=busy.pk)
    assert (small.state, small.processed, large.state) == ("succeeded", 10, "running")
    # Two waits, for the plan and for the batch, of a turn each; the large job has a hundred batches.
    assert done_of(busy) - before < 50


def test_a_large_job_loses_nothing_by_making_room(busy: SyncJob, gateway: GatewayClient) -> None:
    some = tuple(Product.objects.order_by("id").values_list("source_id", flat=True)[:10])
    finished(start(sku_list=some))
    gateway.clear_faults()
    assert (finished(busy).state, SyncJob.objects.get(pk=busy.pk).created) == ("succeeded", 2000)


# Its slices end all the time, and there is always another.
@pytest.mark.parametrize("busy", ["2"], indirect=True)
def test_a_low_task_gets_its_turn_behind_a_queue_that_never_empties(
    busy: SyncJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    task = queue.enqueue("test.hang", {"seconds": 0}, queue="low")
    before = done_of(busy)
    eventually(lambda: done_of(busy) - before > 10)
    assert not is_done(task)
    monkeypatch.setattr(turns, "PATIENCE_SECONDS", 1)
    eventually(partial(is_done, task))
    # Of a hundred; when the last ones are in work a process is free anyway.
    assert done_of(busy) < 90


@pytest.mark.shows("003/FR-008")
def test_a_task_that_kills_its_worker_fails_after_three_attempts_and_stops_nobody(busy: SyncJob) -> None:
    poison = queue.enqueue("test.poison", {})
    before = done_of(busy)
    eventually(lambda: Task.objects.filter(pk=poison.pk, state="failed").exists())
    poison.refresh_from_db()
    assert (poison.error or {})["code"] == "crash_loop"
    assert ["finished_at" in attempt for attempt in poison.attempts] == [False] * 3
    eventually(lambda: done_of(busy) > before)
    assert not SyncBatch.objects.filter(job=busy, crashes__gt=0).exists()
