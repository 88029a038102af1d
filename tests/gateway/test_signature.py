"""The simulator's own verifier against the published vectors (1688 open platform, signature rules)."""

import pytest

from devstack.gateway.auth import SIGNATURE, signature
from devstack.gateway.client import GatewayClient

_STAMP = {"_aop_timestamp": "1763471348000"}
_VECTORS = [
    (
        "test123",
        "param2/1/system/currentTime/1000000",
        {"a": "1", "b": "2"},
        "33E54F4F7B989E3E0E912D3FBD2F1A03CA7CCE88",
    ),
    (
        "test123",
        "param2/1/com.alibaba.product/alibaba.product.get/1000000",
        _STAMP
        | {"access_token": "f14da3b8-b0b1-4f73-a5de-9bed637e0188", "productID": "584051070147", "webSite": "1688"},
        "641016C6E6769D2BCC92A3D2746B8050183D332E",
    ),
    (
        "test123",
        "param2/1/com.alibaba.fenxiao.crossborder/product.search.keywordQuery/1000000",
        _STAMP
        | {
            "access_token": "tok",
            "offerQueryParam": '{"keyword":"连衣裙","beginPage":1,"pageSize":20,"country":"en"}',
        },
        "92963822321464F69332046CF6B6D48E61495AA9",
    ),
    (
        "test123",
        "param2/1/ns/api/1000000",
        {"page": "zzz", "pageSize": "20"},
        "D8F1D0FA8107E6958D0FD9897D85ED44BD9DECF9",
    ),
    (
        "test123",
        "param2/1/com.alibaba.product/alibaba.product.list.get/1000000",
        _STAMP
        | {
            "access_token": "tok",
            "needDetail": "true",
            "pageNo": "1",
            "pageSize": "20",
            "startModifyTime": "20251118000000000+0800",
            "statusList": '["published"]',
        },
        "0B258B55DBF725E05269D09B8B208F940A75A1B1",
    ),
    (
        "UNIT-TEST-SECRET",
        "param2/1/system/currentTime/TEST_APPKEY_0001",
        {"_aop_timestamp": "1700000000000", "access_token": "UNIT-TEST-TOKEN-abc123", "productId": "694567890123"},
        "75CD0EB77C5DCB393BD2C2E4DB4CE09849780EC9",
    ),
]


@pytest.mark.parametrize(("secret", "path", "params", "expected"), _VECTORS, ids="ABCDEH")
def test_published_vectors_are_reproduced(secret: str, path: str, params: dict[str, str], expected: str) -> None:
    assert signature(secret, path, params) == expected


def test_the_signature_itself_takes_no_part() -> None:
    assert signature("s", "p", {"a": "1", SIGNATURE: "X"}) == signature("s", "p", {"a": "1"})


@pytest.mark.parametrize("method", ["POST", "GET"])
def test_the_published_example_is_accepted_as_form_and_as_query(gateway: GatewayClient, method: str) -> None:
    params = {"a": "1", "b": "2", SIGNATURE: "33E54F4F7B989E3E0E912D3FBD2F1A03CA7CCE88"}
    response = gateway.send("param2/1/system/currentTime/1000000", params, method=method)
    assert response.status_code == 200
    assert response.json()["result"].endswith("+0800")


def test_chinese_values_are_signed_unencoded(gateway: GatewayClient) -> None:
    assert gateway.call("currentTime", access_token="", keyword="连衣裙 & ＡＢ+%20").status_code == 200


def test_a_changed_value_breaks_the_signature(gateway: GatewayClient) -> None:
    params = {"a": "1", "b": "3", SIGNATURE: "33E54F4F7B989E3E0E912D3FBD2F1A03CA7CCE88"}
    response = gateway.send("param2/1/system/currentTime/1000000", params)
    assert (response.status_code, response.json()["error_code"]) == (400, "gw.SignatureInvalid")


def test_keys_sorted_instead_of_whole_strings_are_refused(gateway: GatewayClient) -> None:
    path = "param2/1/system/currentTime/1000000"
    by_key = signature("test123", path + "pagezzzpageSize20", {})
    response = gateway.send(path, {"page": "zzz", "pageSize": "20", SIGNATURE: by_key})
    assert response.json()["error_code"] == "gw.SignatureInvalid"
