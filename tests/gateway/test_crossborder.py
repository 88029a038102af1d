"""The cross-border search, its window and its shapes; relations, pools and translated categories."""

import json
from typing import Any

import pytest

from devstack.gateway.categories import CATEGORIES
from devstack.gateway.client import GatewayClient
from devstack.gateway.english import english_names
from devstack.gateway.search import GENERIC, WINDOW

from .conftest import walk

SEARCH, DETAIL, SELLER = (
    f"product.search.{name}" for name in ("keywordQuery", "queryProductDetail", "querySellerOfferList")
)
PUSH, INFO, SEVERAL = (f"alibaba.cross.{name}" for name in ("syncProductListPushed", "productInfo", "productList"))
WORD = min(GENERIC)
Json = dict[str, Any]


def result_of(gateway: GatewayClient, api: str, field: str, **document: object) -> Json:
    result: Json = gateway.call(api, **{field: json.dumps(document, ensure_ascii=False)}).json()["result"]
    return result


def search(gateway: GatewayClient, api: str = SEARCH, **document: Any) -> Json:
    asked = {"keyword": WORD, "beginPage": 1, "pageSize": 50, "country": "en"} | document
    result: Json = result_of(gateway, api, "offerQueryParam", **asked)["result"]
    return result


def everything(gateway: GatewayClient, **document: Any) -> list[Json]:
    rows: list[Json] = []
    for page in range(1, 100):
        found = search(gateway, beginPage=page, **document)["data"]
        if not found:
            return rows
        rows += found
    raise AssertionError("the search does not end")


def ids(rows: list[Json]) -> list[int]:
    return [row["offerId"] for row in rows]


def detail(gateway: GatewayClient, offer: int, country: str = "en") -> Json:
    return result_of(gateway, DETAIL, "offerDetailParam", offerId=offer, country=country)


def test_a_search_shows_what_is_on_sale_each_once(gateway: GatewayClient) -> None:
    published = {row["productID"] for row in walk(gateway) if row["status"] == "published"}
    found = ids(everything(gateway))
    assert set(found) == published
    assert len(found) == len(published)
    assert search(gateway)["totalRecords"] == len(published)


def test_the_envelope_and_the_row_are_the_cross_border_ones(gateway: GatewayClient) -> None:
    answer = result_of(gateway, SEARCH, "offerQueryParam", keyword=WORD, beginPage=1, pageSize=2, country="en")
    assert (answer["success"], answer["code"]) == (True, "200")
    row = answer["result"]["data"][0]
    assert isinstance(row["priceInfo"]["price"], str)
    assert row["imageUrl"].startswith("https://")
    assert isinstance(row["isSelect"], bool)
    assert {"totalRecords", "totalPage", "pageSize", "currentPage", "data"} == answer["result"].keys()


def test_pages_are_clamped_at_fifty(gateway: GatewayClient) -> None:
    page = search(gateway, pageSize=500)
    assert (page["pageSize"], len(page["data"])) == (50, 50)


def test_a_query_shows_and_counts_no_more_than_its_window(gateway: GatewayClient) -> None:
    gateway.control("reset", products=WINDOW + 500)
    assert search(gateway)["totalRecords"] == WINDOW
    assert len(search(gateway, beginPage=40)["data"]) == 50
    assert search(gateway, beginPage=41)["data"] == []
    assert len(set(ids(everything(gateway)))) == WINDOW


@pytest.mark.parametrize(
    ("document", "code"),
    [
        ({"country": "zh"}, "COUNTRY_INVALID"),
        ({"country": ""}, "COUNTRY_IS_NULL"),
        ({"keyword": ""}, "KEYWORD_IS_NULL"),
        ({"snId": "1"}, "CONDITION_UNSUPPORTED"),
        ({"filter": "cheap"}, "FILTER_INVALID"),
        ({"sort": '{"size":"asc"}'}, "SORT_INVALID"),
    ],
)
def test_what_a_search_refuses(gateway: GatewayClient, document: Json, code: str) -> None:
    asked = {"keyword": WORD, "beginPage": 1, "pageSize": 20, "country": "en"} | document
    answer = result_of(gateway, SEARCH, "offerQueryParam", **asked)
    assert (answer["success"], answer["code"]) == (False, code)


