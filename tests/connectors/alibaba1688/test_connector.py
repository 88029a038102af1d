"""The connector against the gateway simulator: walks, faults, tokens and limits."""

import json
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
import redis

from devstack.gateway.client import GatewayClient as Simulator
from syncjobs.connectors.alibaba1688.connector import Alibaba1688Connector
from syncjobs.connectors.alibaba1688.quota import Pace, RedisCallGate
from syncjobs.connectors.registry import Credentials
from syncjobs.engine.contracts import BatchSpec, Page, Scope
from syncjobs.engine.errors import EngineError, FatalSourceError, QuotaExhausted, RecordRejected, RetryableSourceError
from tests.connectors.alibaba1688.conftest import PRODUCTS
from tests.connectors.alibaba1688.support import (
    CountingGate,
    Store,
    connector_to,
    credentials_of,
    http_answer,
    ids_of,
    serving,
    walk,
)

FULL = Scope(type="full")
LIST, GET, BY_ID = "alibaba.product.list.get", "alibaba.product.get", "alibaba.product.getByIdList"


@pytest.fixture
def store(simulator: Simulator) -> Store:
    return Store(credentials_of(simulator))


@pytest.fixture
def connector(simulator: Simulator, store: Store) -> Alibaba1688Connector:
    return connector_to(simulator.url, store)


def failure_of(action: Callable[[], object]) -> EngineError:
    with pytest.raises(EngineError) as failure:
        action()
    return failure.value


def calls_of(simulator: Simulator) -> Counter[str]:
    return Counter(simulator.control("calls")["apis"])


def test_a_plan_is_ranges_of_pages_with_an_open_end(connector: Alibaba1688Connector) -> None:
    plan = connector.plan(Scope(type="full", batch_size=20))
    specs = list(plan.batches)
    assert (plan.total, plan.provable) == (PRODUCTS, True)
    assert [(spec.params["page"], spec.params["open_ended"], spec.expected) for spec in specs] == [
        (1, False, 20),
        (2, False, 20),
        (3, True, 5),
    ]


def test_a_plan_for_ten_million_products_costs_nothing_until_it_is_walked(simulator: Simulator, store: Store) -> None:
    simulator.control("reset", products=10_000_000)
    connector = connector_to(simulator.url, store)
    plan = connector.plan(FULL)
    assert next(iter(plan.batches)).params["pages"] == 5
    assert plan.total == 10_000_000


def test_products_come_in_the_order_of_their_ids(connector: Alibaba1688Connector) -> None:
    ids = ids_of(walk(connector, FULL))
    assert len(ids) == PRODUCTS
    assert ids == sorted(ids, key=lambda each: int(each or 0))


def test_small_batches_use_small_pages(connector: Alibaba1688Connector) -> None:
    pages = walk(connector, Scope(type="full", batch_size=7))
    assert max(len(page.records) for page in pages) == 7
    assert len(set(ids_of(pages))) == PRODUCTS


@pytest.mark.parametrize("stated", [{}, {"sizePerPage": 20}, {"sizePerPage": "10"}])
def test_a_page_size_that_is_clamped_is_noticed(stated: dict[str, object]) -> None:
    page = {"totalRecords": "66", "resultList": [{"productID": number} for number in range(10)]} | stated
    answers = {"result": "20260925101010000+0800"}, {"result": {"pageResult": page}}
    with serving(*(http_answer(json.dumps(answer).encode()) for answer in answers)) as (url, _):
        plan = connector_to(url, Store(Credentials(access_token="token"))).plan(Scope(type="full", batch_size=30))
    walks = [(spec.params["page"], spec.params["pages"], spec.params["size"]) for spec in plan.batches]
    assert walks == [(1, 3, 10), (4, 3, 10), (7, 1, 10)]


def test_products_added_during_the_walk_are_met(connector: Alibaba1688Connector, simulator: Simulator) -> None:
    specs = list(connector.plan(FULL).batches)
    simulator.control("reset", products=PRODUCTS + 40)
    assert len({each for spec in specs for page in connector.fetch(spec) for each in ids_of([page])}) == PRODUCTS + 40


