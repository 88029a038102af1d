"""Walks over a search, against the gateway simulator."""

from collections import Counter
from typing import Any

import pytest

from devstack.gateway.client import GatewayClient as Simulator
from syncjobs.connectors.alibaba1688.connector import Alibaba1688Connector
from syncjobs.engine.contracts import Page, Plan, Scope
from syncjobs.engine.errors import EngineError, FatalSourceError, QuotaExhausted, RetryableSourceError
from tests.connectors.alibaba1688.support import Store, connector_to, credentials_of, ids_of, walk

FULL = Scope(type="full")
SEARCH, DETAIL, LIST = "product.search.keywordQuery", "product.search.queryProductDetail", "alibaba.product.list.get"
PUSH, INFO, SEVERAL = (f"alibaba.cross.{name}" for name in ("syncProductListPushed", "productInfo", "productList"))
EVERYTHING = "批发"


def searching(simulator: Simulator, *keywords: str, **options: Any) -> Alibaba1688Connector:
    further = {name: options.pop(name) for name in ("details", "patience") if name in options}
    search = {"keywords": list(keywords) or [EVERYTHING], **options}
    return connector_to(simulator.url, Store(credentials_of(simulator)), walk="search", search=search, **further)


def sized(simulator: Simulator, products: int) -> None:
    simulator.control("reset", products=products)


def on_sale(simulator: Simulator) -> set[str]:
    connector = connector_to(simulator.url, Store(credentials_of(simulator)))
    records = [connector.normalize(raw) for page in walk(connector, FULL) for raw in page.records]
    return {record.source_id for record in records if record.status == "published"}


def taken(connector: Alibaba1688Connector, scope: Scope = FULL) -> tuple[Plan, list[Page]]:
    plan = connector.plan(scope)
    return plan, [page for spec in plan.batches for page in connector.fetch(spec)]


def codes(plan: Plan) -> set[str]:
    return {doubt.code for doubt in plan.doubts}


def calls_of(simulator: Simulator) -> Counter[str]:
    return Counter(simulator.control("calls")["apis"])


def failure_of(connector: Alibaba1688Connector, scope: Scope = FULL) -> EngineError:
    with pytest.raises(EngineError) as failure:
        taken(connector, scope)
    return failure.value


def test_a_search_brings_the_details_of_what_it_finds(simulator: Simulator) -> None:
    expected = on_sale(simulator)
    connector = searching(simulator)
    plan, pages = taken(connector)
    assert set(ids_of(pages)) == expected
    assert (plan.total, plan.provable, plan.watermark, codes(plan)) == (len(expected), False, None, set())
    record = connector.normalize(next(raw for page in pages for raw in page.records))
    assert record.shop
    assert record.attributes


@pytest.mark.parametrize("products", [0, 1, 50, 51, 100, 101, 205])
def test_full_pages_and_half_pages_lose_nothing(simulator: Simulator, products: int) -> None:
    sized(simulator, products)
    plan, pages = taken(searching(simulator, details="never"))
    assert sorted(filter(None, ids_of(pages))) == sorted(on_sale(simulator))
    assert codes(plan) == set()


def test_an_offer_that_several_keywords_find_is_fetched_once(simulator: Simulator) -> None:
    sized(simulator, 300)
    plan, pages = taken(searching(simulator, "女装", "连衣裙", "dresses", "女装"))
    found = ids_of(pages)
    assert found
    assert len(found) == len(set(found)) == calls_of(simulator)[DETAIL] - 1
    assert plan.total is None


def test_a_search_beyond_the_window_is_split_until_it_fits(simulator: Simulator) -> None:
    sized(simulator, 5000)
    plan = searching(simulator).plan(Scope(type="full", batch_size=1000))
    offers = [offer for spec in plan.batches for offer in spec.params["ids"]]
    assert len(offers) == len(set(offers)) > 4700
    assert (plan.total, plan.provable) == (None, False)
    assert codes(plan) == set()
    # A page for every 50 offers, and for the measuring of what was split.
    assert calls_of(simulator)[SEARCH] < 5000 / 50 + 150


