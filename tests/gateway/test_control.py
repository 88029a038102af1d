"""The control plane: change the catalogue, the clock, the listings; read the record of calls."""

import pytest

from devstack.gateway.client import ControlError, GatewayClient

from .conftest import PRODUCTS, detail, ids_of, page, walk


def test_mutated_products_and_only_they_are_new_since_the_mutation(gateway: GatewayClient) -> None:
    before = {row["productID"]: row for row in walk(gateway, needDetail="true")}
    answer = gateway.control("mutate", share=0.05)
    assert answer["count"] == len(answer["ids"]) == PRODUCTS * 0.05
    assert sum(answer["kinds"].values()) == answer["count"]
    after = {row["productID"]: row for row in walk(gateway, needDetail="true")}
    assert [each for each in before if before[each] != after[each]] == answer["ids"]
    assert ids_of(walk(gateway, startModifyTime=answer["modify_time"])) == answer["ids"]


@pytest.mark.parametrize(
    ("kind", "field"),
    [
        ("price", "saleInfo skuInfos"),
        ("stock", "saleInfo"),
        ("status", "status"),
        ("title", "subject"),
        ("sku_add", "skuInfos"),
        ("sku_remove", "skuInfos"),
        ("category", "categoryID"),
    ],
)
def test_each_kind_of_change_changes_its_field(gateway: GatewayClient, kind: str, field: str) -> None:
    before = {row["productID"]: row for row in walk(gateway, needDetail="true")}
    changed = gateway.control("mutate", count=20, kinds=kind)["changed"][kind]
    for each in changed:
        after = detail(gateway, each)["productInfo"]
        assert any(after[name] != before[each][name] for name in field.split())


def test_a_moved_product_changes_listings(gateway: GatewayClient) -> None:
    row = page(gateway, categoryId="1031910")["resultList"][0]
    gateway.control("mutate", ids=[row["productID"]], kinds="category")
    moved = detail(gateway, row["productID"])["productInfo"]["categoryID"]
    assert row["productID"] not in ids_of(walk(gateway, categoryId="1031910"))
    assert row["productID"] in ids_of(walk(gateway, categoryId=str(moved)))
    assert row["productID"] in ids_of(walk(gateway, categoryId="10166"))


def test_the_same_calls_choose_the_same_products(gateway: GatewayClient) -> None:
    first = [gateway.control("mutate", count=9)["changed"], gateway.control("delist", count=9)["ids"]]
    assert gateway.control("mutate", count=9)["changed"] != first[0]
    gateway.control("reset")
    assert [gateway.control("mutate", count=9)["changed"], gateway.control("delist", count=9)["ids"]] == first


def test_with_a_standing_clock_the_same_calls_give_the_same_bytes(gateway: GatewayClient) -> None:
    def run() -> bytes:
        gateway.control("reset")
        gateway.control("clock", set="20261101120000", frozen=True)
        gateway.control("mutate", share=0.5)
        return gateway.call("alibaba.product.list.get", needDetail="true", pageNo="3").content

    assert run() == run()


def test_delisted_products_vanish_and_come_back(gateway: GatewayClient) -> None:
    gone = gateway.control("delist", share=0.1)["ids"]
    assert len(gone) == PRODUCTS * 0.1
    assert not set(gone) & set(ids_of(walk(gateway)))
    assert detail(gateway, gone[0]) == {"errMsg": f"商品[{gone[0]}]不存在"}
    assert gateway.control("state")["alive"] == PRODUCTS * 0.9
    assert gateway.control("relist", ids=gone[:1])["count"] == 1
    assert "productInfo" in detail(gateway, gone[0])
    assert gateway.control("relist")["count"] == len(gone) - 1
    assert page(gateway)["totalRecords"] == PRODUCTS


def test_delisting_chosen_ids(gateway: GatewayClient) -> None:
    ids = ids_of(page(gateway)["resultList"])[:2]
    assert gateway.control("delist", ids=",".join(map(str, ids)))["ids"] == ids
    assert page(gateway)["totalRecords"] == PRODUCTS - 2


def test_empty_but_successful_listings(gateway: GatewayClient) -> None:
    gateway.control("empty", on=1)
    answer = gateway.call("alibaba.product.list.get").json()
    assert answer["success"] is True
    assert (answer["result"]["pageResult"]["totalRecords"], answer["result"]["pageResult"]["resultList"]) == (0, [])
    gateway.control("empty", on=0)
    assert page(gateway)["totalRecords"] == PRODUCTS


def test_the_clock_can_be_set_and_advanced(gateway: GatewayClient) -> None:
    gateway.control("clock", set="20261231235900", frozen=1)
    assert gateway.call("currentTime").json() == {"result": "20261231235900000+0800"}
    gateway.control("clock", advance=90)
    assert gateway.call("currentTime").json() == {"result": "20270101000030000+0800"}


def test_calls_are_counted_by_api_and_error_without_secrets(gateway: GatewayClient) -> None:
    page(gateway, pageNo="2", categoryId="10166")
    gateway.call("alibaba.product.get", access_token="")
    calls = gateway.control("calls")
    assert calls["apis"] == {"alibaba.product.list.get": 1, "alibaba.product.get": 1}
    assert calls["errors"] == {"401": 1}
    assert calls["total"] == 2
    assert calls["max_per_second"] in (1, 2)
    assert calls["last"][0]["params"] == {"pageNo": "2", "categoryId": "10166"}
    assert gateway.access_token not in str(calls)


def test_reset_goes_back_to_the_seed(gateway: GatewayClient) -> None:
    before = gateway.control("state")
    gateway.control("mutate", share=0.2)
    gateway.control("delist", share=0.2)
    gateway.control("empty", on=1)
    gateway.control("limits", qps=1, deny="alibaba.product.get")
    gateway.faults({"kind": "http_500"})
    gateway.control("reset")
    assert gateway.control("state") | {"clock": 0} == before | {"clock": 0}


@pytest.mark.parametrize(
    ("command", "arguments"),
    [
        ("mutate", {}),
        ("mutate", {"share": 2}),
        ("mutate", {"count": 1, "kinds": "colour"}),
        ("mutate", {"cuont": 1}),
        ("delist", {"ids": [1]}),
        ("clock", {"set": "yesterday"}),
        ("clock", {"advance": 10**18}),
        ("no_such_command", {}),
    ],
)
def test_mistakes_are_refused_with_a_reason(gateway: GatewayClient, command: str, arguments: dict[str, object]) -> None:
    with pytest.raises(ControlError, match=r"\w+"):
        gateway.control(command, **arguments)
