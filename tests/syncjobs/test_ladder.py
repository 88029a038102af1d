"""A product is delisted when enough complete walks in a row have missed it, or its source says that it is gone."""

from typing import Any

import pytest

from products.ingest import presence
from products.models import MissingProduct, Product, ProductChange
from syncjobs.models import RejectedRecord, Source, SyncBatch, SyncJob
from syncjobs.services import delisting
from syncjobs.services.jobs import resume_sync
from syncjobs.services.undo import undo_sync
from tests.client import ApiClient
from tests.syncjobs.conftest import error_code, path, start, work
from tests.syncjobs.scripted import World

LOST = "100001"


@pytest.fixture
def shop(source: Source, world: World) -> World:
    """Twenty offers, all stored, at a source that needs three walks; then one of them vanishes."""
    Source.objects.update(delist_after_walks=3)
    world.offer(20)
    work(start())
    world.prices.pop(LOST)
    return world


@pytest.fixture
def no_bells(monkeypatch: pytest.MonkeyPatch) -> None:
    """No broker is needed here."""
    monkeypatch.setattr("system.queue.current_app.send_task", lambda *_arguments, **_options: None)


def walk(**changes: Any) -> SyncJob:
    return work(start(**changes))


def lost() -> Product:
    return Product.objects.get(source_id=LOST)


def history() -> list[str]:
    return list(ProductChange.objects.filter(product_id=lost().pk).order_by("id").values_list("kind", flat=True))


def test_three_walks_in_a_row_delist_step_by_step(shop: World) -> None:
    before = (lost().version, lost().updated_at)
    assert [(job.missing, job.delisted) for job in (walk(), walk())] == [(1, 0), (1, 0)]
    assert (lost().status, (lost().version, lost().updated_at)) == ("published", before)
    job = walk()
    assert (job.missing, job.delisted, lost().status) == (0, 1, "delisted")
    assert history() == ["created", "missing", "suspect", "delisted"]
    assert not MissingProduct.objects.exists()


def test_a_delisted_product_that_is_seen_is_restored(shop: World) -> None:
    for _ in range(3):
        walk()
    shop.offer(20)
    walk()
    assert (lost().status, history()[-1]) == ("published", "restored")


@pytest.mark.parametrize(
    ("walks", "steps"), [(1, ["delisted"]), (2, ["missing", "delisted"]), (4, ["missing", "suspect", "suspect"])]
)
def test_the_source_says_how_many_walks_it_takes(shop: World, walks: int, steps: list[str]) -> None:
    Source.objects.update(delist_after_walks=walks)
    for _ in steps:
        walk()
    assert history()[1:] == steps


@pytest.mark.django_db(transaction=True)
def test_every_step_tells_its_reason_and_its_run_in_the_feed(operate: ApiClient, no_bells: None, shop: World) -> None:
    job = walk()
    (line,) = operate.get("products/changes", kind="missing")["items"]
    assert (line["reason"], line["fields"], line["task_id"]) == ("not_in_walk", {}, job.task_id)
    (point,) = operate.get(f"products/{lost().pk}/history", kind="missing")["items"]
    assert point["reason"] == "not_in_walk"
    assert operate.get(f"sync/jobs/{job.task_id}")["progress"]["missing"] == 1


@pytest.mark.parametrize("seen_by", [{"type": "full"}, {"type": "incremental"}, {"sku_list": (LOST,)}])
def test_whoever_sees_the_product_ends_the_row(shop: World, seen_by: dict[str, Any]) -> None:
    walk()
    walk()
    shop.offer(20)
    walk(**seen_by)
    assert history() == ["created", "missing", "suspect", "seen_again"]
    shop.prices.pop(LOST)
    walk()
    assert (lost().status, history()[-1]) == ("published", "missing")


def test_a_product_that_could_not_be_used_was_seen(shop: World) -> None:
    walk()
    shop.prices[LOST] = "broken"
    walk()
    assert history()[-1] == "seen_again"


@pytest.mark.parametrize("scope", [{"category_id": 1}, {"sku_list": ("100002",)}, {"type": "incremental"}])
def test_narrower_walks_do_not_count(shop: World, scope: dict[str, Any]) -> None:
    walk(**scope)
    assert history() == ["created"]


def test_a_walk_counts_once_however_often_its_last_batch_is_repeated(shop: World) -> None:
    job = walk()
    for _ in range(3):
        _repeat_delisting(job)
    assert (MissingProduct.objects.get().walks, history()) == (1, ["created", "missing"])


def _repeat_delisting(job: SyncJob) -> None:
    SyncBatch.objects.filter(job=job, stage=SyncBatch.Stage.DELIST).update(state="pending")
    SyncJob.objects.filter(pk=job.pk).update(state="running", finished_at=None)
    work(job)


def test_a_walk_that_dies_between_chunks_goes_on_where_it_ended(shop: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delisting, "CHUNK", 1)
    for offer in ("100002", "100003"):
        shop.prices.pop(offer)
    counted = iter(range(10))
    miss = presence.miss

    def die_at_the_second(*arguments: Any, **more: Any) -> Any:
        if next(counted) == 1:
            raise RuntimeError("the worker is lost")
        return miss(*arguments, **more)

    monkeypatch.setattr(presence, "miss", die_at_the_second)
    job = walk()
    assert (job.state, job.missing) == ("succeeded", 3)
    assert set(MissingProduct.objects.values_list("walks", flat=True)) == {1}
    assert ProductChange.objects.filter(kind="missing").count() == 3


