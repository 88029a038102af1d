"""GET products/search with `facets` and `attribute`; the list with `q` takes them as well."""

from decimal import Decimal
from itertools import pairwise
from random import Random
from typing import Any

import pytest

from products.models import Product
from products.records import CategoryRef, ShopRecord
from products.selectors import facets as facet_selectors
from products.selectors.facets import MOST_BANDS, MOST_VALUES, price_bands
from tests.client import ApiClient
from tests.products.records import apply, record

pytestmark = pytest.mark.django_db
both_lists = pytest.mark.parametrize("path", ["products", "products/search"])

RANDOM = Random(1688)
STEPS = [
    [(step, RANDOM.randint(1, 500)) for step in sorted(RANDOM.sample(range(45), count))]
    for count in (0, 1, 2, 6, 7, 30)
]


@pytest.fixture
def cups(db: None) -> None:
    """Six cups of two shops, and a plate."""
    shops = [ShopRecord(source_id=name, name=name) for name in ("瓷语陶瓷厂", "力克杯业")]
    for number, (colours, price) in enumerate(
        [("红色", "3"), (["红色", "蓝色"], "4.5"), ("蓝色", "9.99"), ("白色", "10"), ("白色", "25"), ("红色", None)]
    ):
        apply(
            record(
                f"{number}",
                title=f"马克杯 {number}",
                shop=shops[number % 2],
                category=CategoryRef(id=1 + number // 4, names=("日用", f"杯{1 + number // 4}")),
                price=None if price is None else Decimal(price),
                attributes={"颜色": colours, "材质": "陶瓷", "a:b": "c,d"},
            )
        )
    apply(record("7", title="盘子", attributes={"颜色": "红色"}))


def facets(reader: ApiClient, *names: str, path: str = "products/search", **query: Any) -> Any:
    return reader.get(path, q="马克杯", facets=",".join(names), **query)["facets"]


@both_lists
def test_facets_count_what_was_found(reader: ApiClient, cups: None, path: str) -> None:
    found = facets(reader, "category", "shop", "attributes", path=path)

    assert (found["counted"], found["exact"]) == (6, True)
    assert [(each["name"], each["path"], each["count"]) for each in found["category"]] == [
        ("杯1", "日用 / 杯1", 4),
        ("杯2", "日用 / 杯2", 2),
    ]
    assert {each["name"]: each["count"] for each in found["shop"]} == {"瓷语陶瓷厂": 3, "力克杯业": 3}
    assert {each["name"]: each["values"] for each in found["attributes"]}["颜色"] == [
        {"value": "红色", "count": 3},
        {"value": "白色", "count": 2},
        {"value": "蓝色", "count": 2},
    ]


def test_only_what_was_asked_for_is_counted(reader: ApiClient, cups: None) -> None:
    assert set(facets(reader, "shop")) == {"counted", "exact", "shop"}
    assert "facets" not in reader.get("products/search", q="马克杯")


def test_a_chosen_facet_leaves_as_many_as_it_said(reader: ApiClient, cups: None) -> None:
    found = facets(reader, "category", "price", "shop", "attributes")

    for name, parameter in (("category", "category_id"), ("shop", "shop_id")):
        for each in found[name]:
            assert reader.get("products/search", q="马克杯", **{parameter: each["id"]})["total"] == each["count"]
    for band in found["price"]:
        ends = {end: band[end] for end in ("price_min", "price_max") if band[end] is not None}
        assert reader.get("products/search", q="马克杯", **ends)["total"] == band["count"]
    for attribute in found["attributes"]:
        for each in attribute["values"]:
            pair = f"{attribute['name']}:{each['value']}"
            if ":" not in attribute["name"]:
                assert reader.get("products/search", q="马克杯", attribute=pair)["total"] == each["count"]


def test_facets_follow_the_filters(reader: ApiClient, cups: None) -> None:
    found = facets(reader, "category", attribute="颜色:白色", price_max=15)

    assert found["counted"] == 1
    assert [each["name"] for each in found["category"]] == ["杯1"]


@both_lists
@pytest.mark.parametrize(
    ("chosen", "total"),
    [
        (["颜色:红色"], 3),
        (["颜色:红色", "颜色:白色"], 5),
        (["颜色:红色", "材质:陶瓷"], 3),
        (["颜色:红色", "材质:棉"], 0),
        (["颜色: 蓝色 "], 2),
        (["颜色:红"], 0),
        (["没有:红色"], 0),
    ],
)
def test_attributes_are_a_filter(reader: ApiClient, cups: None, path: str, chosen: list[str], total: int) -> None:
    assert reader.get(path, q="马克杯", attribute=chosen)["total"] == total


def test_values_of_attributes_may_hold_commas_and_colons(reader: ApiClient, cups: None) -> None:
    apply(record("8", title="马克杯 8", attributes={"尺寸": "10:20,5"}))

    assert reader.get("products/search", q="马克杯", attribute="尺寸:10:20,5")["total"] == 1


@pytest.mark.parametrize("value", ["'", '"', "\\", "%", "}'::jsonb", "😀"])
def test_strange_attributes_break_nothing(reader: ApiClient, cups: None, value: str) -> None:
    assert reader.get("products/search", q="马克杯", attribute=[f"颜色:{value}", f"{value}:颜色"])["total"] == 0


def test_attributes_that_are_no_texts_are_passed_over(reader: ApiClient, cups: None) -> None:
    Product.objects.update(attributes={"n": 1, "列": [1, "x", "x", None], "空": None, "表": {"a": "b"}})

    found = facets(reader, "attributes")

    assert found["attributes"] == [{"name": "列", "values": [{"value": "x", "count": 6}]}]


def test_more_than_is_looked_at_is_said(reader: ApiClient, cups: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(facet_selectors, "FACET_LIMIT", 4)

    found = facets(reader, "shop")

    assert (found["counted"], found["exact"]) == (4, False)
    assert sum(each["count"] for each in found["shop"]) == 4


def test_of_many_values_the_commonest_are_told(reader: ApiClient) -> None:
    for number in range(MOST_VALUES + 3):
        apply(record(f"{number}", title="马克杯", attributes={"号": f"{number}", "同": "是"}))

    found = {each["name"]: each["values"] for each in facets(reader, "attributes")["attributes"]}

    assert found["同"] == [{"value": "是", "count": MOST_VALUES + 3}]
    assert len(found["号"]) == MOST_VALUES


def test_nothing_found_has_empty_facets(reader: ApiClient) -> None:
    assert facets(reader, "category", "price", "shop", "attributes") == {
        **{"counted": 0, "exact": True},
        **{"category": [], "price": [], "shop": [], "attributes": []},
    }


def test_facets_are_the_same_on_every_page(reader: ApiClient, cups: None) -> None:
    first = reader.get("products/search", q="马克杯", facets="shop", limit=2)
    second = reader.get("products/search", q="马克杯", facets="shop", limit=2, cursor=first["next_cursor"])

    assert first["facets"] == second["facets"]


def test_facets_change_the_etag(reader: ApiClient, cups: None) -> None:
    reader.get("products/search", q="马克杯")
    plain = reader.last.headers["ETag"]
    facets(reader, "shop")

    assert reader.last.headers["ETag"] != plain


@pytest.mark.parametrize(
    ("query", "named"),
    [
        ("products?facets=shop", "facets"),
        ("products?attribute=a:b", "attribute"),
        ("products?highlight=true", "highlight"),
        ("products/search?q=a&facets=brand", "facets"),
        ("products/search?q=a&facets=shop,shop", "facets"),
        ("products/search?q=a&facets=", "facets"),
        ("products/search?q=a&attribute=red", "attribute"),
        ("products/search?q=a&attribute=:red", "attribute"),
        ("products/search?q=a&attribute=colour:", "attribute"),
        ("products/search?q=a&attribute=" + "&attribute=".join(["a:b"] * 21), "attribute"),
        ("products/search?q=a&highlight=1", "highlight"),
        ("products/export?attribute=a:b", "attribute"),
    ],
)
def test_a_bad_parameter_is_named(writer: ApiClient, query: str, named: str) -> None:
    assert named in writer.get(query, expect=400)["details"]


@pytest.mark.parametrize("steps", STEPS)
def test_bands_are_few_and_lose_nothing(steps: list[tuple[int, int]]) -> None:
    bands = price_bands(steps)

    assert len(bands) <= MOST_BANDS
    assert sum(band["count"] for band in bands) == sum(count for _, count in steps)
    assert all(band["count"] for band in bands)
    assert all(lower["price_max"] < upper["price_min"] for lower, upper in pairwise(bands))
    assert not bands or bands[-1]["price_max"] is None
