"""Whole syncs: the real protocol over HTTP, real Celery workers, real PostgreSQL and Redis."""

from collections.abc import Callable

import pytest

from devstack.gateway.client import GatewayClient
from products.models import Category, Product, ProductChange, Shop
from syncjobs.models import RejectedRecord, Source, SyncJob, SyncLog
from syncjobs.services.jobs import resume_sync, stop_sync
from system import sql
from tests.conftest import eventually
from tests.flow.conftest import catalogue, finished, start
from tests.flow.workers import Worker
from tests.syncjobs.conftest import error_code


def test_a_full_sync_copies_the_catalogue(gateway: GatewayClient, worker: Worker) -> None:
    job = finished(start())
    assert (job.state, job.created, job.rejected, job.total) == ("succeeded", 300, 0, 300)
    assert Product.objects.count() == 300
    assert Category.objects.filter(level=3).exists()
    assert Shop.objects.exists()
    product = Product.objects.filter(status="published", price__isnull=False).first()
    assert product
    assert product.sku == f"1688-{product.source_id}"
    assert all(image.startswith("https://cbu01.alicdn.com/") for image in product.images)


def test_the_same_full_sync_again_changes_no_row(gateway: GatewayClient, worker: Worker) -> None:
    finished(start())
    before = sql.fetch_all("SELECT id, xmin::text, ctid::text FROM products_product ORDER BY id")
    skus = sql.fetch_all("SELECT id, xmin::text, ctid::text FROM products_sku ORDER BY id")
    job = finished(start())
    assert (job.unchanged, job.created, job.updated) == (300, 0, 0)
    assert sql.fetch_all("SELECT id, xmin::text, ctid::text FROM products_product ORDER BY id") == before
    assert sql.fetch_all("SELECT id, xmin::text, ctid::text FROM products_sku ORDER BY id") == skus


def test_an_incremental_sync_reads_only_what_changed(gateway: GatewayClient, worker: Worker) -> None:
    finished(start())
    mutated = set(map(str, gateway.control("mutate", share=0.05)["ids"]))
    calls = gateway.control("calls")["total"]
    job = finished(start(type="incremental"))
    assert (job.state, job.updated, job.created) == ("succeeded", len(mutated), 0)
    assert gateway.control("calls")["total"] - calls < 10
    changed = sql.fetch_all(
        "SELECT DISTINCT p.source_id FROM products_productchange c JOIN products_product p ON p.id = c.product_id"
        " WHERE c.job_id = %s",
        [job.pk],
    )
    assert {row[0] for row in changed} == mutated


def test_what_the_platform_took_down_is_delisted_by_the_next_full_walk(gateway: GatewayClient, worker: Worker) -> None:
    Source.objects.update(delist_after_walks=1)
    finished(start())
    gone = set(map(str, gateway.control("delist", share=0.05)["ids"]))
    job = finished(start())
    assert (job.state, job.delisted) == ("succeeded", len(gone))
    assert set(Product.objects.filter(status="delisted").values_list("source_id", flat=True)) == gone


def test_a_lookup_of_what_the_platform_took_down_delists_it(gateway: GatewayClient, worker: Worker) -> None:
    finished(start())
    gone = str(gateway.control("delist", share=0.01)["ids"][0])
    job = finished(start(sku_list=(gone,)))
    assert (job.state, job.delisted, job.rejected) == ("succeeded", 1, 0)
    assert ProductChange.objects.get(kind="delisted").reason == "source_says_gone"


def test_an_empty_but_successful_listing_deletes_nothing(gateway: GatewayClient, worker: Worker) -> None:
    finished(start())
    gateway.control("empty", on=1)
    job = finished(start())
    assert (job.state, error_code(job)) == ("held", "empty_listing")
    assert not Product.objects.filter(status="delisted").exists()