def test_bad_listings_cannot_creep_past_the_guard(shop: World) -> None:
    """Each walk would only mark products as missing, and yet too many are missing: the first one is held."""
    for number in range(100002, 100007):
        shop.prices.pop(str(number))
    job = walk()
    assert (job.state, error_code(job), job.held) == ("held", "delist_limit", 6)
    assert job.error == {"code": "delist_limit", "missing": 6, "delisting": 0, "listed": 20}
    assert walk().state == "held"
    assert walk().state == "held"
    assert not ProductChange.objects.exclude(kind="created").exists()


def test_a_listing_cut_short_is_held_though_few_of_its_products_are_listed(shop: World) -> None:
    """The listing holds products in every state: those that were delisted count in its total, but cannot be missing."""
    walk()
    Product.objects.filter(source_id__gt="100010").update(status="delisted")
    for number in range(100011, 100021):
        shop.prices.pop(str(number))
    job = walk()
    assert (job.state, job.error) == (
        "held",
        {"code": "short_listing", "missing": 1, "delisting": 0, "total": 9, "expected": 19},
    )


def test_a_held_job_shows_the_step_of_each_product(operate: ApiClient, shop: World) -> None:
    walk()
    walk()
    Source.objects.update(delist_limit_percent=5)
    shop.prices.pop("100002")
    job = walk()
    shown = {line["sku"]: line for line in operate.get(path(job, "changes"), kind="held")["items"]}
    assert {sku: (line["step"], line["walks"], line["fields"]) for sku, line in shown.items()} == {
        "1688-100001": ("delisted", 3, {"status": ["published", "delisted"]}),
        "1688-100002": ("missing", 1, {}),
    }
    operate.post(path(job, "approve"), expect=202)
    job = work(job)
    assert (job.state, job.delisted, job.missing) == ("succeeded", 1, 1)


def test_an_approval_goes_no_further_than_what_was_shown(operate: ApiClient, shop: World) -> None:
    Source.objects.update(delist_limit_percent=0)
    job = walk()
    Source.objects.update(delist_after_walks=1)
    operate.post(path(job, "approve"), expect=202)
    assert (work(job).delisted, history()[-1]) == (0, "missing")


def test_what_was_seen_since_it_was_shown_stays(operate: ApiClient, shop: World) -> None:
    """A lookup that finds the product unchanged writes nothing to it, and counts all the same."""
    Source.objects.update(delist_limit_percent=0, delist_after_walks=1)
    job = walk()
    shop.offer(20)
    work(start(sku_list=(LOST,)))
    operate.post(path(job, "approve"), expect=202)
    assert (work(job).delisted, lost().status) == (0, "published")
    assert history() == ["created"]


def test_a_dry_run_counts_the_steps_and_takes_none(shop: World) -> None:
    assert [walk(dry_run=True).missing for _ in range(3)] == [1, 1, 1]
    assert history() == ["created"]
    walk()
    walk()
    dry = walk(dry_run=True)
    assert (dry.missing, dry.delisted) == (0, 1)


def test_undoing_a_run_does_not_take_its_steps_for_changes(shop: World) -> None:
    job = walk()
    assert undo_sync(job.task_id).undone == 0
    shop.offer(20)
    shop.prices["100002"] = "11.00"
    changed = walk()
    shop.prices.pop("100002")
    walk()
    assert undo_sync(changed.task_id).undone == 1


def test_the_sources_word_that_a_product_is_gone_delists_it(shop: World) -> None:
    shop.gone = {LOST}
    job = work(start(sku_list=(LOST, "100002")))
    assert (job.state, job.updated, job.unchanged, job.delisted, job.rejected) == ("succeeded", 1, 1, 1, 0)
    line = ProductChange.objects.latest("id")
    assert (line.kind, line.reason, line.job_id) == ("delisted", "source_says_gone", job.pk)
    again = work(start(sku_list=(LOST,)))
    assert (again.unchanged, again.delisted, again.rejected) == (1, 0, 0)


def test_an_unknown_product_that_is_gone_stays_a_reject(shop: World) -> None:
    shop.gone = {"999999"}
    job = work(start(sku_list=("999999",)))
    assert (job.state, job.rejected, RejectedRecord.objects.get().code) == ("partial", 1, "gone")


def test_a_product_is_not_gone_for_a_walk_that_did_not_name_it(shop: World) -> None:
    shop.gone, shop.prices[LOST] = {LOST}, "10.00"
    shop.claimed_total = lambda: 20
    job = walk(type="incremental")
    assert (lost().status, job.delisted, RejectedRecord.objects.get().code) == ("published", 0, "gone")


def test_a_status_an_operator_owns_is_not_taken_by_a_lookup(shop: World) -> None:
    Product.objects.filter(source_id=LOST).update(owned_fields=["status"])
    shop.gone = {LOST}
    assert work(start(sku_list=(LOST,))).rejected == 1
    assert lost().status == "published"


def test_a_dry_lookup_only_counts(shop: World) -> None:
    shop.gone = {LOST}
    job = work(start(sku_list=(LOST,), dry_run=True))
    assert (job.delisted, lost().status, history()) == (1, "published", ["created"])


def test_products_deleted_here_are_counted_as_hidden(operate: ApiClient, shop: World) -> None:
    operate.delete(f"products/{Product.objects.get(source_id='100002').pk}", expect=204)
    assert walk().hidden == 1


def test_a_held_walk_that_is_resumed_counts_once(shop: World) -> None:
    Source.objects.update(delist_limit_percent=0)
    job = walk()
    Source.objects.update(delist_limit_percent=20)
    work(resume_sync(job.task_id))
    assert MissingProduct.objects.get().walks == 1
