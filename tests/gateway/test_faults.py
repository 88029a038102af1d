"""Each kind of fault is visible, as often and where its rule says."""

import httpx
import pytest

from devstack.gateway.client import ControlError, GatewayClient

from .conftest import PRODUCTS, detail, ids_of, page, walk

_LIST = "alibaba.product.list.get"


def _rule(kind: str, **more: object) -> dict[str, object]:
    return {"kind": kind, "api": _LIST, **more}


@pytest.mark.parametrize(("kind", "status"), [("http_500", 500), ("http_502", 502), ("html_body", 200)])
def test_html_instead_of_json(gateway: GatewayClient, kind: str, status: int) -> None:
    gateway.faults(_rule(kind))
    response = gateway.call(_LIST)
    assert response.status_code == status
    assert response.headers["content-type"].startswith("text/html")
    assert gateway.call("currentTime").status_code == 200
    gateway.clear_faults()
    assert gateway.call(_LIST).json()["success"] is True


def test_another_status_may_be_asked_for(gateway: GatewayClient) -> None:
    gateway.faults(_rule("html_body", status=503))
    assert gateway.call(_LIST).status_code == 503


def test_truncated_json_is_a_whole_http_answer(gateway: GatewayClient) -> None:
    gateway.faults(_rule("truncated_json"))
    response = gateway.call(_LIST)
    assert response.status_code == 200
    with pytest.raises(ValueError, match=r"."):
        response.json()


@pytest.mark.parametrize("more", [{}, {"partial": True}])
def test_a_cut_connection(gateway: GatewayClient, more: dict[str, object]) -> None:
    gateway.faults(_rule("reset", **more))
    with pytest.raises(httpx.TransportError):
        gateway.call(_LIST)
    assert gateway.call("currentTime").status_code == 200


def test_slow_answers_come_late_and_timeouts_not_at_all(gateway: GatewayClient) -> None:
    gateway.faults(_rule("slow", seconds=0.2, count=1), _rule("timeout", seconds=0.2, after=1, count=1))
    response = gateway.call(_LIST)
    assert response.status_code == 200
    assert response.elapsed.total_seconds() >= 0.2
    with pytest.raises(httpx.RemoteProtocolError):
        gateway.call(_LIST)
    assert gateway.call(_LIST).status_code == 200


@pytest.mark.parametrize(
    ("kind", "status", "code"), [("qps", 400, "gw.QosAppFrequencyLimit"), ("expired_token", 401, "401")]
)
def test_gateway_refusals(gateway: GatewayClient, kind: str, status: int, code: str) -> None:
    gateway.faults({"kind": kind})
    response = gateway.call(_LIST)
    assert (response.status_code, response.json()["error_code"]) == (status, code)


def test_public_apis_do_not_mind_an_expired_token(gateway: GatewayClient) -> None:
    gateway.faults({"kind": "expired_token"})
    assert gateway.call("currentTime").status_code == 200


def test_data_still_loading(gateway: GatewayClient) -> None:
    gateway.faults({"kind": "biz_500_2", "api": "alibaba.category.get", "count": 1})
    response = gateway.call("alibaba.category.get", categoryID="0")
    assert response.status_code == 200
    assert response.json() == {"success": False, "errorCode": "500_2", "errorMsg": "数据准备中，请稍后重试"}
    assert gateway.call("alibaba.category.get", categoryID="0").json()["succes"] == "true"


def test_every_after_and_count_choose_the_calls(gateway: GatewayClient) -> None:
    gateway.faults(_rule("http_500", every=3, after=1, count=2))
    statuses = [gateway.call(_LIST).status_code for _ in range(12)]
    assert [number for number, status in enumerate(statuses, 1) if status == 500] == [4, 7]
    (rule,) = gateway.control("faults")["rules"]
    assert (rule["seen"], rule["fired"]) == (12, 2)