def test_a_list_of_offers_is_fetched_alone(gateway: GatewayClient, worker: Worker) -> None:
    finished(start())
    some = list(Product.objects.order_by("?").values_list("source_id", flat=True)[:3])
    Product.objects.all().delete()
    job = finished(start(sku_list=(some[0], f"1688-{some[1]}", f"https://detail.1688.com/offer/{some[2]}.html")))
    assert (job.state, job.created) == ("succeeded", 3)
    assert set(Product.objects.values_list("source_id", flat=True)) == set(some)


FAULTS: dict[str, tuple[dict[str, object], ...]] = {
    "500s": ({"kind": "http_500", "every": 4},),
    "truncated JSON": ({"kind": "truncated_json", "every": 5},),
    "an HTML page": ({"kind": "html_body", "every": 5},),
    "cut connections": ({"kind": "reset", "every": 5},),
    "a QPS limit": ({"kind": "qps", "every": 15},),
}


@pytest.mark.parametrize("faults", FAULTS.values(), ids=FAULTS)
def test_trouble_at_the_gateway_costs_time_but_no_product(
    gateway: GatewayClient, worker: Worker, faults: tuple[dict[str, object], ...]
) -> None:
    gateway.faults(*faults)
    job = finished(start())
    assert (job.state, job.created, job.rejected) == ("succeeded", 300, 0)


def test_a_token_that_ends_in_the_middle_is_refreshed_once(gateway: GatewayClient, worker: Worker) -> None:
    gateway.control("reset", products=1000)
    job = start()
    eventually(lambda: SyncJob.objects.get(pk=job.pk).processed)
    gateway.control("expire_tokens")
    job = finished(job)
    assert (job.state, job.created) == ("succeeded", 1000)
    assert gateway.control("calls")["apis"]["getToken"] == 1
    assert Source.objects.get().access_expires_at


def test_a_used_up_daily_quota_holds_the_job_and_resume_goes_on(gateway: GatewayClient, worker: Worker) -> None:
    gateway.control("limits", daily=20 + gateway.control("calls")["total"])
    job = finished(start())
    assert (job.state, error_code(job)) == ("held", "quota_exhausted")
    gateway.control("limits", daily=0)
    job = finished(resume_sync(job.task_id))
    assert (job.state, Product.objects.count()) == ("succeeded", 300)


def test_an_app_that_may_not_read_the_category_tree_still_syncs(gateway: GatewayClient, worker: Worker) -> None:
    gateway.control("limits", deny="alibaba.category.get")
    job = finished(start())
    assert (job.state, job.created) == ("succeeded", 300)
    assert SyncLog.objects.filter(job=job, level="warning", message__startswith="category tree").count() == 1


def test_a_record_that_cannot_be_used_is_kept_and_the_rest_goes_on(gateway: GatewayClient, worker: Worker) -> None:
    gateway.faults({"kind": "bad_record", "share": 0.02})
    job = finished(start())
    assert job.state == "partial"
    assert 0 < job.rejected < 50
    assert job.rejected == RejectedRecord.objects.count()
    assert job.created == 300 - job.rejected


def test_stop_and_resume_end_like_an_uninterrupted_run(gateway: GatewayClient, worker: Worker) -> None:
    gateway.control("reset", products=1000)
    job = start()
    eventually(lambda: SyncJob.objects.get(pk=job.pk).processed > 50)
    stop_sync(job.task_id)
    stopped = finished(job)
    assert stopped.state == "stopped"
    assert 0 < stopped.processed < 1000
    resumed = finished(resume_sync(job.task_id))
    assert (resumed.state, resumed.processed) == ("succeeded", 1000)
    assert len(catalogue()[0]) == 1000


def test_a_sync_goes_on_where_no_bell_was_heard(
    gateway: GatewayClient, worker: Worker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("system.queue.ring", _deaf())
    job = start()
    monkeypatch.undo()
    sql.execute("UPDATE system_task SET rung_at = now() - interval '1 minute'")
    assert finished(job).state == "succeeded"


def _deaf() -> Callable[..., bool]:
    return lambda *_arguments, **_options: False
