"""What messages lead to: one job at a time over products named once, stocks as told, mere hints behind."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from products.models import Product, ProductChange, Sku
from syncjobs.connectors.alibaba1688.messages import PushedMessage, read_document
from syncjobs.models import ChangeMessage, Source, SyncJob
from syncjobs.services.announced import apply_stock, fetch_announced
from syncjobs.services.messages import keep
from syncjobs.services.messages import ring_waiting as ring
from system.models import Task
from tests.products.records import apply, record, sku
from tests.syncjobs.conftest import claimed_task

pytestmark = pytest.mark.django_db(transaction=True)

OFFER = 610947572360


@pytest.fixture(autouse=True)
def bells(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody hears the workers' bells."""
    monkeypatch.setattr("system.queue.current_app.send_task", lambda *_, **__: None)


@pytest.fixture
def main() -> Source:
    """A source of 1688."""
    return Source.objects.create(name="main", kind="alibaba1688", is_default=True)


def named(number: int, *offers: int) -> PushedMessage:
    """A message about products that changed."""
    data = {"productIds": ",".join(map(str, offers))}
    return read_document({"msgId": number, "type": "PRODUCT_RELATION_VIEW_PRODUCT_DELETE", "data": data})


def inventory(number: int, *skus: tuple[int, int], at: datetime | None = None, whole: int = 12) -> PushedMessage:
    """A message about stock, in the shape of a real one."""
    moment = round((at or datetime.now(UTC) + timedelta(seconds=1)).timestamp() * 1000)
    lines = [
        {
            "offerId": OFFER,
            "offerOnSale": whole,
            "skuId": sku_id,
            "skuOnSale": stock,
            "quantity": -2,
            "bizTime": f"{moment}",
        }
        for sku_id, stock in skus
    ]
    data = {"OfferInventoryChangeList": lines}
    return read_document({"msgId": number, "type": "PRODUCT_PRODUCT_INVENTORY_CHANGE", "data": data, "gmtBorn": moment})


def take(source: Source, messages: Sequence[PushedMessage]) -> int:
    """Keep messages of a WebSocket."""
    return keep(source, messages, ChangeMessage.Channel.WEBSOCKET)


def fetch(source: Source, **payload: Any) -> dict[str, object]:
    """What a worker does to have products fetched."""
    return fetch_announced({"source_id": source.pk, **payload}, claimed_task(SyncJob(pk=1)))


def store(source: Source) -> dict[str, int]:
    """What a worker does with stocks."""
    return apply_stock({"source_id": source.pk}, claimed_task(SyncJob(pk=1)))


def test_a_message_by_three_channels_is_one(main: Source) -> None:
    counts = [keep(main, [named(1, OFFER)], channel) for channel in ChangeMessage.Channel.values]
    assert (counts, ChangeMessage.objects.get().channel) == ([1, 0, 0], "callback")


def test_a_product_named_a_thousand_times_is_fetched_once(main: Source) -> None:
    assert take(main, [named(number, OFFER) for number in range(1, 1201)]) == 1200
    assert Task.objects.count() == 1
    fetch(main)
    assert SyncJob.objects.get().sku_list == [str(OFFER)]
    assert not ChangeMessage.objects.filter(handled_at=None).exists()


def test_a_flood_is_worked_off_job_by_job(main: Source) -> None:
    take(main, [named(number, OFFER + number) for number in range(1, 2501)])
    sizes = []
    while ChangeMessage.objects.filter(handled_at=None).exists():
        fetch(main)
        job = SyncJob.objects.latest("id")
        sizes.append(len(job.sku_list))
        assert fetch(main)["refused"] == "E02001" or len(sizes) == 3
        SyncJob.objects.update(state="succeeded")
    assert sizes == [1000, 1000, 500]
    assert {(job.priority, job.max_workers) for job in SyncJob.objects.all()} == {("default", 2)}


