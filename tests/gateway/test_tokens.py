"""Access tokens expire, refresh tokens renew them, codes work once (1688 open platform, tokens)."""

import httpx
import pytest

from devstack.gateway.client import GatewayClient

_LIST = "alibaba.product.list.get"
_TEN_HOURS = 36_000


def _token_call(
    gateway: GatewayClient, protocol: str = "http/1", method: str = "POST", **changes: str
) -> httpx.Response:
    params = {
        "grant_type": "refresh_token",
        "client_id": gateway.app_key,
        "client_secret": gateway.app_secret,
        "refresh_token": gateway.refresh_token,
    }
    path = f"{protocol}/system.oauth2/getToken/{gateway.app_key}"
    return gateway.send(path, params | changes, method=method)


@pytest.mark.parametrize("protocol", ["http/1", "param2/1"])
def test_a_refresh_answers_a_new_token_but_no_refresh_token(gateway: GatewayClient, protocol: str) -> None:
    answer = _token_call(gateway, protocol).json()
    assert answer.keys() == {"aliId", "resource_owner", "memberId", "expires_in", "access_token"}
    assert answer["expires_in"] in ("36000", "35999")
    assert answer["access_token"] != gateway.access_token
    assert gateway.call(_LIST, access_token=answer["access_token"]).status_code == 200


def test_old_and_new_tokens_work_side_by_side_until_each_expires(gateway: GatewayClient) -> None:
    gateway.control("clock", advance=_TEN_HOURS - 60)
    second = _token_call(gateway).json()["access_token"]
    assert gateway.call(_LIST).status_code == 200
    gateway.control("clock", advance=120)
    assert gateway.call(_LIST).status_code == 401
    assert gateway.call(_LIST, access_token=second).status_code == 200


def test_tokens_expire_at_will(gateway: GatewayClient) -> None:
    gateway.control("expire_tokens")
    assert gateway.call(_LIST).json()["error_code"] == "401"
    fresh = _token_call(gateway).json()["access_token"]
    assert gateway.call(_LIST, access_token=fresh).status_code == 200


def test_a_dead_refresh_token_is_http_400(gateway: GatewayClient) -> None:
    assert _token_call(gateway, refresh_token="made-up").status_code == 400
    gateway.control("expire_tokens", refresh=1)
    assert _token_call(gateway).status_code == 400


def test_a_refresh_token_dies_after_half_a_year(gateway: GatewayClient) -> None:
    gateway.control("clock", advance=183 * 86_400)
    assert _token_call(gateway).status_code == 400


def test_a_code_is_exchanged_once(gateway: GatewayClient) -> None:
    code = gateway.control("code")["code"]
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": "http://x", "need_refresh_token": "true"}
    answer = _token_call(gateway, **form).json()
    assert answer["refresh_token_timeout"].endswith("+0800")
    assert _token_call(gateway, refresh_token=answer["refresh_token"]).status_code == 200
    assert _token_call(gateway, **form).status_code == 400


def test_a_code_lives_two_minutes(gateway: GatewayClient) -> None:
    code = gateway.control("code")["code"]
    gateway.control("clock", advance=121)
    response = _token_call(gateway, grant_type="authorization_code", code=code, redirect_uri="http://x")
    assert response.status_code == 400


def test_a_wrong_secret_and_a_get_are_refused(gateway: GatewayClient) -> None:
    assert _token_call(gateway, client_secret="wrong").status_code == 400
    assert _token_call(gateway, method="GET").status_code == 405
    assert _token_call(gateway, grant_type="password").json()["error_code"] == "gw.ParamInvalid"
    assert _token_call(gateway, refresh_token="").json()["error_message"] == "Required argument refresh_token"
