"""What an operator is told about a source."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from devstack.gateway.client import GatewayClient as Simulator
from syncjobs.connectors.alibaba1688.checking import PROBED
from syncjobs.engine.contracts import ApiCheck, CheckReport
from tests.connectors.alibaba1688.support import Store, connector_to, credentials_of, http_answer, serving


def report_of(simulator: Simulator, **changes: Any) -> CheckReport:
    return connector_to(simulator.url, Store(credentials_of(simulator, **changes))).check()


def failures(report: CheckReport) -> list[ApiCheck]:
    found = [check for check in report.checks if not check.ok]
    assert all(check.message and check.action for check in found)
    assert report.ok == (not found)
    return found


def test_a_good_source_is_good_in_every_line(simulator: Simulator) -> None:
    ends = datetime.now(UTC) + timedelta(days=90, hours=1)
    report = report_of(simulator, refresh_expires_at=ends)
    assert failures(report) == []
    assert [check.name for check in report.checks] == ["currentTime", *(api.name for api in PROBED), "authorisation"]
    assert "90" in report.checks[-1].message
    assert report.latency_ms
    assert report.latency_ms > 0


@pytest.mark.parametrize("api", ["alibaba.product.list.get", "alibaba.product.get", "alibaba.category.get"])
def test_a_missing_permission_names_what_to_apply_for_and_the_rest_is_checked(simulator: Simulator, api: str) -> None:
    simulator.control("limits", deny=api)
    report = report_of(simulator)
    (failure,) = failures(report)
    assert (failure.name, failure.code) == (api, "api_not_granted")
    assert api in failure.action
    assert len(report.checks) == len(PROBED) + 2


def test_a_source_works_without_lists_of_products_and_says_how(simulator: Simulator) -> None:
    simulator.control("limits", deny="alibaba.product.getByIdList")
    report = report_of(simulator)
    assert report.ok
    assert [check.code for check in report.checks if check.action] == ["api_not_granted"]


@pytest.mark.parametrize(
    ("changes", "code"), [({"app_secret": "wrong"}, "signature_invalid"), ({"app_key": "404"}, "app_key_unknown")]
)
def test_a_wrong_key_or_secret_stops_the_check(simulator: Simulator, changes: dict[str, str], code: str) -> None:
    report = report_of(simulator, **changes)
    assert [check.code for check in failures(report)] == [code]
    assert len(report.checks) == 1
    assert report.latency_ms is None


def test_an_expired_token_is_renewed_by_the_check(simulator: Simulator) -> None:
    simulator.control("expire_tokens", refresh=False)
    assert failures(report_of(simulator)) == []


def test_a_lost_authorisation_is_told(simulator: Simulator) -> None:
    simulator.control("expire_tokens", refresh=True)
    (failure,) = failures(report_of(simulator))
    assert failure.code == "needs_authorization"


@pytest.mark.parametrize(("days", "ok", "warns"), [(30, True, False), (3, True, True), (-1, False, True)])
def test_the_end_of_the_authorisation_is_announced(simulator: Simulator, days: int, ok: bool, warns: bool) -> None:
    line = report_of(simulator, refresh_expires_at=datetime.now(UTC) + timedelta(days=days, hours=1)).checks[-1]
    assert (line.name, line.ok, bool(line.action)) == ("authorisation", ok, warns)


def test_a_used_up_quota_is_told(simulator: Simulator) -> None:
    simulator.control("limits", daily=1)
    (failure,) = failures(report_of(simulator))
    assert failure.code == "quota_exhausted"


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
