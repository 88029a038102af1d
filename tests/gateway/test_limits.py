"""Calls a second, calls a day, permissions."""

import pytest

from devstack.gateway import limits
from devstack.gateway.client import GatewayClient, running_gateway
from devstack.gateway.clock import Clock
from devstack.gateway.errors import GatewayError
from tests.conftest import eventually

_LIST = "alibaba.product.list.get"


def _codes(gateway: GatewayClient, times: int) -> list[str]:
    return [gateway.call(_LIST).json().get("error_code", "ok") for _ in range(times)]


def test_the_day_ends_at_midnight_in_china(gateway: GatewayClient) -> None:
    gateway.control("clock", set="20261101235900", frozen=1)
    gateway.control("limits", daily=3)
    public = [gateway.call("currentTime").json().get("error_code", "ok") for _ in range(4)]
    assert public == ["ok", "ok", "ok", "gw.NoUsageLeftError"]
    gateway.control("clock", advance=61)
    assert gateway.call("currentTime").status_code == 200
    assert gateway.control("limits")["used_today"] == 1


def test_too_many_calls_in_a_second(gateway: GatewayClient) -> None:
    gateway.control("limits", qps=2)
    assert _codes(gateway, 2) == ["ok", "ok"]
    # How many are called within a second is the machine's business.
    eventually(lambda: "gw.QosAppFrequencyLimit" in _codes(gateway, 12))
    gateway.control("limits", qps=0)
    assert _codes(gateway, 3) == ["ok"] * 3


def test_the_second_slides(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [100.0]
    monkeypatch.setattr("devstack.gateway.limits.time.monotonic", lambda: now[0])
    counted = limits.Limits(Clock(), 2, None, [])
    for moment, is_allowed in ((0.0, True), (0.9, True), (0.99, False), (1.0, True), (1.5, False), (1.9, True)):
        now[0] = 100.0 + moment
        if is_allowed:
            counted.check_rate()
        else:
            with pytest.raises(GatewayError):
                counted.check_rate()


def test_refused_calls_do_not_use_up_the_quota(gateway: GatewayClient) -> None:
    gateway.control("limits", daily=1)
    gateway.call(_LIST, access_token="")
    assert _codes(gateway, 2) == ["ok", "gw.NoUsageLeftError"]


def test_a_token_can_be_renewed_when_the_quota_is_used_up(gateway: GatewayClient) -> None:
    gateway.control("limits", daily=1)
    _codes(gateway, 1)
    form = {"grant_type": "refresh_token", "client_id": gateway.app_key, "client_secret": gateway.app_secret}
    path = f"http/1/system.oauth2/getToken/{gateway.app_key}"
    assert gateway.send(path, form | {"refresh_token": gateway.refresh_token}).status_code == 200


def test_denied_apis_are_declined_until_granted(gateway: GatewayClient) -> None:
    gateway.control("limits", deny=[_LIST, "alibaba.product.get"])
    assert _codes(gateway, 1) == ["gw.APIACLDecline"]
    assert gateway.call("alibaba.category.get", categoryID="0").status_code == 200
    gateway.control("limits", deny="")
    assert _codes(gateway, 1) == ["ok"]


def test_limits_from_the_command_line() -> None:
    options = ["--qps=1000", "--daily=2", "--deny=alibaba.product.get", "--clock=20261101120000", "--frozen-clock"]
    with running_gateway(products=10, options=options) as gateway:
        limits = {"qps": 1000, "daily": 2, "deny": ["alibaba.product.get"], "used_today": 0}
        assert gateway.control("limits") == limits
        assert gateway.control("clock")["now"] == "20261101120000000+0800"
        gateway.control("limits", daily=50)
        gateway.control("reset")
        assert gateway.control("limits") == limits
