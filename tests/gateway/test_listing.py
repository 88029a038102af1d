"""Filters, orders and pages, judged by a plain look at every row."""

from typing import Any

import pytest

from devstack.gateway.client import GatewayClient

from .conftest import PRODUCTS, ids_of, page, walk

Rows = list[dict[str, Any]]


@pytest.fixture
def rows(gateway: GatewayClient) -> Rows:
    return walk(gateway)


def test_a_walk_sees_every_product_once_in_ascending_order(rows: Rows) -> None:
    ids = ids_of(rows)
    assert len(ids) == PRODUCTS
    assert ids == sorted(set(ids))


def test_the_page_size_is_clamped(gateway: GatewayClient) -> None:
    assert page(gateway, pageSize="500")["sizePerPage"] == 20
    assert len(page(gateway, pageSize="500")["resultList"]) == 20
    assert len(page(gateway, pageSize="7")["resultList"]) == 7
    assert page(gateway, pageSize="0")["sizePerPage"] == 1


def test_a_page_past_the_end_is_empty(gateway: GatewayClient) -> None:
    result = page(gateway, pageNo="51")
    assert (result["resultList"], result["totalRecords"]) == ([], PRODUCTS)


@pytest.mark.parametrize("text", ['["published"]', '["PUBLISHED"]', "PUBLISHED", '["TBD","expired"]', "tbd,Expired"])
def test_status_filter(gateway: GatewayClient, rows: Rows, text: str) -> None:
    wanted = {"published"} if "PUBLISHED" in text.upper() else {"TBD", "expired"}
    expected = [row["productID"] for row in rows if row["status"] in wanted]
    assert expected
    assert ids_of(walk(gateway, statusList=text)) == expected


def test_most_products_are_published_and_some_expired(rows: Rows) -> None:
    statuses = [row["status"] for row in rows]
    assert 0.95 < statuses.count("published") / len(rows) < 0.99
    assert {"expired", "auditing"} <= set(statuses)


@pytest.mark.parametrize("category", [1031910, 201128501, 10166])
def test_category_filter_takes_leaf_middle_and_top(gateway: GatewayClient, rows: Rows, category: int) -> None:
    leaves = _leaves(gateway, category)
    expected = [row["productID"] for row in rows if row["categoryID"] in leaves]
    assert expected
    assert ids_of(walk(gateway, categoryId=str(category))) == expected


def _leaves(gateway: GatewayClient, category: int) -> set[int]:
    (row,) = gateway.call("alibaba.category.get", categoryID=str(category)).json()["categoryInfo"]
    if row["isLeaf"]:
        return {category}
    return set().union(*(_leaves(gateway, child["id"]) for child in row["childCategorys"]))


def test_an_unknown_category_has_no_products(gateway: GatewayClient) -> None:
    assert page(gateway, categoryId="5")["totalRecords"] == 0


def test_modification_window_includes_both_ends(gateway: GatewayClient, rows: Rows) -> None:
    times = sorted(row["modifyTime"] for row in rows)
    start, end = times[250], times[750]
    expected = [row["productID"] for row in rows if start <= row["modifyTime"] <= end]
    assert ids_of(walk(gateway, startModifyTime=start, endModifyTime=end)) == expected
    assert len(expected) == 501


def test_a_window_in_another_zone_is_the_same_moment(gateway: GatewayClient) -> None:
    china = page(gateway, startModifyTime="20250601080000000+0800")["totalRecords"]
    assert 0 < china < PRODUCTS
    assert page(gateway, startModifyTime="20250601000000+0000")["totalRecords"] == china
    assert page(gateway, startModifyTime="20250601080000")["totalRecords"] == china


def test_a_date_that_is_none_is_refused(gateway: GatewayClient) -> None:
    response = gateway.call("alibaba.product.list.get", startModifyTime="2025-06-01")
    assert response.json()["error_code"] == "gw.ParamInvalid"


def test_order_by_modification_time(gateway: GatewayClient, rows: Rows) -> None:
    gateway.control("mutate", count=30)
    rows = walk(gateway)
    expected = [row["productID"] for row in sorted(rows, key=lambda row: (row["modifyTime"], row["productID"]))]
    assert ids_of(walk(gateway, orderByCondition="MODIFY_DATE", orderByType="ASC")) == expected
    assert ids_of(walk(gateway, orderByCondition="MODIFY_DATE", orderByType="DESC")) == expected[::-1]


def test_descending_ids(gateway: GatewayClient, rows: Rows) -> None:
    assert ids_of(walk(gateway, orderByCondition="ID", orderByType="DESC")) == ids_of(rows)[::-1]


def test_an_unknown_order_is_refused(gateway: GatewayClient) -> None:
    assert gateway.call("alibaba.product.list.get", orderByCondition="PRICE").json()["success"] is False


def test_product_ids_filter_joins_the_other_conditions(gateway: GatewayClient, rows: Rows) -> None:
    published = next(row["productID"] for row in rows if row["status"] == "published")
    expired = next(row["productID"] for row in rows if row["status"] == "expired")
    both = f"[{expired},{published},1]"
    assert ids_of(page(gateway, productIds=both)["resultList"]) == sorted([published, expired])
    assert ids_of(page(gateway, productIds=both, statusList="published")["resultList"]) == [published]
    assert page(gateway, productIds=both)["totalRecords"] == 2