def test_a_category_beyond_the_window_is_split_by_price(simulator: Simulator) -> None:
    sized(simulator, 60_000)
    simulator.control("limits", deny="alibaba.category.get")
    connector = searching(simulator, category_ids=[10166], details="never", max_offers=1_000_000)
    plan = connector.plan(Scope(type="full", batch_size=1000))
    bands = [spec.params["band"] for spec in plan.batches]
    assert {band["category_id"] for band in bands} == {10166}
    assert len({(band["low"], band["high"]) for band in bands}) > 2
    assert "tree_not_granted" in codes(plan)


def test_a_drifting_order_is_told(simulator: Simulator) -> None:
    sized(simulator, 300)
    connector = searching(simulator)
    simulator.faults({"kind": "drifting_order", "api": SEARCH, "share": 0.6})
    plan, pages = taken(connector)
    assert "order_drifts" in codes(plan)
    assert len(ids_of(pages)) == len(set(ids_of(pages)))


@pytest.mark.parametrize(
    "fault", [{"kind": "page_shift", "rows": 7, "after": 1}, {"kind": "drifting_total", "rows": 3}]
)
def test_pages_that_shift_and_totals_that_drift_prove_nothing(simulator: Simulator, fault: dict[str, Any]) -> None:
    sized(simulator, 300)
    simulator.faults({"api": SEARCH, **fault})
    plan, pages = taken(searching(simulator))
    assert not plan.provable
    assert ids_of(pages)


def test_rows_that_are_shown_twice_are_fetched_once(simulator: Simulator) -> None:
    sized(simulator, 300)
    simulator.faults({"kind": "duplicate_rows", "api": SEARCH, "every": 2})
    _, pages = taken(searching(simulator))
    assert Counter(ids_of(pages)).most_common(1)[0][1] == 1


def test_the_limit_of_offers_is_kept_and_told(simulator: Simulator) -> None:
    sized(simulator, 300)
    plan, pages = taken(searching(simulator, max_offers=70))
    assert len(ids_of(pages)) == 70
    assert "limit_reached" in codes(plan)


def test_a_job_of_one_category_searches_in_it_alone(simulator: Simulator) -> None:
    sized(simulator, 300)
    connector = searching(simulator)
    _, pages = taken(connector, Scope(type="full", category_id=10166))
    assert 0 < len(ids_of(pages)) < 150


def test_an_incremental_walk_reads_everything_and_says_so(simulator: Simulator) -> None:
    plan, pages = taken(searching(simulator), Scope(type="incremental"))
    assert set(ids_of(pages)) == on_sale(simulator)
    assert [(doubt.code, doubt.level) for doubt in plan.doubts] == [("reads_everything", "info")]


def test_a_window_of_time_cannot_be_searched(simulator: Simulator) -> None:
    connector = connector_to(simulator.url, Store(credentials_of(simulator)))
    now = connector.plan(FULL).watermark
    failure = failure_of(searching(simulator), Scope(type="incremental", since=now, until=now))
    assert isinstance(failure, FatalSourceError)
    assert failure.code == "scope_unsupported"


def test_without_details_products_have_what_the_row_tells(simulator: Simulator) -> None:
    connector = searching(simulator)
    full = {raw.source_id: connector.normalize(raw) for page in taken(connector)[1] for raw in page.records}
    simulator.control("limits", deny=f"{DETAIL},{INFO}")
    plan, pages = taken(searching(simulator))
    assert plan.shallow
    assert codes(plan) == {"listing_only"}
    rows = {raw.source_id: connector.normalize(raw) for page in pages for raw in page.records}
    assert rows.keys() == full.keys()
    for offer, row in rows.items():
        whole = full[offer]
        assert (row.title, row.category and row.category.id) == (whole.title, whole.category and whole.category.id)
        assert row.images == whole.images[:1]
        assert row.min_order_quantity == whole.min_order_quantity
        assert row.price is None or whole.price is None or abs(row.price - whole.price) <= whole.price / 3
        assert row.skus == ()


def test_rows_that_were_chosen_are_not_a_loss(simulator: Simulator) -> None:
    plan, pages = taken(searching(simulator, details="never"))
    assert not plan.shallow
    assert ids_of(pages)
    assert DETAIL not in calls_of(simulator)