def test_stocks_are_stored_as_told_and_the_product_is_fetched_later_and_behind(main: Source) -> None:
    apply(record(str(OFFER), stock=30, skus=(sku("1", stock=10), sku("2", stock=20))), source="main")
    take(main, [inventory(1, (1, 5), (2, 7))])
    waiting = {task.kind: task for task in Task.objects.all()}
    assert (waiting["sync.stock"].queue, waiting["sync.messages"].queue) == ("default", "low")
    due = waiting["sync.messages"].not_before
    assert due
    assert due > timezone.now() + timedelta(seconds=30)
    assert store(main) == {"messages": 1, "products": 1}
    assert dict(Sku.objects.values_list("source_sku_id", "stock")) == {"1": 5, "2": 7}
    assert Product.objects.get().stock == 12
    fetch(main, hints=True)
    assert SyncJob.objects.get().priority == "low"


def test_stock_messages_out_of_order_and_twice_leave_the_newest(main: Source) -> None:
    apply(record(str(OFFER), skus=(sku("1", stock=10),)), source="main")
    now = datetime.now(UTC)
    early, late = (
        inventory(1, (1, 5), at=now + timedelta(seconds=1)),
        inventory(2, (1, 3), at=now + timedelta(seconds=2)),
    )
    for message in (late, early, late):
        take(main, [message])
        store(main)
    assert Sku.objects.get().stock == 3
    assert ProductChange.objects.filter(kind="updated").count() == 1


def test_a_worker_that_dies_while_it_stores_leaves_nothing_half_done(
    main: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    apply(record(str(OFFER), skus=(sku("1", stock=10),)), source="main")
    take(main, [inventory(1, (1, 5))])

    def die(*_: object) -> None:
        raise RuntimeError("killed")

    with monkeypatch.context() as patched:
        patched.setattr("products.catalog.log_changes", die)
        with pytest.raises(RuntimeError):
            store(main)
    assert Sku.objects.get().stock == 10
    Task.objects.all().delete()
    ring()
    assert set(Task.objects.values_list("kind", flat=True)) == {"sync.stock", "sync.messages"}
    store(main)
    assert Sku.objects.get().stock == 5


def test_a_change_takes_the_hints_of_its_product_along(main: Source) -> None:
    take(main, [inventory(1, (1, 5)), named(2, OFFER)])
    fetch(main)
    assert not ChangeMessage.objects.filter(handled_at=None).exists()


def test_hints_do_not_stop_a_deletion_from_being_looked_at(main: Source) -> None:
    take(main, [inventory(1, (1, 5))])
    fetch(main, hints=True)
    take(main, [named(2, OFFER + 1)])
    assert "task_id" in fetch(main)


def test_messages_rest_until_the_quota_is_back(main: Source) -> None:
    take(main, [named(1, OFFER)])
    fetch(main)
    until = timezone.now() + timedelta(hours=1)
    SyncJob.objects.update(state="held", error={"code": "quota_exhausted", "until": until.isoformat()})
    take(main, [named(2, OFFER + 1)])
    assert fetch(main)["refused"] == "E02001"
    SyncJob.objects.update(error={"code": "quota_exhausted", "until": timezone.now().isoformat()})
    assert "task_id" in fetch(main)


ODD_STOCKS = [None, -1, "x", True, 10**30, float("nan"), [1]]


@pytest.mark.parametrize("stock", ODD_STOCKS, ids=str)
def test_a_stock_that_is_none_is_no_hint_but_its_product_is_fetched(stock: Any) -> None:
    line = {"offerId": OFFER, "skuId": 1, "skuOnSale": stock, "quantity": 5, "bizTime": "1564984329147"}
    message = read_document({"msgId": 1, "type": "X", "data": {"OfferInventoryChangeList": [line, 5, None]}})
    assert (message.stock, message.only_hints, message.offer_ids) == ((), False, (str(OFFER),))
