"""Whole runs over a scripted source, in this process."""

import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from products.models import Product, ProductChange
from syncjobs.engine.contracts import BatchSpec
from syncjobs.engine.errors import FatalSourceError, QuotaExhausted, RetryableSourceError
from syncjobs.models import RejectedRecord, SeenProduct, Source, SyncBatch, SyncJob, SyncLog, Watermark
from syncjobs.services.delisting import forget_walks
from syncjobs.services.jobs import resume_sync
from tests.syncjobs.conftest import error_code, start, work
from tests.syncjobs.scripted import CLOCK, World

ROOT = Path(__file__).resolve().parents[2]


def counters(job: SyncJob) -> tuple[int, int, int, int]:
    """created, updated, unchanged, rejected"""
    return job.created, job.updated, job.unchanged, job.rejected


def test_a_full_sync_stores_every_product_once(source: Source, world: World) -> None:
    world.offer(25)
    job = work(start())
    assert job.state == "succeeded"
    assert counters(job) == (25, 0, 0, 0)
    assert set(Product.objects.values_list("sku", flat=True)) == {f"1688-{100001 + n}" for n in range(25)}


def test_a_second_full_sync_writes_nothing(source: Source, world: World) -> None:
    world.offer(25)
    work(start())
    before = list(Product.objects.order_by("id").values_list("id", "version", "updated_at"))
    job = work(start())
    assert counters(job) == (0, 0, 25, 0)
    assert list(Product.objects.order_by("id").values_list("id", "version", "updated_at")) == before


def test_only_what_changed_is_written(source: Source, world: World) -> None:
    world.offer(25)
    work(start())
    world.prices["100003"] = "11.00"
    job = work(start())
    assert counters(job) == (0, 1, 24, 0)
    change = ProductChange.objects.get(kind="updated")
    assert change.job_id == job.pk
    assert "price" in change.fields


def test_an_empty_source_is_a_finished_job(source: Source, world: World) -> None:
    job = work(start())
    assert (job.state, job.processed) == ("succeeded", 0)


def test_a_broken_record_is_kept_with_its_payload_and_costs_only_itself(source: Source, world: World) -> None:
    world.offer(25)
    world.prices["100005"] = "broken"
    job = work(start())
    assert job.state == "partial"
    assert counters(job) == (24, 0, 0, 1)
    kept = RejectedRecord.objects.get()
    assert (kept.source_id, kept.code, kept.field) == ("100005", "invalid_price", "price")
    assert b"broken" in bytes(kept.payload)


def test_a_source_that_speaks_differently_is_held_before_it_costs_the_whole_walk(source: Source, world: World) -> None:
    world.offer(600, price="broken")
    job = work(start(batch_size=100))
    assert (job.state, job.processed, job.rejected) == ("held", 200, 200)
    assert error_code(job) == "reject_limit"
    for offer in list(world.prices)[200:]:
        world.prices[offer] = "10.00"
    job = work(resume_sync(job.task_id))
    assert (job.state, job.processed, job.rejected) == ("partial", 600, 200)


def test_somebody_who_resumes_it_has_decided(source: Source, world: World) -> None:
    world.offer(600, price="broken")
    job = work(resume_sync(work(start(batch_size=100)).task_id))
    assert (job.state, job.rejected) == ("partial", 600)


def test_a_few_rejects_among_many_hold_nothing(source: Source, world: World) -> None:
    world.offer(600)
    world.prices |= dict.fromkeys(list(world.prices)[:250], "broken")
    assert work(start(batch_size=600)).state == "partial"


def test_an_incremental_sync_asks_for_what_changed_since_the_committed_watermark(source: Source, world: World) -> None:
    world.offer(25)
    world.clock = CLOCK + timedelta(days=1)
    work(start())
    world.prices["100002"], world.updated["100002"] = "12.00", CLOCK + timedelta(days=2)
    job = work(start(type="incremental"))
    assert counters(job) == (0, 1, 0, 0)
    assert job.since
    assert job.since < world.clock  # the overlap is read again


def test_the_watermark_stays_when_the_job_fails(source: Source, world: World) -> None:
    world.offer(5)

    def refuse(_spec: object) -> None:
        raise FatalSourceError("no", code="refused", suggestion="apply")

    world.before_fetch = refuse
    job = work(start())
    assert (job.state, error_code(job)) == ("failed", "refused")
    assert not Watermark.objects.exists()


def test_a_failed_job_resumes_from_its_last_committed_batch(source: Source, world: World) -> None:
    world.offer(30)

    def refuse_the_second(_spec: object) -> None:
        if world.fetches == 2:
            raise FatalSourceError("no", code="refused")

    world.before_fetch = refuse_the_second
    job = work(start())
    assert job.processed == 10
    job = work(resume_sync(job.task_id))
    assert (job.state, job.processed, world.fetches) == ("succeeded", 30, 4)


def test_a_source_that_fails_for_a_moment_is_asked_again_later(source: Source, world: World) -> None:
    world.offer(5)

    def fail_once(_spec: object) -> None:
        if world.fetches == 1:
            raise RetryableSourceError("busy")

    world.before_fetch = fail_once
    job = work(start())
    batch = SyncBatch.objects.get(job=job, stage=SyncBatch.Stage.FETCH)
    assert (job.state, batch.state, batch.failures) == ("running", "pending", 1)
    SyncBatch.objects.update(not_before=None)
    assert work(job).state == "succeeded"


