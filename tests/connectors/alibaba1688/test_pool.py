"""Walks over an offer pool, against the gateway simulator."""

from collections import Counter
from typing import Any

import pytest

from devstack.gateway.client import GatewayClient as Simulator
from syncjobs.connectors.alibaba1688.connector import Alibaba1688Connector
from syncjobs.engine.contracts import Page, Plan, Scope
from syncjobs.engine.errors import FatalSourceError, RetryableSourceError
from tests.connectors.alibaba1688.support import Store, connector_to, credentials_of, ids_of

FULL = Scope(type="full")
PULL, DETAIL = "pool.product.pull", "product.search.queryProductDetail"


def pooling(simulator: Simulator, **pool: Any) -> Alibaba1688Connector:
    options = {"offer_pool_id": 1, **pool}
    return connector_to(simulator.url, Store(credentials_of(simulator)), walk="pool", pool=options)


def taken(connector: Alibaba1688Connector, scope: Scope = FULL) -> tuple[Plan, list[Page]]:
    plan = connector.plan(scope)
    return plan, [page for spec in plan.batches for page in connector.fetch(spec)]


def proves(plan: Plan, pages: list[Page]) -> bool:
    """Whether the engine would believe that this walk saw everything."""
    seen = set(ids_of(pages))
    return plan.provable and {page.total for page in pages} == {plan.total} and len(seen) == plan.total


def tasks_of(simulator: Simulator) -> list[str]:
    calls = simulator.control("calls", last=200)["last"]
    return [call["params"]["offerPoolQueryParam"] for call in calls if call["api"] == PULL]


@pytest.mark.parametrize("products", [1, 20, 51, 101, 205])
@pytest.mark.parametrize("batch_size", [7, 50, 100])
def test_a_pool_is_walked_whole_and_proves_it(simulator: Simulator, products: int, batch_size: int) -> None:
    simulator.control("reset", products=products)
    plan, pages = taken(pooling(simulator), Scope(type="full", batch_size=batch_size))
    assert proves(plan, pages)
    assert Counter(ids_of(pages)).most_common(1)[0][1] == 1


def test_an_exact_multiple_of_pages_ends(simulator: Simulator) -> None:
    simulator.control("reset", products=205)
    total = pooling(simulator).plan(FULL).total
    assert total
    size = next(size for size in range(50, 1, -1) if total % size == 0)
    plan, pages = taken(pooling(simulator), Scope(type="full", batch_size=size))
    assert proves(plan, pages)


def test_all_pages_carry_one_task_and_every_plan_its_own(simulator: Simulator) -> None:
    connector = pooling(simulator)
    specs = list(connector.plan(Scope(type="full", batch_size=10)).batches)
    assert len({spec.params["task"] for spec in specs}) == 1
    other = next(iter(connector.plan(FULL).batches))
    assert other.params["task"] != specs[0].params["task"]
    for spec in specs:
        list(connector.fetch(spec))
    asked = tasks_of(simulator)
    assert sum(specs[0].params["task"] in query for query in asked) == len(asked) - 1


def test_an_empty_pool_is_no_products_and_not_an_unknown_number(simulator: Simulator) -> None:
    simulator.control("empty", on=True)
    plan, pages = taken(pooling(simulator))
    assert (plan.total, ids_of(pages)) == (0, [])


@pytest.mark.parametrize(
    "fault",
    [
        {"kind": "drifting_total", "rows": 1},
        {"kind": "duplicate_rows", "every": 1},
        {"kind": "page_shift", "rows": 3, "after": 1},
    ],
)
def test_a_pool_that_contradicts_itself_proves_nothing(simulator: Simulator, fault: dict[str, Any]) -> None:
    simulator.control("reset", products=205)
    simulator.faults({"api": PULL, **fault})
    plan, pages = taken(pooling(simulator), Scope(type="full", batch_size=20))
    full = len(set(ids_of(pages))) == len(set(ids_of(taken(_quiet(simulator))[1])))
    assert full or not proves(plan, pages)
    assert fault["kind"] != "drifting_total" or not proves(plan, pages)


def _quiet(simulator: Simulator) -> Alibaba1688Connector:
    simulator.clear_faults()
    return pooling(simulator)


def test_an_offer_of_the_pool_without_a_detail_proves_nothing_about_the_others(simulator: Simulator) -> None:
    connector = pooling(simulator)
    plan = connector.plan(FULL)
    specs = list(plan.batches)
    pages = [page for spec in specs for page in connector.fetch(spec)]
    left = str(ids_of(pages)[0])
    simulator.control("delist", ids=left)
    again = [page for spec in specs for page in connector.fetch(spec)]
    assert [offer for page in again for offer in page.gone] == [left]
    assert not proves(plan, again)


def test_a_page_that_comes_empty_before_the_end_is_asked_for_again_later(simulator: Simulator) -> None:
    connector = pooling(simulator)
    specs = list(connector.plan(FULL).batches)
    simulator.control("empty", on=True)
    with pytest.raises(RetryableSourceError) as failure:
        [page for spec in specs for page in connector.fetch(spec)]
    assert failure.value.code == "page_empty"


def test_the_watermark_is_the_gateways_clock_since_all_is_read_each_time(simulator: Simulator) -> None:
    clock = simulator.control("clock", advance=3600, frozen=True)
    plan, pages = taken(pooling(simulator), Scope(type="incremental"))
    assert plan.watermark
    assert plan.watermark.timestamp() * 1000 == clock["milliseconds"]
    assert len(ids_of(pages)) == plan.total
    assert [doubt.code for doubt in plan.doubts] == ["reads_everything"]
    assert not plan.provable


def test_a_category_of_the_pool(simulator: Simulator) -> None:
    simulator.control("reset", products=205)
    whole = pooling(simulator).plan(FULL).total
    part, pages = taken(pooling(simulator, category_id=10166))
    assert 0 < len(ids_of(pages)) == (part.total or 0) < (whole or 0)


def test_a_pool_without_any_way_to_details_ends_the_job(simulator: Simulator) -> None:
    simulator.control("limits", deny=f"{DETAIL},alibaba.cross.productInfo")
    with pytest.raises(FatalSourceError) as failure:
        pooling(simulator).plan(FULL)
    assert failure.value.code == "api_not_granted"


def test_a_pool_nobody_knows_does_not_pass_for_an_empty_one(simulator: Simulator) -> None:
    with pytest.raises(RetryableSourceError):
        pooling(simulator, offer_pool_id=99).plan(FULL)
