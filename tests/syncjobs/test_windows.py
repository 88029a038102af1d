"""A sync of a window of time takes what changed in it, and claims nothing about the rest."""

from datetime import timedelta

import pytest

from products.models import Product
from syncjobs.models import Source, SyncBatch, SyncJob, Watermark
from syncjobs.services.jobs import resume_sync, stop_sync
from tests.syncjobs.conftest import error_code, start, work
from tests.syncjobs.scripted import CLOCK, World

pytestmark = pytest.mark.django_db(transaction=True)

HOUR = timedelta(hours=1)
WINDOW = (CLOCK - 2 * HOUR, CLOCK)


def run(job: SyncJob) -> SyncJob:
    """Slices until the job rests."""
    for _ in range(5):
        if job.state in SyncJob.OPEN_STATES:
            job = work(job)
    return job


@pytest.fixture
def offers(world: World, redis_url: str) -> World:
    """Three offers: changed before the window, in it, and at its very end."""
    world.offer(3)
    world.updated = {"100001": CLOCK - 3 * HOUR, "100002": CLOCK - HOUR, "100003": CLOCK}
    return world


@pytest.mark.parametrize("kind", ["full", "incremental"])
def test_it_takes_what_changed_in_it(source: Source, offers: World, kind: str) -> None:
    job = run(start(type=kind, window=WINDOW))
    assert (job.state, job.created, job.type, job.since) == ("succeeded", 1, kind, WINDOW[0])
    assert Product.objects.get().source_id == "100002"


def test_it_delists_nothing_and_moves_no_watermark(source: Source, offers: World) -> None:
    run(start())
    before = Watermark.objects.get().value
    offers.clock = CLOCK + HOUR
    run(start(window=WINDOW))
    assert Watermark.objects.get().value == before
    assert not Product.objects.filter(deleted_at__isnull=False).exists()
    assert not SyncBatch.objects.filter(stage=SyncBatch.Stage.DELIST, job__type="full").exclude(state="done").exists()


def test_an_empty_window_is_no_wiped_source(source: Source, offers: World) -> None:
    run(start())
    job = run(start(window=(CLOCK - 9 * HOUR, CLOCK - 8 * HOUR)))
    assert (job.state, job.total, error_code(job)) == ("succeeded", 0, "")


def test_a_stopped_one_resumes_with_its_window(source: Source, offers: World) -> None:
    job = start(window=WINDOW)
    stop_sync(job.task_id)
    job = run(resume_sync(job.task_id))
    assert (job.state, job.created) == ("succeeded", 1)
