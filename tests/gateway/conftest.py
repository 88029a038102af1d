"""One simulator for each test module, back at its seed before every test."""

from collections.abc import Iterator
from typing import Any

import pytest

from devstack.gateway.client import GatewayClient, running_gateway

PRODUCTS = 1000
Page = dict[str, Any]


@pytest.fixture(scope="module")
def running() -> Iterator[GatewayClient]:
    with running_gateway(products=PRODUCTS, seed=7) as gateway:
        yield gateway


@pytest.fixture
def gateway(running: GatewayClient) -> GatewayClient:
    running.control("reset", products=PRODUCTS)
    return running


def page(gateway: GatewayClient, **params: str) -> Page:
    """One page of alibaba.product.list.get."""
    result: Page = gateway.call("alibaba.product.list.get", **params).json()["result"]["pageResult"]
    return result


def walk(gateway: GatewayClient, **params: str) -> list[dict[str, Any]]:
    """Every row of a listing, page after page until a short one."""
    rows: list[dict[str, Any]] = []
    while True:
        part = page(gateway, **params, pageNo=str(len(rows) // 20 + 1))["resultList"]
        rows += part
        if len(part) < 20:
            return rows


def ids_of(rows: list[dict[str, Any]]) -> list[int]:
    """The product ids of rows."""
    return [row["productID"] for row in rows]


def detail(gateway: GatewayClient, product_id: int) -> dict[str, Any]:
    """The whole answer of alibaba.product.get."""
    answer: dict[str, Any] = gateway.call("alibaba.product.get", productID=str(product_id), webSite="1688").json()
    return answer
