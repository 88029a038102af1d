"""Whole jobs over searches and pools: what they store, and what they never take away."""

from collections.abc import Iterator
from typing import Any

import pytest

from devstack.gateway.client import GatewayClient, running_gateway
from products.models import Product, Sku
from syncjobs.models import SyncJob, SyncLog, Watermark
from syncjobs.services.sources import NewSource, add_source
from tests.client import ApiClient
from tests.flow.conftest import gateway_credentials
from tests.syncjobs.conftest import start, work

PRODUCTS = 150
SEARCH = {"walk": "search", "search": {"keywords": ["批发", "女装"]}}
POOL = {"walk": "pool", "pool": {"offer_pool_id": 1}}
DETAIL, PULL = "product.search.queryProductDetail", "pool.product.pull"


@pytest.fixture(scope="module")
def running() -> Iterator[GatewayClient]:
    with running_gateway(products=PRODUCTS) as gateway:
        yield gateway


@pytest.fixture
def gateway(running: GatewayClient, db: None, redis_url: str) -> GatewayClient:
    running.control("reset", products=PRODUCTS)
    return running


def sourced(gateway: GatewayClient, **options: Any) -> None:
    credentials = gateway_credentials(gateway)
    options = {"gateway_url": gateway.url, **options}
    add_source(
        NewSource(name="main", kind="alibaba1688", options=options, credentials=credentials, calls_per_second=500.0)
    )


def finished(**changes: Any) -> SyncJob:
    """A whole job, however many slices it takes."""
    job = start(batch_size=50, **changes)
    for _ in range(20):
        job = work(job)
        if job.state not in SyncJob.OPEN_STATES:
            return job
    raise AssertionError("the job does not end")


def listed() -> int:
    return Product.objects.exclude(status__in=("delisted", "deleted", "expired")).count()


def test_a_search_fills_the_catalogue_and_finds_nothing_new_the_second_time(gateway: GatewayClient) -> None:
    sourced(gateway, **SEARCH)
    job = finished()
    assert (job.state, job.created) == (SyncJob.State.SUCCEEDED, Product.objects.count())
    assert job.created > 0.9 * PRODUCTS
    assert job.calls == gateway.control("calls")["total"]
    assert Sku.objects.exists()
    again = finished(type="incremental")
    assert (again.created, again.updated, again.unchanged) == (0, 0, job.created)
    assert again.doubts[0]["code"] == "reads_everything"
    assert not Watermark.objects.exists()


def test_what_a_search_no_longer_shows_stays(gateway: GatewayClient) -> None:
    sourced(gateway, **SEARCH)
    before = finished().created
    gateway.control("delist", share=0.5)
    assert finished().delisted == 0
    gateway.control("empty", on=True)
    assert finished().state == SyncJob.State.SUCCEEDED
    assert listed() == before


def test_an_offer_of_a_search_that_its_own_detail_calls_gone_is_delisted(gateway: GatewayClient) -> None:
    sourced(gateway, **SEARCH)
    finished()
    offer = Product.objects.order_by("source_id").values_list("source_id", flat=True)[0]
    gateway.faults({"kind": "gone_in_detail", "api": DETAIL, "ids": [int(offer)]})
    finished(sku_list=[offer])
    assert Product.objects.get(source_id=offer).status == "delisted"


def test_a_search_that_loses_its_details_leaves_the_catalogue_alone(gateway: GatewayClient) -> None:
    sourced(gateway, **SEARCH)
    finished()
    skus = Sku.objects.count()
    gateway.control("limits", deny=f"{DETAIL},alibaba.cross.productInfo")
    job = finished()
    assert (job.state, (job.error or {})["code"]) == (SyncJob.State.FAILED, "details_lost")
    assert Sku.objects.count() == skus


def test_a_pool_proves_what_is_missing_and_moves_the_watermark(gateway: GatewayClient) -> None:
    sourced(gateway, **POOL)
    first = finished()
    assert first.provable
    assert first.created == first.total == Product.objects.count()
    assert Watermark.objects.get().job_id == first.pk
    left = [str(each) for each in gateway.control("delist", count=5)["ids"]]
    left = list(Product.objects.filter(source_id__in=left).values_list("source_id", flat=True))
    second = finished()
    assert second.missing == len(left) > 0
    assert second.delisted == 0


@pytest.mark.parametrize(
    "fault", [{"kind": "drifting_total", "rows": 1}, {"kind": "page_shift", "rows": 3, "after": 1}]
)
def test_a_pool_that_contradicts_itself_misses_nothing(gateway: GatewayClient, fault: dict[str, Any]) -> None:
    sourced(gateway, **POOL)
    finished()
    gateway.faults({"api": PULL, **fault})
    job = finished()
    assert (job.missing, job.delisted) == (0, 0)


def test_an_empty_pool_is_held_and_not_believed(gateway: GatewayClient) -> None:
    sourced(gateway, **POOL)
    before = finished().created
    gateway.control("empty", on=True)
    assert finished().state == SyncJob.State.HELD
    assert listed() == before


def test_a_check_before_the_start_counts_a_search_and_shows_its_products(
    gateway: GatewayClient, operate: ApiClient
) -> None:
    sourced(gateway, **SEARCH)
    answer = operate.post("sync/validate", {"type": "full"})
    assert answer["valid"]
    assert answer["estimate"]["calls"] > 100
    assert {each["effect"] for each in answer["sample"]} == {"created"}
    finished()
    gateway.control("limits", deny=f"{DETAIL},alibaba.cross.productInfo")
    lost = operate.post("sync/validate", {"type": "full"})
    assert "details_lost" in {(problem["details"] or {}).get("reason") for problem in lost["errors"]}


def test_doubts_of_a_drifting_search_are_in_the_log(gateway: GatewayClient) -> None:
    sourced(gateway, **SEARCH)
    gateway.faults({"kind": "drifting_order", "api": "product.search.keywordQuery", "share": 0.7})
    job = finished()
    assert SyncLog.objects.filter(job_id=job.pk, context__code="order_drifts", level="warning").exists()