def test_an_argument_that_is_no_json_is_invalid(gateway: GatewayClient) -> None:
    for text in ("{'keyword': 'x'}", "[]"):
        assert gateway.call(SEARCH, offerQueryParam=text).json()["error_code"] == "gw.ParamInvalid"


def test_price_bands_hold_their_ends_and_leave_out_hidden_prices(gateway: GatewayClient) -> None:
    rows = everything(gateway)
    prices = {row["offerId"]: row["priceInfo"]["price"] for row in rows}
    middle = sorted((price for price in prices.values() if price), key=float)[len(prices) // 2]
    below = ids(everything(gateway, priceEnd=middle))
    above = ids(everything(gateway, priceStart=middle))
    assert set(below) == {offer for offer, price in prices.items() if price and float(price) <= float(middle)}
    assert set(above) == {offer for offer, price in prices.items() if price and float(price) >= float(middle)}
    assert any(price is None for price in prices.values())


def test_categories_narrow_a_search(gateway: GatewayClient) -> None:
    women, men = (set(ids(everything(gateway, categoryId=number))) for number in (10166, 10165))
    assert women
    assert women.isdisjoint(men)
    assert set(ids(everything(gateway, categoryIdList="10166,10165"))) == women | men
    assert everything(gateway, categoryId=5) == []


@pytest.mark.parametrize("word", ["连衣裙", "dresses", " 女装 "])
def test_keywords_find_goods_by_their_words(gateway: GatewayClient, word: str) -> None:
    rows = everything(gateway, keyword=word)
    assert rows
    assert len(rows) < len(everything(gateway))


def test_a_filter_takes_what_has_all_its_tags(gateway: GatewayClient) -> None:
    rows = everything(gateway, filter="isOnePsale,shipIn24Hours")
    assert 0 < len(rows) < len(everything(gateway)) / 4
    assert all(row["isOnePsale"] for row in rows)


def test_sorting_reorders_one_page_and_does_not_choose_its_rows(gateway: GatewayClient) -> None:
    plain, by_price = search(gateway)["data"], search(gateway, sort='{"price":"asc"}')["data"]
    assert sorted(ids(plain)) == sorted(ids(by_price))
    prices = [float(row["priceInfo"]["price"] or 0) for row in by_price]
    assert prices == sorted(prices)


def test_a_drifting_order_hides_offers_behind_others(gateway: GatewayClient) -> None:
    gateway.faults({"kind": "drifting_order", "api": SEARCH, "share": 0.5})
    found = ids(everything(gateway))
    assert len(set(found)) < len(found)


def test_a_drifting_total_grows_from_page_to_page(gateway: GatewayClient) -> None:
    gateway.faults({"kind": "drifting_total", "rows": 3})
    assert search(gateway, beginPage=3)["totalRecords"] == search(gateway)["totalRecords"] + 6


def test_a_seller_shows_only_its_own_offers(gateway: GatewayClient) -> None:
    row = search(gateway)["data"][0]
    seller = detail(gateway, row["offerId"])["result"]["sellerOpenId"]
    found = search(gateway, SELLER, sellerOpenId=seller)["data"]
    assert row["offerId"] in ids(found)
    assert {detail(gateway, offer)["result"]["sellerOpenId"] for offer in ids(found)[:5]} == {seller}


def test_a_detail_has_its_own_names_units_and_types(gateway: GatewayClient) -> None:
    offers = [detail(gateway, offer)["result"] for offer in ids(search(gateway)["data"])]
    offer = next(each for each in offers if each["productSkuInfos"] and each["productSaleInfo"]["quoteType"] == 1)
    shipping = offer["productShippingInfo"]
    assert all(isinstance(sku["price"], str) for sku in offer["productSkuInfos"])
    assert all(image.startswith("https://") for image in offer["productImage"]["images"])
    assert {type(row["attributeId"]) for row in offer["productAttribute"]} == {str}
    assert shipping["skuShippingInfoList"][0]["weight"] == round(shipping["weight"] * 1000)
    assert shipping["skuShippingDetails"][0]["weight"] == shipping["weight"]
    assert offer["soldOut"].isdigit()
    assert {each["isSelect"] for each in offers} == {"true", "false"}


def test_what_is_gone_or_not_on_sale_has_no_detail(gateway: GatewayClient) -> None:
    expired = next(row["productID"] for row in walk(gateway) if row["status"] == "expired")
    assert detail(gateway, 1) == {"success": False, "code": "SP0056", "message": "商品不存在"}
    assert "已下架" in detail(gateway, expired)["message"]
    assert not detail(gateway, 1, country="zh")["success"]


def test_a_relation_is_opened_by_pushing_the_product(gateway: GatewayClient) -> None:
    every = [row["productID"] for row in walk(gateway)]
    hidden = [each for each in every[:200] if not gateway.call(INFO, productId=str(each)).json()["success"]]
    assert hidden
    assert gateway.call(SEVERAL, productIdList=json.dumps(hidden)).json()["productList"] == []
    assert gateway.call(PUSH, productIdList=json.dumps(hidden)).json()["result"]["success"] is True
    assert gateway.call(INFO, productId=str(hidden[0])).json()["success"]
    rows = gateway.call(SEVERAL, productIdList=json.dumps(hidden)).json()["productList"]
    assert [row["productID"] for row in rows] == hidden


def test_more_than_twenty_products_are_not_pushed(gateway: GatewayClient) -> None:
    result = gateway.call(PUSH, productIdList=json.dumps(list(range(21)))).json()["result"]
    assert (result["success"], result["errorCode"]) == (False, "PARAM_ERROR")


def pull(gateway: GatewayClient, page: int, **document: object) -> Json:
    asked = {"offerPoolId": 1, "taskId": "a", "pageNo": page, "pageSize": 50} | document
    return result_of(gateway, "pool.product.pull", "offerPoolQueryParam", **asked)


def pulled(gateway: GatewayClient, **document: object) -> list[Json]:
    return [row for page in range(1, 30) for row in pull(gateway, page, **document)["result"]]


def test_a_pool_is_read_in_pages_of_one_task(gateway: GatewayClient) -> None:
    answer = pull(gateway, 1)
    assert (answer["success"], answer["code"]) == ("true", "S0000")
    rows = pulled(gateway)
    assert {row["offerPoolTotal"] for row in rows} == {len(rows)} == {len(set(ids(rows)))}
    assert set(ids(rows)) == set(ids(everything(gateway)))
    total = result_of(gateway, "pool.product.total", "offerPoolQueryParam", offerPoolId=1)
    assert total["result"] == len(rows)


def test_another_task_sees_another_order_and_a_task_keeps_its_own(gateway: GatewayClient) -> None:
    before = ids(pull(gateway, 2)["result"])
    assert ids(pull(gateway, 2, taskId="b")["result"]) != before
    gateway.control("delist", ids=before[:3])
    assert ids(pull(gateway, 2)["result"]) == before


@pytest.mark.parametrize("document", [{"offerPoolId": 99}, {"taskId": ""}])
def test_an_unknown_pool_and_a_missing_task_are_refused_in_text(gateway: GatewayClient, document: Json) -> None:
    answer = pull(gateway, 1, **document)
    assert answer["success"] == "false"
    assert answer["message"]


def test_a_pool_by_category_and_one_that_is_empty(gateway: GatewayClient) -> None:
    assert 0 < len(pulled(gateway, cateId=10166)) < len(pulled(gateway))
    gateway.control("empty", on=True)
    assert pull(gateway, 1)["result"] == []


def test_every_category_has_an_english_name(gateway: GatewayClient) -> None:
    assert english_names().keys() == CATEGORIES.keys()
    answer = gateway.call("category.translation.getById", language="en", categoryId="10166").json()["result"]["result"]
    assert (answer["translatedName"], answer["leaf"], answer["level"]) == ("Women's clothing", False, "1")
    assert {"Dresses"} <= {child["translatedName"] for child in answer["children"]}
    assert {child["leaf"] for child in answer["children"]} == {"true", "false"}
    root = gateway.call("category.translation.getById", language="en", categoryId="0").json()["result"]["result"]
    assert len(root["children"]) == 19
    refused = gateway.call("category.translation.getById", language="zh", categoryId="0").json()["result"]
    assert not refused["success"]


@pytest.mark.parametrize("api", [SEARCH, DETAIL, PUSH, "pool.product.pull"])
def test_each_of_them_can_be_refused_to_an_app(gateway: GatewayClient, api: str) -> None:
    gateway.control("limits", deny=api)
    assert gateway.call(api).json()["error_code"] == "gw.APIACLDecline"
