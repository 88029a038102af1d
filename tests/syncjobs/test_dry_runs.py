"""A dry run counts and writes nothing."""

from typing import Any

from products.models import Product, ProductChange
from syncjobs.models import RejectedRecord, Source, SyncJob, SyncLog, Watermark
from tests.client import ApiClient
from tests.syncjobs.conftest import path, start, work
from tests.syncjobs.scripted import World


def catalogue() -> list[Any]:
    return [list(table.objects.order_by("pk").values()) for table in (Product, ProductChange, Watermark)]


def test_it_counts_what_a_run_would_do_and_leaves_the_catalogue_alone(
    operate: ApiClient, run: SyncJob, world: World
) -> None:
    world.prices |= {"100002": "12.00", "300001": "1.00"}
    world.prices.pop("100003")
    before = catalogue()
    job = operate.post("sync/start", {"type": "full", "dry_run": True})
    assert job["dry_run"] is True
    done = work(SyncJob.objects.get(task_id=job["task_id"]))
    assert (done.state, done.created, done.updated, done.delisted) == ("partial", 1, 1, 1)
    assert catalogue() == before
    assert operate.get(f"sync/jobs/{job['task_id']}")["fields_changed"] == {"price": 1}
    assert operate.get(path(done, "changes"))["items"] == []


def test_the_next_run_does_what_the_dry_one_said(operate: ApiClient, run: SyncJob, world: World) -> None:
    world.prices["100002"] = "12.00"
    dry, real = work(start(dry_run=True)), work(start())
    assert (dry.created, dry.updated, dry.unchanged) == (real.created, real.updated, real.unchanged) == (0, 1, 10)


def test_what_would_be_held_is_told_without_waiting(operate: ApiClient, source: Source, world: World) -> None:
    world.offer(10)
    work(start())
    world.prices.clear()
    job = work(start(dry_run=True))
    assert (job.state, job.held, (job.error or {})["code"]) == ("succeeded", 10, "empty_listing")
    assert operate.get(path(job, "changes"), kind="held")["total"] == 10
    assert SyncLog.objects.filter(job=job, message="a sync would be held here").exists()
    operate.post(path(job, "approve"), expect=409)


def test_it_decides_nothing_for_others(operate: ApiClient, run: SyncJob) -> None:
    job = work(start(dry_run=True))
    assert operate.post(path(job, "undo"), {}, expect=409)["code"] == "E02016"
    reject = RejectedRecord.objects.get(job=job)
    assert operate.post(path(job, f"rejects/{reject.pk}/retry"), expect=409)["code"] == "E02016"