def test_a_walk_over_a_category_has_its_products_only(connector: Alibaba1688Connector) -> None:
    records = [connector.normalize(raw) for page in walk(connector, FULL) for raw in page.records]
    categories = Counter(record.category.id for record in records if record.category)
    category, count = categories.most_common(1)[0]
    assert category
    assert len(ids_of(walk(connector, Scope(type="full", category_id=category)))) == count


def test_an_incremental_walk_has_what_changed_since(connector: Alibaba1688Connector, simulator: Simulator) -> None:
    since = connector.plan(FULL).watermark
    assert since
    simulator.control("clock", advance=3600)
    changed = simulator.control("mutate", count=4, kinds="price")["ids"]
    plan = connector.plan(Scope(type="incremental", since=since))
    found = ids_of([page for spec in plan.batches for page in connector.fetch(spec)])
    assert sorted(map(int, filter(None, found))) == sorted(changed)
    assert not plan.provable
    assert plan.watermark
    assert plan.watermark >= since + timedelta(hours=1)


def test_a_window_ends_before_its_end(connector: Alibaba1688Connector, simulator: Simulator) -> None:
    simulator.control("clock", advance=3600, frozen=True)
    first = connector.plan(FULL).watermark
    assert first
    changed = simulator.control("mutate", count=4, kinds="price")["ids"]
    second = first + timedelta(hours=1)
    simulator.control("clock", advance=3600, frozen=True)
    simulator.control("mutate", count=3, kinds="price")
    inside = ids_of(walk(connector, Scope(type="incremental", since=first, until=second)))
    before = ids_of(walk(connector, Scope(type="incremental", since=first - timedelta(hours=1), until=first)))
    assert inside
    assert {int(each or 0) for each in inside} <= set(changed)
    assert {int(each or 0) for each in before}.isdisjoint(changed)


def test_the_watermark_is_the_clock_of_the_gateway(connector: Alibaba1688Connector, simulator: Simulator) -> None:
    clock = simulator.control("clock", advance=3600, frozen=True)
    watermark = connector.plan(FULL).watermark
    assert watermark
    assert watermark.timestamp() * 1000 == clock["milliseconds"]


def test_an_empty_listing_has_no_products_and_says_so(connector: Alibaba1688Connector, simulator: Simulator) -> None:
    simulator.control("empty", on=True)
    plan = connector.plan(FULL)
    pages = [page for spec in plan.batches for page in connector.fetch(spec)]
    assert (plan.total, [page.total for page in pages], ids_of(pages)) == (0, [0], [])


def chosen(connector: Alibaba1688Connector, count: int) -> tuple[str, ...]:
    return tuple(each for each in ids_of(walk(connector, FULL))[:count] if each)


def test_products_by_id_come_twenty_a_call(connector: Alibaba1688Connector, simulator: Simulator) -> None:
    ids = chosen(connector, 45)
    assert ids_of(walk(connector, Scope(type="full", offer_ids=ids))) == list(ids)
    assert calls_of(simulator)[BY_ID] == 3
    assert GET not in calls_of(simulator)


def test_a_pasted_link_is_an_id_and_counts_once(connector: Alibaba1688Connector) -> None:
    (one,) = chosen(connector, 1)
    links = (one, f"1688-{one}", f"https://detail.1688.com/offer/{one}.html")
    plan = connector.plan(Scope(type="full", offer_ids=links))
    assert (plan.total, plan.provable, plan.watermark) == (1, False, None)


def test_an_id_that_is_none_ends_the_job(connector: Alibaba1688Connector) -> None:
    failure = failure_of(lambda: connector.plan(Scope(type="full", offer_ids=("https://item.taobao.com/1",))))
    assert isinstance(failure, FatalSourceError)
    assert failure.code == "invalid_offer_id"


