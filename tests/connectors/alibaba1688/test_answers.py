"""The platform's envelopes and the many ways in which they refuse."""

from typing import Any

import msgspec
import pytest

from syncjobs.connectors.alibaba1688.answers import Answer, ListAnswer, ProductAnswer, decode
from syncjobs.connectors.alibaba1688.failures import BusinessError


def answer(body: Any) -> Answer:
    return decode(msgspec.json.encode(body), Answer)


@pytest.mark.parametrize(
    ("body", "refusal"),
    [
        ({"errMsg": "商品[681234500001]不存在"}, ("", "商品[681234500001]不存在")),
        ({"success": False, "message": "没有该商品的查询权限"}, ("", "没有该商品的查询权限")),
        ({"success": "false", "code": "SP0056", "message": "商品不存在"}, ("SP0056", "商品不存在")),
        ({"success": False, "errorCode": "500_2", "errorMsg": "数据准备中"}, ("500_2", "数据准备中")),
        ({"errorCode": "OFFERIDS_IS_NULL"}, ("OFFERIDS_IS_NULL", "")),
        ({"succes": "false"}, ("", "")),
    ],
)
def test_a_refusal_is_found_in_every_spelling(body: Any, refusal: tuple[str, str]) -> None:
    assert answer(body).refusal() == refusal


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"succes": "true", "categoryInfo": []},
        {"success": True, "message": None, "code": None},
        {"success": "true", "code": "S0000", "message": "成功"},
        {"success": True, "code": "200", "message": "成功"},
        {"message": "成功", "errMsg": "", "errorCode": None},
    ],
)
def test_a_good_answer_is_no_refusal(body: Any) -> None:
    assert answer(body).refusal() is None


def test_a_refusal_inside_the_result_is_found() -> None:
    body = msgspec.json.encode({"result": {"success": False, "code": "SP0056", "message": "商品不存在"}})
    result = decode(body, ProductAnswer).result
    assert result
    assert result.refusal() == ("SP0056", "商品不存在")


@pytest.mark.parametrize(
    ("text", "gone"),
    [
        *[("商品[1]不存在", True), ("该商品已下架", True), ("没有该商品的查询权限", False)],
        *[("商品 681234500001 已删除", True), ("已下架", True), ("商品不存在或没有查询权限", False)],
        *[("商品所属店铺不存在", False), ("类目[7]不存在", False), ("用户不存在", False)],
    ],
)
def test_gone_is_told_from_refused(text: str, gone: bool) -> None:
    assert BusinessError("", text).is_gone == gone


def test_one_product_with_half_a_surrogate_pair_does_not_spoil_its_page() -> None:
    body = rb'{"result":{"pageResult":{"resultList":[{"subject":"\ud83d"},{"subject":"ok"}]}}}'
    result = decode(body, ListAnswer).result
    assert result
    assert result.page
    assert list(map(bytes, result.page.items or ())) == [rb'{"subject":"\ufffd"}', b'{"subject":"ok"}']


@pytest.mark.parametrize("body", [b"", b"<html>", b'{"success":tr', b"[]", b"\xff", b"[" * 100_000, b'{"a":' * 100_000])
def test_what_is_no_answer_is_a_value_error(body: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        decode(body, Answer)
