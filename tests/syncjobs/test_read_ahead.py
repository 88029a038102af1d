"""The next batch is read while one is written, and nothing of that can be lost, doubled or blamed on the wrong one."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from syncjobs.engine.contracts import BatchSpec
from syncjobs.engine.errors import RetryableSourceError
from syncjobs.engine.pipeline import write_batch
from syncjobs.models import SyncBatch, SyncJob
from syncjobs.services import slices
from syncjobs.services.jobs import stop_sync
from system import leaving, sql
from tests.conftest import eventually
from tests.syncjobs.conftest import start, work
from tests.syncjobs.scripted import World
from tests.syncjobs.test_claims import planned

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("silence", "source")]


@pytest.fixture(autouse=True)
def nobody_was_told() -> Iterator[None]:
    """To stop."""
    yield
    leaving.forget()


@pytest.fixture
def while_written(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[], object]], None]:
    """Do something whenever a batch is about to be written."""

    def put(act: Callable[[], object]) -> None:
        def write(*arguments: Any) -> Any:
            act()
            return write_batch(*arguments)

        monkeypatch.setattr(slices, "write_batch", write)

    return put


def states(job: SyncJob) -> list[tuple[str, int]]:
    """State and crashes of the batches that hold products."""
    return list(SyncBatch.objects.filter(job=job, stage=1).order_by("number").values_list("state", "crashes"))


def test_the_next_batch_and_no_other_is_read_while_one_is_written(
    world: World, while_written: Callable[[Callable[[], object]], None]
) -> None:
    job = planned(world, 40)
    begun, world.fetches, written = world.fetches, 0, []

    def look() -> None:
        written.append(world.fetches)
        eventually(lambda: world.fetches == min(len(written) + 1, 4))

    while_written(look)
    assert work(job).state == "succeeded"
    assert begun == 1
    assert len(written) == 4
    assert all(read <= number + 1 for number, read in enumerate(written, start=1))


def test_who_is_told_to_stop_gives_back_what_was_read_ahead(
    world: World, while_written: Callable[[Callable[[], object]], None]
) -> None:
    job = planned(world, 30)
    while_written(leaving.tell)
    work(job)
    assert states(job) == [("done", 0), ("pending", 0), ("pending", 0)]
    leaving.forget()
    while_written(lambda: None)
    assert (work(job).state, job.created) == ("succeeded", 30)


def test_a_job_that_is_stopped_writes_nothing_that_was_read_ahead(
    world: World, while_written: Callable[[Callable[[], object]], None]
) -> None:
    job = planned(world, 30)
    while_written(lambda: stop_sync(job.task_id))
    assert (work(job).state, job.created) == ("stopped", 10)
    assert states(job) == [("done", 0), ("pending", 0), ("pending", 0)]


def test_a_blamed_batch_is_read_alone(world: World, while_written: Callable[[Callable[[], object]], None]) -> None:
    job = planned(world, 30)
    SyncBatch.objects.filter(job=job, stage=1, number__lt=3).update(crashes=1)
    held: list[int] = []
    while_written(lambda: held.append(SyncBatch.objects.filter(job=job, state="running").count()))
    assert work(job).state == "succeeded"
    assert held == [1, 1, 1]


def test_a_source_that_fails_beside_a_batch_fails_for_the_next_one_only(world: World) -> None:
    job = planned(world, 30)

    def fail_second(spec: BatchSpec) -> None:
        if "100011" in spec.params["ids"]:
            raise RetryableSourceError("not now", retry_after=60)

    world.before_fetch = fail_second
    assert (work(job).state, job.created) == ("running", 20)
    assert list(SyncBatch.objects.filter(job=job, failures=1).values_list("number", "state")) == [(2, "pending")]


def test_two_batches_of_a_slice_are_one_worker(world: World) -> None:
    job = planned(world, 30, max_workers=1)
    assert (work(job).state, job.created) == ("succeeded", 30)


def test_the_reader_leaves_no_connection_behind(world: World) -> None:
    def connections() -> int:
        row = sql.fetch_one("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()")
        return int(row[0]) if row else 0

    world.offer(30)
    world.edition = b"an edition"
    before = connections()
    work(start())
    assert work(start()).unchanged == 30
    eventually(lambda: connections() == before)
