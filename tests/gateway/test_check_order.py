"""Each refusal, and that an earlier check hides a later one (1688 open platform, error codes)."""

import pytest

from devstack.gateway.client import GatewayClient

_LIST = "alibaba.product.list.get"
_GET = "alibaba.product.get"
_ANY = {"_aop_signature": "0" * 40}


def _error(response: object) -> tuple[int, str, str]:
    body = response.json()  # type: ignore[attr-defined]
    assert body.keys() == {"error_code", "error_message", "exception"}
    return response.status_code, body["error_code"], body["error_message"]  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "path",
    [
        "param2/1/com.alibaba.product/alibaba.product.unknown/1000000",
        "param2/2/com.alibaba.product/alibaba.product.get/1000000",
        "param2/1/com.alibaba.trade/alibaba.product.get/1000000",
        "json/1/com.alibaba.product/alibaba.product.get/1000000",
        "param2/1/com.alibaba.product/alibaba.product.get/1000000/more",
        "param2",
    ],
)
def test_an_unknown_api_comes_before_a_wrong_key_and_signature(gateway: GatewayClient, path: str) -> None:
    assert _error(gateway.send(path, _ANY)) == (400, "gw.APIUnsupported", "Unsupported API")


def test_the_app_key_comes_before_the_signature(gateway: GatewayClient) -> None:
    assert _error(gateway.send("param2/1/system/currentTime/999", _ANY))[1] == "gw.AppKeyNotFound"
    assert _error(gateway.send("param2/1/system/currentTime", _ANY))[1] == "gw.AppKeyMissing"


def test_the_signature_comes_before_the_token(gateway: GatewayClient) -> None:
    path = f"param2/1/com.alibaba.product/{_LIST}/1000000"
    assert _error(gateway.send(path, {}))[:2] == (400, "gw.SignatureMissing")
    assert _error(gateway.send(path, _ANY)) == (400, "gw.SignatureInvalid", "Invalid signature")


def test_the_token_comes_before_the_permission(gateway: GatewayClient) -> None:
    gateway.control("limits", deny=_GET)
    assert _error(gateway.call(_GET, access_token="")) == (401, "401", "Request need user authorized")
    assert _error(gateway.call(_GET, access_token="made-up"))[0] == 401


def test_the_permission_comes_before_the_parameters(gateway: GatewayClient) -> None:
    gateway.control("limits", deny=_GET)
    assert _error(gateway.call(_GET)) == (400, "gw.APIACLDecline", "AppKey is not allowed(acl)")


@pytest.mark.parametrize(
    ("api", "missing"),
    [
        (_GET, "productID"),
        ("alibaba.cross.productInfo", "productId"),
        ("alibaba.product.getByIdList", "productIdList"),
        ("alibaba.category.get", "categoryID"),
    ],
)
def test_an_empty_signed_call_names_the_missing_parameter(gateway: GatewayClient, api: str, missing: str) -> None:
    assert _error(gateway.call(api)) == (400, "gw.ParamMissing", f"Required argument {missing}")


def test_web_site_is_required_with_a_product(gateway: GatewayClient) -> None:
    assert _error(gateway.call(_GET, productID="1"))[2] == "Required argument webSite"


def test_parameters_come_before_business(gateway: GatewayClient) -> None:
    assert _error(gateway.call(_GET, productID="not-a-number", webSite="1688"))[1] == "gw.ParamInvalid"


@pytest.mark.parametrize("api", ["currentTime", "alibaba.category.get"])
def test_a_fake_token_on_a_public_api_is_ignored(gateway: GatewayClient, api: str) -> None:
    assert gateway.call(api, access_token="made-up", categoryID="0").status_code == 200


def test_other_paths_do_not_exist(gateway: GatewayClient) -> None:
    assert gateway.send("../api/param2/1/system/currentTime/1000000", {}).status_code == 404