def test_details_that_are_required_and_not_granted_end_the_job(simulator: Simulator) -> None:
    simulator.control("limits", deny=f"{DETAIL},{PUSH}")
    failure = failure_of(searching(simulator, details="required"))
    assert isinstance(failure, FatalSourceError)
    assert failure.code == "api_not_granted"
    assert DETAIL in failure.suggestion


def test_without_the_detail_call_relations_are_opened(simulator: Simulator) -> None:
    sized(simulator, 150)
    simulator.control("limits", deny=DETAIL)
    plan, pages = taken(searching(simulator))
    assert set(ids_of(pages)) == on_sale(simulator)
    assert not plan.shallow
    calls = calls_of(simulator)
    assert calls[INFO] == 1  # the probe
    assert calls[PUSH] - 1 == calls[SEVERAL] == 8


def test_without_the_call_for_several_they_are_asked_one_by_one(simulator: Simulator) -> None:
    simulator.control("limits", deny=f"{DETAIL},{SEVERAL}")
    _, pages = taken(searching(simulator))
    assert set(ids_of(pages)) == on_sale(simulator)


def test_an_offer_that_left_after_the_search_is_gone(simulator: Simulator) -> None:
    connector = searching(simulator)
    plan = connector.plan(FULL)
    specs = list(plan.batches)
    left = specs[0].params["ids"][3]
    simulator.control("delist", ids=left)
    pages = [page for spec in specs for page in connector.fetch(spec)]
    assert [offer for page in pages for offer in page.gone] == [left]


def test_chosen_offers_come_by_the_same_way(simulator: Simulator) -> None:
    chosen = sorted(on_sale(simulator))[:3]
    _, pages = taken(searching(simulator), Scope(type="full", offer_ids=tuple(chosen)))
    assert ids_of(pages) == chosen
    assert calls_of(simulator)["alibaba.product.get"] == 0
    assert calls_of(simulator)[DETAIL] == 3


def test_chosen_offers_take_the_other_way_where_the_first_is_not_granted(simulator: Simulator) -> None:
    chosen = sorted(on_sale(simulator))[:30]
    simulator.control("limits", deny=DETAIL)
    _, pages = taken(searching(simulator), Scope(type="full", offer_ids=tuple(chosen), batch_size=30))
    assert ids_of(pages) == chosen
    assert calls_of(simulator)[DETAIL] == 1


def test_a_plan_tells_the_calls_it_took(simulator: Simulator) -> None:
    sized(simulator, 300)
    plan = searching(simulator).plan(FULL)
    list(plan.batches)
    assert plan.calls() == simulator.control("calls")["total"] > 5


@pytest.mark.parametrize("api", [SEARCH, DETAIL])
def test_data_that_is_being_prepared_is_asked_for_again(simulator: Simulator, api: str) -> None:
    expected = on_sale(simulator)
    simulator.faults({"kind": "biz_500_2", "api": api, "count": 1, "after": 1 if api == DETAIL else 0})
    _, pages = taken(searching(simulator))
    assert set(ids_of(pages)) == expected
    assert not any(page.rejected for page in pages)


def test_a_search_that_is_not_granted_ends_the_job(simulator: Simulator) -> None:
    simulator.control("limits", deny=SEARCH)
    failure = failure_of(searching(simulator))
    assert isinstance(failure, FatalSourceError)
    assert SEARCH in failure.suggestion


def test_a_full_quota_during_the_plan_holds_the_job(simulator: Simulator) -> None:
    sized(simulator, 300)
    simulator.control("limits", daily=4)
    assert isinstance(failure_of(searching(simulator)), QuotaExhausted)


def test_who_waits_is_not_kept_waiting_for_the_whole_plan(simulator: Simulator) -> None:
    sized(simulator, 1500)
    simulator.faults({"kind": "slow", "seconds": 0.3, "api": SEARCH})
    failure = failure_of(searching(simulator, patience=2.0))
    assert isinstance(failure, RetryableSourceError)
    assert failure.code in {"uncounted", "timeout"}


def test_a_batch_of_a_source_that_became_another_walk_ends_the_job(simulator: Simulator) -> None:
    (spec, *_) = searching(simulator, details="never").plan(FULL).batches
    seller = connector_to(simulator.url, Store(credentials_of(simulator)))
    with pytest.raises(FatalSourceError) as failure:
        seller.fetch(spec)
    assert failure.value.code == "invalid_batch"