def test_a_used_up_quota_holds_the_job_until_somebody_resumes_it(source: Source, world: World) -> None:
    world.offer(5)

    def exhausted(_spec: object) -> None:
        if world.fetches == 1:
            raise QuotaExhausted("no calls left", until=CLOCK)

    world.before_fetch = exhausted
    job = work(start())
    assert (job.state, error_code(job)) == ("held", "quota_exhausted")
    assert work(resume_sync(job.task_id)).state == "succeeded"


def test_what_a_complete_walk_did_not_see_is_delisted_and_comes_back_when_seen(source: Source, world: World) -> None:
    world.offer(25)
    work(start())
    price = world.prices.pop("100001")
    job = work(start())
    assert (job.state, job.delisted) == ("succeeded", 1)
    assert Product.objects.get(source_id="100001").status == "delisted"
    world.prices["100001"] = price
    job = work(start())
    assert Product.objects.get(source_id="100001").status == "published"
    assert ProductChange.objects.filter(kind="restored", job_id=job.pk).count() == 1


@pytest.mark.parametrize("doubt", ["a total that drifts", "a product the walk did not reach"])
def test_nothing_is_delisted_when_the_walk_proves_nothing(source: Source, world: World, doubt: str) -> None:
    world.offer(25)
    work(start())
    world.prices.pop("100001")
    if doubt == "a total that drifts":
        world.claimed_total = lambda: 24 + world.fetches % 2
    else:
        world.hidden = {"100010"}
    job = work(start())
    assert (job.state, error_code(job), job.delisted) == ("partial", "incomplete_walk", 0)
    assert not Product.objects.filter(status="delisted").exists()


def test_an_empty_listing_for_a_full_catalogue_is_held_and_deletes_nothing(source: Source, world: World) -> None:
    world.offer(25)
    work(start())
    world.prices.clear()
    job = work(start())
    assert (job.state, error_code(job), job.held) == ("held", "empty_listing", 25)
    assert Product.objects.filter(status="published").count() == 25


def test_more_missing_than_the_limit_is_held_until_the_operator_raises_it(source: Source, world: World) -> None:
    world.offer(10)
    work(start())
    for offer in ("100001", "100002", "100003"):
        world.prices.pop(offer)
    job = work(start())
    assert (job.state, job.held, job.delisted) == ("held", 3, 0)
    Source.objects.update(delist_limit_percent=30)
    job = work(resume_sync(job.task_id))
    assert (job.state, job.delisted) == ("succeeded", 3)


@pytest.mark.parametrize("scope", [{"category_id": 1}, {"sku_list": ("100001", "100002")}, {"type": "incremental"}])
def test_a_walk_over_a_part_delists_nothing(source: Source, world: World, scope: dict[str, Any]) -> None:
    world.offer(25)
    work(start())
    world.prices.pop("100020")
    assert work(start(**scope)).delisted == 0


def test_what_a_walk_saw_is_forgotten_when_it_is_over(source: Source, world: World) -> None:
    world.offer(25)
    work(start())
    assert SeenProduct.objects.filter(job_id__gt=0).count() == 25
    forget_walks()
    assert not SeenProduct.objects.exists()


def test_a_feed_of_real_offers_is_copied_whole_with_the_shipped_mapping(db: None, redis_url: str) -> None:
    options = json.loads((ROOT / "docs/examples/feed-real-offers.json").read_text(encoding="utf-8"))
    offers = ROOT / "tests/connectors/feed/data/sample.ndjson"
    Source.objects.create(name="feed", kind="feed", options=options | {"path": str(offers)}, is_default=True)
    job = work(start())
    assert (job.state, job.created, job.rejected) == ("succeeded", len(offers.read_text().splitlines()), 0)


def test_a_record_too_large_for_its_column_does_not_fail_its_batch(source: Source, world: World) -> None:
    world.offer(5)
    world.prices["1" * 101] = "10.00"
    job = work(start())
    assert (job.state, job.created) == ("partial", 5)
    assert RejectedRecord.objects.get().code == "too_large"


def test_the_watermark_stays_when_the_walk_saw_less_than_the_source_claims(source: Source, world: World) -> None:
    world.offer(25)
    world.hidden = {"100010"}
    assert work(start()).state == "partial"
    assert not Watermark.objects.exists()
    world.hidden = set()
    assert work(start(type="incremental")).created == 1
    assert Watermark.objects.exists()


def test_a_walk_whose_memory_a_crash_took_proves_nothing_and_accuses_nobody(source: Source, world: World) -> None:
    world.offer(25)
    work(start())
    del world.prices["100001"]

    def crash(_spec: BatchSpec) -> None:
        SeenProduct.objects.all().delete()

    world.before_fetch = crash
    job = work(start())
    assert (job.state, job.error, job.delisted) == ("succeeded", None, 0)
    assert SyncLog.objects.filter(job=job, message__startswith="what the walk saw is forgotten").exists()
    assert Watermark.objects.get().job_id != job.pk
