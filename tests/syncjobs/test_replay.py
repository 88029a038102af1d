"""Replay: what sources answered before, mapped as the connector maps today, without one call."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal

import msgspec
import pytest
from django.db import transaction
from django.utils import timezone

from products.models import Product, ProductChange
from products.records import ProductRecord
from syncjobs.engine.contracts import RawRecord
from syncjobs.models import RawAnswer, RejectedRecord, Source, SyncJob, Watermark
from syncjobs.services import kept_answers
from syncjobs.services.jobs import resume_sync, stop_sync
from syncjobs.services.kept_answers import ReplayUnitOfWork
from syncjobs.services.replays import StartReplay, start_replay
from syncjobs.services.undo import undo_sync
from system.errors import ApplicationError
from tests.syncjobs.conftest import start, work
from tests.syncjobs.scripted import ScriptedConnector, World

Fix = Callable[[Callable[[ProductRecord], ProductRecord]], None]


@pytest.fixture
def mapper(monkeypatch: pytest.MonkeyPatch) -> Fix:
    """Have the connector map differently from now on: a price in words is one yuan, and what the test says."""

    def fix(change: Callable[[ProductRecord], ProductRecord]) -> None:
        def normalize(_self: ScriptedConnector, raw: RawRecord) -> ProductRecord:
            offer, price = msgspec.json.decode(raw.payload)
            price = "1.00" if price == "broken" else price
            record = ProductRecord(source_id=offer, title=f"商品 {offer}", price=Decimal(price))
            return change(record)

        monkeypatch.setattr(ScriptedConnector, "normalize", normalize)

    return fix


def as_it_is(record: ProductRecord) -> ProductRecord:
    return record


def dearer(record: ProductRecord) -> ProductRecord:
    return msgspec.structs.replace(record, price=(record.price or 0) * 2)


def replay(**changes: object) -> SyncJob:
    return work(start_replay(StartReplay(**{"batch_size": 10, **changes})))  # type: ignore[arg-type]


def price(offer: str = "100001") -> str:
    return str(Product.objects.get(source_id=offer).price)


def test_a_fix_of_the_mapping_brings_in_what_was_rejected(source: Source, world: World, mapper: Fix) -> None:
    world.offer(25)
    world.prices["200001"] = "broken"
    work(start())
    fetches = world.fetches
    mapper(as_it_is)
    job = replay()
    assert (job.state, job.trigger, job.total, job.processed, job.calls) == ("succeeded", "replay", 26, 26, 0)
    assert (job.created, job.rejected) == (1, 0)
    assert price("200001") == "1.00"
    assert world.fetches == fetches


def test_it_leaves_the_receipt_of_any_job_and_can_be_undone(source: Source, world: World, mapper: Fix) -> None:
    world.offer(12)
    work(start())
    mapper(dearer)
    job = replay()
    assert (job.updated, ProductChange.objects.filter(job_id=job.pk).count()) == (12, 12)
    assert undo_sync(job.task_id).undone == 12
    assert price() == "10.00"


def test_what_still_cannot_be_used_is_rejected_by_the_replay(source: Source, world: World) -> None:
    world.prices["200001"] = "broken"
    work(start())
    job = replay()
    assert job.state == "partial"
    assert RejectedRecord.objects.get(job=job).code == "invalid_price"


def test_a_second_fix_replays_what_the_first_one_wrote(source: Source, world: World, mapper: Fix) -> None:
    world.offer(3)
    work(start())
    mapper(dearer)
    replay()
    mapper(lambda record: dearer(dearer(record)))
    assert replay().updated == 3
    assert price() == "40.00"


def test_the_last_answer_counts(source: Source, world: World, mapper: Fix) -> None:
    for said in ("1.00", "2.00", "3.00"):
        world.prices["100001"] = said
        work(start())
    mapper(dearer)
    assert replay().total == 1
    assert price() == "6.00"


def test_what_a_later_sync_stored_is_not_overwritten(source: Source, world: World, mapper: Fix) -> None:
    world.offer(2)
    work(start())
    Product.objects.filter(source_id="100001").update(price="7.00", synced_at=timezone.now())
    mapper(dearer)
    job = replay()
    assert (job.updated, job.unchanged) == (1, 1)
    assert (price("100001"), price("100002")) == ("7.00", "20.00")
    assert not RawAnswer.objects.get(source_id="100001").applied_at


def test_what_another_sync_creates_at_this_moment_is_not_overwritten(
    source: Source, world: World, mapper: Fix, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.offer(2)
    work(start())
    Product.objects.all().delete()
    asked = ReplayUnitOfWork._stored

    def created_after_the_look(self: ReplayUnitOfWork, products: object) -> object:
        found = asked(self, products)  # type: ignore[arg-type]
        if not Product.objects.exists():
            Product.objects.create(
                source="shop", source_id="100001", sku="1688-100001", title="new", price="7", synced_at=timezone.now()
            )
        return found

    monkeypatch.setattr(ReplayUnitOfWork, "_stored", created_after_the_look)
    mapper(dearer)
    job = replay()
    assert (job.created, job.unchanged) == (1, 1)
    assert (price("100001"), price("100002")) == ("7.00", "20.00")


def test_it_is_no_walk(source: Source, world: World, mapper: Fix) -> None:
    world.offer(5)
    work(start())
    marks = list(Watermark.objects.values())
    RawAnswer.objects.filter(source_id="100005").delete()
    mapper(as_it_is)
    job = replay()
    assert (job.state, job.delisted, job.held) == ("succeeded", 0, 0)
    assert list(Watermark.objects.values()) == marks
    assert Product.objects.get(source_id="100005").status == "published"


def test_a_delisted_product_is_not_brought_back(source: Source, world: World, mapper: Fix) -> None:
    world.offer(2)
    work(start())
    Product.objects.filter(source_id="100001").update(status="delisted", fingerprint=b"", synced_at=timezone.now())
    mapper(dearer)
    assert replay().unchanged == 1
    assert Product.objects.get(source_id="100001").status == "delisted"


def test_a_dry_replay_counts_and_writes_nothing(source: Source, world: World, mapper: Fix) -> None:
    world.offer(3)
    work(start())
    mapper(dearer)
    assert replay(dry_run=True).updated == 3
    assert price() == "10.00"
    assert not RawAnswer.objects.exclude(applied_at=None).exists()


def test_only_what_was_seen_since(source: Source, world: World, mapper: Fix) -> None:
    world.offer(5)
    work(start())
    RawAnswer.objects.filter(source_id__lte="100003").update(seen_at=timezone.now() - timedelta(days=10))
    assert replay(since=timezone.now() - timedelta(days=7), dry_run=True).total == 2
    assert replay(dry_run=True).total == 5


def test_only_chosen_products(source: Source, world: World) -> None:
    world.offer(5)
    work(start())
    assert replay(sku_list=("1688-100002", "100004", "999999"), dry_run=True).total == 2


def test_a_replay_that_was_stopped_goes_on_where_it_was(
    source: Source, world: World, mapper: Fix, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.offer(25)
    work(start())
    mapper(dearer)
    job = start_replay(StartReplay(batch_size=10))
    fetch = kept_answers.KeptAnswers.fetch

    def stopped(self: kept_answers.KeptAnswers, spec: object) -> object:
        if spec.params["after"]:  # type: ignore[attr-defined]
            stop_sync(job.task_id)
        return fetch(self, spec)  # type: ignore[arg-type]

    with monkeypatch.context() as patch:
        patch.setattr(kept_answers.KeptAnswers, "fetch", stopped)
        work(job)
    assert job.state in ("stopping", "stopped")
    first = job.processed
    resume_sync(job.task_id)
    assert work(job).state == "succeeded"
    assert 0 < first < job.processed == 25


@pytest.mark.parametrize("changes", [{}, {"sku_list": ("100001",)}])
def test_without_anything_kept_there_is_nothing_to_replay(source: Source, changes: dict[str, object]) -> None:
    with pytest.raises(ApplicationError, match="E00023"):
        replay(**changes)


def test_a_source_that_is_switched_off_can_be_replayed(source: Source, world: World) -> None:
    world.offer(1)
    work(start())
    Source.objects.update(is_enabled=False)
    assert replay().state == "succeeded"


def test_one_replay_of_a_source_at_a_time(source: Source, world: World) -> None:
    world.offer(1)
    work(start())
    first = start_replay(StartReplay())
    with transaction.atomic(), pytest.raises(ApplicationError) as refusal:
        start_replay(StartReplay())
    assert refusal.value.details == {"task_id": first.task_id}


def test_a_sync_beside_a_replay_is_not_hindered(source: Source, world: World) -> None:
    world.offer(1)
    work(start())
    start_replay(StartReplay())
    assert work(start()).state == "succeeded"
