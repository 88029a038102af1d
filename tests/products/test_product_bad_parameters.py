"""GET products: what is refused, and how it is named."""

import pytest

from tests.client import ApiClient

pytestmark = [pytest.mark.django_db, pytest.mark.shows("000/V-5", "001/8.2.2")]


@pytest.mark.parametrize(
    ("query", "named"),
    [
        ("foo=1", "foo"),
        ("title__regex=(a%2B)%2B$", "title__regex"),
        *[(f"page={value}", "page") for value in ("0", "-1", "1.5", "abc", "1e3", "", "1;drop", "9" * 20)],
        *[(f"page_size={value}", "page_size") for value in ("0", "-1", "101", "1000000000", "abc")],
        ("page=5001&page_size=20", "page"),
        ("offset=99999&limit=2", "offset"),
        ("page=1&page=2", "page"),
        ("page=1&offset=1", "page"),
        *[
            (f"sortby={value}", "sortby")
            for value in ("password", "-price,-price", "price desc", "1", "(select 1)", "?")
        ],
        ("order=up", "order"),
        *[(f"category_id={value}", "category_id") for value in ("9" * 20, "", "1,2,x", "NaN", "0", "-1", "١")],
        *[(f"ids={value}", "ids") for value in ("1,x", "1,,2", "0", ",".join("1" * 101))],
        *[(f"shop_id={value}", "shop_id") for value in ("x", "1_0")],
        *[(f"status={value}", "status") for value in ("gone", "", "published,gone")],
        *[(f"price_min={value}", "price_min") for value in ("-1", "abc", "1e3", "0.001", "1,000", "1_000", "NaN")],
        ("price_min=3&price_max=2", "price_min"),
        ("start_time=2026-01-02&end_time=2026-01-01", "start_time"),
        *[(f"start_time={value}", "start_time") for value in ("2025-13-40", "now", "0001-01-01", "10000-01-01")],
        ("updated_since=2025-01-01T00:00:00%2B25:00", "updated_since"),
        *[(f"in_stock={value}", "in_stock") for value in ("1", "True", "yes", "")],
        *[(f"q={value}", "q") for value in ("", "%20", "x" * 201, "a%00b")],
        ("sku=" + "x" * 121, "sku"),
        ("source=" + "x" * 51, "source"),
        ("sku=a%00b", "sku"),
        ("category=%00", "category"),
    ],
)
def test_a_bad_parameter_is_named(reader: ApiClient, query: str, named: str) -> None:
    error = reader.get(f"products?{query}", expect=400)

    assert error["code"] == "E00002"
    assert named in error["details"]


@pytest.mark.parametrize("text", ["' OR 1=1--", "😀", "%25_%5C", "words " * 33, "a'b\"c$1%25s%25(x)s"])
def test_a_strange_search_finds_nothing_and_breaks_nothing(reader: ApiClient, text: str) -> None:
    assert reader.get(f"products?q={text}")["items"] == []


@pytest.mark.parametrize(
    "query", ["foo=1", "parent_id=x", "level=0", "is_leaf=1", "q=", "product_count=yes", "sortby=id"]
)
def test_a_bad_parameter_of_the_category_list_is_named(reader: ApiClient, query: str) -> None:
    assert query.partition("=")[0] in reader.get(f"categories?{query}", expect=400)["details"]