def test_a_product_that_left_is_gone_and_the_others_are_not(
    connector: Alibaba1688Connector, simulator: Simulator
) -> None:
    first, *others = ids = chosen(connector, 5)
    simulator.control("delist", ids=first)
    pages = walk(connector, Scope(type="full", offer_ids=tuple(ids)))
    assert ids_of(pages) == others
    assert [each for page in pages for each in page.gone] == [first]


def test_without_the_permission_for_lists_products_are_asked_one_by_one(
    connector: Alibaba1688Connector, simulator: Simulator
) -> None:
    ids = chosen(connector, 25)
    simulator.control("limits", deny=BY_ID)
    assert ids_of(walk(connector, Scope(type="full", offer_ids=ids))) == list(ids)
    assert calls_of(simulator)[GET] == 25
    assert simulator.control("calls")["errors"] == {"gw.APIACLDecline": 1}


def test_without_any_permission_for_details_the_job_ends(connector: Alibaba1688Connector, simulator: Simulator) -> None:
    ids = chosen(connector, 1)
    simulator.control("limits", deny=f"{BY_ID},{GET}")
    failure = failure_of(lambda: walk(connector, Scope(type="full", offer_ids=ids)))
    assert isinstance(failure, FatalSourceError)
    assert failure.code == "api_not_granted"
    assert GET in failure.suggestion


def test_an_odd_product_is_one_rejected_record(connector: Alibaba1688Connector, simulator: Simulator) -> None:
    odd, *_ = chosen(connector, 1)
    simulator.faults({"kind": "bad_record", "ids": [int(odd)]})
    rejected = []
    for raw in (raw for page in walk(connector, FULL) for raw in page.records):
        try:
            connector.normalize(raw)
        except RecordRejected as rejection:
            rejected.append((raw.source_id, rejection.field))
    assert rejected == [(odd, "subject")]


@pytest.mark.parametrize("kind", ["null_lists", "wrong_types", "extra_fields"])
def test_odd_spellings_of_good_products_are_read(
    connector: Alibaba1688Connector, simulator: Simulator, kind: str
) -> None:
    before = {raw.source_id: connector.normalize(raw) for page in walk(connector, FULL) for raw in page.records}
    simulator.faults({"kind": kind})
    after = {raw.source_id: connector.normalize(raw) for page in walk(connector, FULL) for raw in page.records}
    assert after.keys() == before.keys()
    same = [before[each] == after[each] for each in before]
    assert all(same) or kind == "null_lists"


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        ("http_500", "server_error"),
        ("http_502", "server_error"),
        ("truncated_json", "bad_answer"),
        ("html_body", "bad_answer"),
        ("reset", "connection_failed"),
    ],
)
def test_a_lasting_fault_of_the_listing_is_retryable(
    connector: Alibaba1688Connector, simulator: Simulator, kind: str, code: str
) -> None:
    (spec,) = connector.plan(FULL).batches
    simulator.faults({"kind": kind, "api": LIST})
    failure = failure_of(lambda: list(connector.fetch(spec)))
    assert isinstance(failure, RetryableSourceError)
    assert failure.code == code


@pytest.mark.parametrize("kind", ["http_500", "reset", "truncated_json", "html_body"])
def test_a_fault_of_every_third_call_is_ridden_out(
    connector: Alibaba1688Connector, simulator: Simulator, kind: str
) -> None:
    simulator.faults({"kind": kind, "api": LIST, "every": 3})
    assert len(ids_of(walk(connector, FULL))) == PRODUCTS


def test_a_token_that_expires_during_the_run_is_renewed_once_by_eight_workers(simulator: Simulator) -> None:
    store = Store(credentials_of(simulator))
    connectors = [connector_to(simulator.url, store) for _ in range(8)]
    (spec,) = connectors[0].plan(FULL).batches
    for each in connectors:
        list(each.fetch(spec))
    simulator.control("expire_tokens", refresh=False)

    def fetch(connector: Alibaba1688Connector) -> list[Page]:
        return list(connector.fetch(spec))

    with ThreadPoolExecutor(8) as threads:
        walks = list(threads.map(fetch, connectors))
    assert [len(ids_of(pages)) for pages in walks] == [PRODUCTS] * 8
    assert (store.exchanges, calls_of(simulator)["getToken"]) == (1, 1)


