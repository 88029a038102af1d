"""What an operator is told about a source."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from devstack.gateway.client import GatewayClient as Simulator
from syncjobs.connectors.alibaba1688.checking import EFFECTS
from syncjobs.engine.contracts import ApiCheck, CheckReport
from tests.connectors.alibaba1688.support import Store, connector_to, credentials_of, http_answer, serving

LIST, GET, SEVERAL = "alibaba.product.list.get", "alibaba.product.get", "alibaba.product.getByIdList"
TREE, SEARCH, PULL = "alibaba.category.get", "product.search.keywordQuery", "pool.product.pull"
DETAIL, PUSH = "product.search.queryProductDetail", "alibaba.cross.syncProductListPushed"
INFO, LIST_INFO = "alibaba.cross.productInfo", "alibaba.cross.productList"
OPTIONS: dict[str, dict[str, Any]] = {
    "seller": {},
    "search": {"walk": "search", "search": {"keywords": ["批发"]}},
    "pool": {"walk": "pool", "pool": {"offer_pool_id": 1}},
}


def report_of(simulator: Simulator, walk: str = "seller", details: str = "if_granted", **changes: Any) -> CheckReport:
    store = Store(credentials_of(simulator, **changes))
    return connector_to(simulator.url, store, details=details, **OPTIONS[walk]).check()


def names(report: CheckReport) -> list[str]:
    return [check.name for check in report.checks]


def able(report: CheckReport) -> set[str]:
    return {name for name, works in report.abilities.items() if works}


def failures(report: CheckReport) -> list[ApiCheck]:
    found = [check for check in report.checks if not check.ok]
    assert all(check.message and check.action for check in found)
    assert report.ok == (not found)
    return found


def test_a_good_source_is_good_in_every_line(simulator: Simulator) -> None:
    ends = datetime.now(UTC) + timedelta(days=90, hours=1)
    report = report_of(simulator, refresh_expires_at=ends)
    assert failures(report) == []
    assert names(report) == ["currentTime", TREE, LIST, GET, SEVERAL, "authorisation"]
    assert {check.state for check in report.checks} == {"granted", "valid"}
    assert able(report) == {"walk", "details", "lookups", "tree"}
    assert "90" in report.checks[-1].message
    assert report.latency_ms
    assert report.latency_ms > 0


@pytest.mark.parametrize(
    ("walk", "asked"),
    [("search", [TREE, SEARCH, DETAIL]), ("pool", [TREE, PULL, DETAIL])],
)
def test_a_check_asks_for_what_the_walk_needs_and_for_no_more(
    simulator: Simulator, walk: str, asked: list[str]
) -> None:
    report = report_of(simulator, walk)
    assert failures(report) == []
    assert names(report) == ["currentTime", *asked, "authorisation"]
    assert able(report) == {"walk", "details", "lookups", "tree"}


@pytest.mark.parametrize(("walk", "api"), [("seller", LIST), ("search", SEARCH), ("pool", PULL)])
def test_without_its_listing_a_walk_cannot_run_and_the_rest_is_checked(
    simulator: Simulator, walk: str, api: str
) -> None:
    simulator.control("limits", deny=api)
    report = report_of(simulator, walk)
    (failure,) = failures(report)
    assert (failure.name, failure.code, failure.state) == (api, "api_not_granted", "not_granted")
    assert api in failure.action
    assert "walk" not in able(report)
    assert names(report)[-1] == "authorisation"


@pytest.mark.parametrize(
    ("api", "effect", "lost"),
    [(TREE, "no_tree", {"tree"}), (GET, "no_lookups", {"lookups"}), (SEVERAL, "slow_lookups", set[str]())],
)
def test_what_a_walk_can_do_without_is_told_with_what_is_lost(
    simulator: Simulator, api: str, effect: str, lost: set[str]
) -> None:
    simulator.control("limits", deny=api)
    report = report_of(simulator)
    (line,) = [check for check in report.checks if check.state == "not_granted"]
    assert report.ok
    assert (line.name, line.effect, line.ok) == (api, effect, True)
    assert line.action
    assert EFFECTS[effect] in line.message
    assert {"walk", "details", "lookups", "tree"} - able(report) == lost


def test_without_the_detail_call_the_way_by_relation_is_checked(simulator: Simulator) -> None:
    simulator.control("limits", deny=DETAIL)
    for walk in ("search", "pool"):
        report = report_of(simulator, walk)
        assert report.ok
        assert names(report)[3:-1] == [DETAIL, PUSH, INFO, LIST_INFO]
        assert [check.effect for check in report.checks if check.state == "not_granted"] == ["other_way"]
        assert "details" in able(report)


def test_without_any_way_to_details_a_search_has_rows_and_a_pool_nothing(simulator: Simulator) -> None:
    simulator.control("limits", deny=f"{DETAIL},{INFO}")
    search, pool, strict = (
        report_of(simulator, "search"),
        report_of(simulator, "pool"),
        report_of(simulator, "search", "required"),
    )
    assert search.ok
    assert able(search) == {"walk", "tree"}
    for report in (pool, strict):
        assert {check.name for check in failures(report)} == {DETAIL, INFO}
        assert able(report) == {"tree"}


def test_rows_that_were_chosen_need_no_details(simulator: Simulator) -> None:
    report = report_of(simulator, "search", "never")
    assert report.ok
    assert names(report) == ["currentTime", TREE, SEARCH, "authorisation"]


def test_a_name_the_gateway_does_not_know_is_told_apart_from_a_missing_permission(simulator: Simulator) -> None:
    time = http_answer(b'{"result":"20260301120000000+0800"}')
    unknown = http_answer(b'{"error_code":"gw.APIUnsupported","error_message":"Unsupported API"}', "400 Bad Request")
    with serving(time, unknown) as (url, _):
        report = connector_to(url, Store(credentials_of(simulator))).check()
    assert {check.state for check in report.checks[1:-1]} == {"wrong_name"}
    assert not report.ok


@pytest.mark.parametrize(
    ("changes", "code"), [({"app_secret": "wrong"}, "signature_invalid"), ({"app_key": "404"}, "app_key_unknown")]
)
def test_a_wrong_key_or_secret_stops_the_check(simulator: Simulator, changes: dict[str, str], code: str) -> None:
    report = report_of(simulator, **changes)
    assert [check.code for check in failures(report)] == [code]
    assert len(report.checks) == 1
    assert failures(report)[0].state in {"secret_wrong", "app_key_wrong"}
    assert able(report) == set()
    assert report.latency_ms is None


def test_an_expired_token_is_renewed_by_the_check(simulator: Simulator) -> None:
    simulator.control("expire_tokens", refresh=False)
    assert failures(report_of(simulator)) == []


def test_a_lost_authorisation_is_told(simulator: Simulator) -> None:
    simulator.control("expire_tokens", refresh=True)
    report = report_of(simulator)
    (failure,) = failures(report)
    assert (failure.code, failure.state) == ("needs_authorization", "token_refused")
    # The tree needs no token; of the rest nothing can be said.
    assert able(report) == {"tree"}


@pytest.mark.parametrize(("days", "ok", "warns"), [(30, True, False), (3, True, True), (-1, False, True)])
def test_the_end_of_the_authorisation_is_announced(simulator: Simulator, days: int, ok: bool, warns: bool) -> None:
    line = report_of(simulator, refresh_expires_at=datetime.now(UTC) + timedelta(days=days, hours=1)).checks[-1]
    assert (line.name, line.ok, bool(line.action)) == ("authorisation", ok, warns)


def test_a_used_up_quota_is_told(simulator: Simulator) -> None:
    simulator.control("limits", daily=1)
    (failure,) = failures(report_of(simulator))
    assert (failure.code, failure.state) == ("quota_exhausted", "quota_used_up")


@pytest.mark.parametrize(
    "answer",
    [b"", http_answer(b"<html>"), http_answer(b"{}"), http_answer(b'{"error_code":"gw.New"}', "400 Bad Request")],
)
def test_what_is_no_gateway_is_not_taken_for_one(simulator: Simulator, answer: bytes) -> None:
    with serving(answer) as (url, _):
        report = connector_to(url, Store(credentials_of(simulator))).check()
    assert len(failures(report)) == len(report.checks) == 1


def test_a_code_nobody_knows_is_no_permission(simulator: Simulator) -> None:
    time = http_answer(b'{"result":"20260301120000000+0800"}')
    with serving(time, http_answer(b'{"error_code":"gw.New"}', "400 Bad Request")) as (url, _):
        report = connector_to(url, Store(credentials_of(simulator))).check()
    assert [check.code for check in failures(report)] == ["gateway_refused"]


def test_nobody_there_is_told_without_an_error(simulator: Simulator) -> None:
    with serving(b"") as (url, _):
        pass
    (failure,) = failures(connector_to(url, Store(credentials_of(simulator))).check())
    assert failure.code == "connection_failed"