def test_a_share_of_calls_is_the_same_share_after_a_reset(gateway: GatewayClient) -> None:
    def run() -> list[int]:
        gateway.control("reset")
        gateway.faults(_rule("http_500", share=0.3))
        return [gateway.call(_LIST).status_code for _ in range(40)]

    statuses = run()
    assert 2 < statuses.count(500) < 25
    assert run() == statuses


def test_null_lists(gateway: GatewayClient) -> None:
    gateway.faults(_rule("null_lists"))
    row = page(gateway, needDetail="true")["resultList"][0]
    assert row["attributes"] is None
    assert row["extendInfos"] is None


def test_extra_fields(gateway: GatewayClient) -> None:
    plain = page(gateway, needDetail="true")["resultList"][0]
    gateway.faults(_rule("extra_fields"))
    row = page(gateway, needDetail="true")["resultList"][0]
    assert row.keys() > plain.keys()


def test_wrong_types(gateway: GatewayClient) -> None:
    gateway.faults(_rule("wrong_types"))
    row = page(gateway, needDetail="true")["resultList"][0]
    assert isinstance(row["productID"], str)
    assert isinstance(row["bookedCount"], int)
    assert isinstance(row["saleInfo"]["amountOnSale"], str)


def test_bad_records_by_id_everywhere(gateway: GatewayClient) -> None:
    bad, good = ids_of(page(gateway)["resultList"])[:2]
    gateway.faults({"kind": "bad_record", "ids": [bad]})
    rows = page(gateway, needDetail="true")["resultList"]
    assert [row["productID"] for row in rows if row["subject"] is None] == [bad]
    spoilt = detail(gateway, bad)["productInfo"]
    assert spoilt["saleInfo"]["priceRanges"] == [{"startQuantity": 1, "price": "价格面议"}]
    assert detail(gateway, good)["productInfo"]["subject"]


def test_bad_records_by_share_are_always_the_same(gateway: GatewayClient) -> None:
    gateway.faults(_rule("bad_record", share=0.02))
    bad = [row["productID"] for row in walk(gateway) if row["subject"] is None]
    assert 5 < len(bad) < 45
    assert [row["productID"] for row in walk(gateway) if row["subject"] is None] == bad


def test_listed_products_whose_detail_is_gone(gateway: GatewayClient) -> None:
    gone = ids_of(page(gateway)["resultList"])[0]
    gateway.faults({"kind": "gone_in_detail", "ids": [gone]})
    assert gone in ids_of(page(gateway)["resultList"])
    assert detail(gateway, gone) == {"errMsg": f"商品[{gone}]不存在"}
    assert gateway.call("alibaba.product.getByIdList", productIdList=f"[{gone}]").json()["productList"] == []


def test_duplicate_rows_begin_the_next_page_and_lose_nothing(gateway: GatewayClient) -> None:
    everything = ids_of(walk(gateway))
    gateway.faults(_rule("duplicate_rows", every=2))
    first, second, third = (ids_of(page(gateway, pageNo=number)["resultList"]) for number in "123")
    assert not set(first) & set(second)
    assert third[0] == second[-1]
    walked = ids_of(walk(gateway))
    assert sorted(set(walked)) == everything
    assert len(walked) == page(gateway)["totalRecords"] > PRODUCTS


def test_a_page_shift_loses_rows(gateway: GatewayClient) -> None:
    everything = ids_of(walk(gateway))
    gateway.faults(_rule("page_shift", rows=3, after=2))
    walked = ids_of(walk(gateway))
    assert walked == everything[:40] + everything[43:]
    assert page(gateway)["totalRecords"] == PRODUCTS


@pytest.mark.parametrize(
    "rule", [{"kind": "meteor"}, {"kind": "qps", "evry": 2}, {"kind": "qps", "every": 0}, {"kind": "qps", "share": 3}]
)
def test_rules_with_mistakes_are_refused(gateway: GatewayClient, rule: dict[str, object]) -> None:
    with pytest.raises(ControlError):
        gateway.faults(rule)
    assert gateway.control("faults") == {"rules": []}