def test_a_dead_refresh_token_needs_an_authorisation(connector: Alibaba1688Connector, simulator: Simulator) -> None:
    simulator.control("expire_tokens", refresh=True)
    failure = failure_of(lambda: connector.plan(FULL))
    assert isinstance(failure, FatalSourceError)
    assert failure.code == "needs_authorization"


def test_a_wrong_secret_ends_the_job(simulator: Simulator) -> None:
    connector = connector_to(simulator.url, Store(credentials_of(simulator, app_secret="wrong")))
    failure = failure_of(lambda: connector.plan(FULL))
    assert isinstance(failure, FatalSourceError)
    assert failure.code == "signature_invalid"


def test_a_full_daily_quota_holds_the_job(connector: Alibaba1688Connector, simulator: Simulator) -> None:
    simulator.control("limits", daily=3)
    failure = failure_of(lambda: walk(connector, FULL))
    assert isinstance(failure, QuotaExhausted)
    assert failure.until
    assert failure.until > datetime.now(UTC)


def test_workers_that_share_the_gate_never_trip_the_limit(simulator: Simulator, redis_url: str) -> None:
    simulator.control("limits", qps=20)
    with redis.Redis.from_url(redis_url) as client:
        key = f"test:{uuid4()}"
        store = Store(credentials_of(simulator))
        connectors = [connector_to(simulator.url, store, RedisCallGate(client, key, Pace(qps=20))) for _ in range(4)]
        with ThreadPoolExecutor(4) as threads:
            walks = list(threads.map(lambda each: walk(each, FULL), connectors))
    assert [len(ids_of(pages)) for pages in walks] == [PRODUCTS] * 4
    assert simulator.control("calls")["errors"] == {}


def test_a_call_too_many_pauses_all_workers_and_is_made_again(simulator: Simulator, store: Store) -> None:
    gate = CountingGate()
    connector = connector_to(simulator.url, store, gate)
    simulator.faults({"kind": "qps", "api": LIST, "count": 1})
    assert connector.plan(FULL).total == PRODUCTS
    assert gate.pauses == [2]


def test_the_whole_category_tree_is_walked(connector: Alibaba1688Connector) -> None:
    categories = list(connector.categories())
    ids = [category.id for category in categories]
    assert len(ids) == len(set(ids)) > 40
    assert all(category.parent_id is None or category.parent_id in ids for category in categories)
    assert {category.parent_id for category in categories}.isdisjoint(each.id for each in categories if each.is_leaf)


def test_a_private_gateway_is_refused_unless_it_is_allowed(simulator: Simulator, store: Store) -> None:
    https = simulator.url.replace("http://", "https://").replace("127.0.0.1", "localhost")
    for url in (simulator.url.replace("127.0.0.1", "127.0.0.2"), https):
        failure = failure_of(lambda url=url: connector_to(url, store).plan(FULL))  # type: ignore[misc]
        assert isinstance(failure, FatalSourceError)
        assert failure.code in {"url_refused", "address_refused"}


@pytest.mark.parametrize("params", [{}, {"walk": "pages"}, {"walk": "search", "page": 1}])
def test_a_batch_of_another_version_ends_the_job(connector: Alibaba1688Connector, params: dict[str, object]) -> None:
    failure = failure_of(lambda: connector.fetch(BatchSpec(params=params)))
    assert isinstance(failure, FatalSourceError)
    assert failure.code == "invalid_batch"


def test_a_range_that_lies_behind_the_end_is_empty(connector: Alibaba1688Connector) -> None:
    (spec,) = connector.plan(FULL).batches
    beyond = BatchSpec(params=spec.params | {"page": 900, "pages": 2, "open_ended": False})
    assert ids_of(list(connector.fetch(beyond))) == []
