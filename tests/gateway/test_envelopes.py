"""Every API answers in its own spelling (1688 open platform)."""

import re
from typing import Any

import pytest

from devstack.gateway.client import GatewayClient

from .conftest import PRODUCTS, detail, ids_of, page

_DATE = re.compile(r"\d{17}\+0800")


def test_a_listing_page(gateway: GatewayClient) -> None:
    answer = gateway.call("alibaba.product.list.get", needDetail="true").json()
    assert (answer["success"], answer["message"], answer["code"]) == (True, None, None)
    result = answer["result"]["pageResult"]
    assert {key: result[key] for key in ("sizePerPage", "pageIndex", "totalRecords")} == {
        "sizePerPage": 20,
        "pageIndex": 1,
        "totalRecords": PRODUCTS,
    }
    assert len(result["resultList"]) == 20


def test_product_get_has_no_success_flag_and_equals_the_listing_row(gateway: GatewayClient) -> None:
    row = page(gateway, needDetail="true")["resultList"][3]
    answer = detail(gateway, row["productID"])
    assert answer.keys() == {"productInfo", "bizGroupInfos"}
    assert answer["productInfo"] == row


def test_an_unknown_product_is_a_bare_message(gateway: GatewayClient) -> None:
    response = gateway.call("alibaba.product.get", productID="570530812920", webSite="1688")
    assert (response.status_code, response.json()) == (200, {"errMsg": "商品[570530812920]不存在"})


def test_without_detail_the_heavy_fields_are_missing(gateway: GatewayClient) -> None:
    row = page(gateway)["resultList"][0]
    assert not {"description", "attributes", "skuInfos"} & row.keys()
    assert {"productID", "subject", "modifyTime", "status"} <= row.keys()


def test_categories_misspell_success_as_text(gateway: GatewayClient) -> None:
    answer = gateway.call("alibaba.category.get", categoryID="10166").json()
    assert answer["succes"] == "true"
    (women,) = answer["categoryInfo"]
    assert (women["categoryID"], women["name"], women["isLeaf"], women["parentIDs"]) == (10166, "女装", False, [0])
    assert {"id": 1031910, "name": "连衣裙", "isLeaf": True, "categoryType": "1"} in women["childCategorys"]


def test_the_category_tree_has_three_levels_and_many_leaves(gateway: GatewayClient) -> None:
    level, leaves, depth = ["0"], [], 0
    while level:
        rows = [row for number in level for row in _categories(gateway, number)]
        if level != ["0"]:
            leaves += [row["categoryID"] for row in rows if row["isLeaf"]]
            level = [str(child["id"]) for row in rows for child in row["childCategorys"]]
            depth += 1
        else:
            level = [str(row["categoryID"]) for row in rows]
    assert depth == 3
    assert len(set(leaves)) >= 40


def _categories(gateway: GatewayClient, number: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = gateway.call("alibaba.category.get", categoryID=number).json()["categoryInfo"]
    return rows


def test_an_unknown_category_is_refused_in_the_category_envelope(gateway: GatewayClient) -> None:
    answer = gateway.call("alibaba.category.get", categoryID="5").json()
    assert answer["success"] is False
    assert answer["errorMsg"]


def test_products_by_ids_leave_out_unknown_ones(gateway: GatewayClient) -> None:
    first, second = ids_of(page(gateway)["resultList"])[:2]
    answer = gateway.call("alibaba.product.getByIdList", productIdList=f"[{second},1,{first}]").json()
    assert answer["success"] is True
    assert ids_of(answer["productList"]) == [second, first]


def test_more_than_twenty_ids_are_an_error(gateway: GatewayClient) -> None:
    answer = gateway.call("alibaba.product.getByIdList", productIdList=str(list(range(21)))).json()
    assert answer["success"] is False
    assert "20" in answer["message"]


def test_cross_detail_needs_a_relation_for_some_products(gateway: GatewayClient) -> None:
    ids = [each for number in "12345" for each in ids_of(page(gateway, pageNo=number)["resultList"])]
    answers = [gateway.call("alibaba.cross.productInfo", productId=str(each)).json() for each in ids]
    refused = [answer for answer in answers if not answer["success"]]
    assert refused == [{"success": False, "message": "没有该商品的查询权限"}] * 2
    assert answers[0]["productInfo"]["productID"] == ids[0]


@pytest.mark.parametrize("condition", ["subjectKey", "priceStart"])
def test_a_condition_the_simulator_does_not_know_is_refused_not_ignored(gateway: GatewayClient, condition: str) -> None:
    answer = gateway.call("alibaba.product.list.get", **{condition: "1"}).json()
    assert (answer["success"], answer["code"]) == (False, "CONDITION_UNSUPPORTED")


def test_field_shapes(gateway: GatewayClient) -> None:
    for row in page(gateway, needDetail="true")["resultList"]:
        assert isinstance(row["productID"], int)
        assert len(str(row["productID"])) == 12
        assert isinstance(row["bookedCount"], str)
        assert isinstance(row["mainVedio"], str)
        assert all(image.startswith("img/ibank/") for image in row["image"]["images"])
        assert all(_DATE.fullmatch(row[name]) for name in ("createTime", "modifyTime", "lastUpdateTime", "expireTime"))
        assert row["createTime"] < row["approvedTime"] < row["modifyTime"]
