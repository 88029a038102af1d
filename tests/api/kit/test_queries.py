"""Query parameters and pages of lists."""

import base64
import re
from typing import Any

import pytest

from tests.client import ApiClient


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ("foo=1", "foo"),
        ("title__regex=(a%2B)%2B$", "title__regex"),
        ("page=0", "page"),
        ("page=-1", "page"),
        ("page=1.5", "page"),
        ("page=1e3", "page"),
        ("page=", "page"),
        ("page=%2B1", "page"),
        ("page=1_0", "page"),
        ("page=%D9%A1", "page"),
        ("page=100000000000000000000", "page"),
        ("page=1;drop", "page"),
        ("page=1&page=2", "page"),
        ("page_size=0", "page_size"),
        ("page_size=101", "page_size"),
        ("page=5001", "page"),
        ("page=1001&page_size=100", "page"),
        ("offset=100000", "offset"),
        ("offset=-1", "offset"),
        ("limit=101", "limit"),
        ("offset=1&page=1", "offset"),
        ("limit=1&page_size=1", "limit"),
        ("cursor=nonsense", "cursor"),
        ("cursor=%F0%9F%98%80", "cursor"),
        ("cursor=", "cursor"),
        ("q=a%FFb", "q"),
        ("sortby=password", "sortby"),
        ("sortby=-price", "sortby"),
        ("sortby=price,price", "sortby"),
        ("sort=price&sortby=price", "sort"),
        ("order=up", "order"),
        ("status=on,broken", "status"),
        ("status=", "status"),
        ("ids=1,x", "ids"),
        ("ids=1,2,3,4", "ids"),
        ("ids=99999999999999999999", "ids"),
        ("in_stock=1", "in_stock"),
        ("in_stock=True", "in_stock"),
        ("price_min=1e3", "price_min"),
        ("price_min=1_000", "price_min"),
        ("price_min=NaN", "price_min"),
        ("price_min=2&price_max=1", "price_min"),
        ("since=2025-13-40", "since"),
        ("since=now", "since"),
        ("since=0001-01-01", "since"),
        ("since=10000-01-01", "since"),
        ("since=2025-01-01T00:00:00%2B25:00", "since"),
        ("q=", "q"),
        ("q=a%00b", "q"),
        ("q=" + "x" * 51, "q"),
        ("format=api", "format"),
    ],
)
def test_bad_parameters_are_named(api: ApiClient, query: str, name: str) -> None:
    error = api.get(f"query?{query}", expect=400)
    assert name in error["details"]


def test_all_bad_parameters_are_named_at_once(api: ApiClient) -> None:
    assert set(api.get("query?foo=1&page=x", expect=400)["details"]) == {"foo", "page"}


@pytest.mark.parametrize(
    ("query", "values"),
    [
        ("", {"sortby": "created_at", "order": "desc", "page": 1, "page_size": 20}),
        ("sort=price&order=asc", {"sortby": "price", "order": "asc"}),
        ("status=on,off", {"status": ["on", "off"]}),
        ("status=on&status=off", {"status": ["on", "off"]}),
        ("ids=3,1", {"ids": [3, 1]}),
        ("in_stock=false", {"in_stock": False}),
        ("price_min=9.90&price_max=9.90", {"price_min": 9.90}),
        ("since=2025-11-18 13:09:28", {"since": "2025-11-18T05:09:28Z"}),
        ("since=2025-11-18T13:09:28Z", {"since": "2025-11-18T13:09:28Z"}),
        ("since=2025-11-18T13:09:28%2B02:00", {"since": "2025-11-18T11:09:28Z"}),
        ("since=2025-11-18", {"since": "2025-11-17T16:00:00Z"}),
        ("q=%25_%5C", {"q": "%_\\"}),
    ],
)
def test_good_parameters_are_understood(api: ApiClient, query: str, values: dict[str, Any]) -> None:
    understood = api.get(f"query?{query}")
    assert values.items() <= understood.items()


def test_a_page_tells_where_it_is(api: ApiClient) -> None:
    page = api.get("list?page=2&page_size=20")
    assert page["items"] == list(range(20, 40))
    assert (page["total"], page["page"], page["page_size"], page["pages"], page["total_exact"]) == (45, 2, 20, 3, True)


def test_a_page_past_the_end_is_empty(api: ApiClient) -> None:
    assert api.get("list?page=99")["items"] == []


def test_offset_and_limit_work_alike(api: ApiClient) -> None:
    page = api.get("list?offset=40&limit=10")
    assert (page["items"], page["page"], page["page_size"]) == ([40, 41, 42, 43, 44], 5, 10)


def test_links_lead_to_the_neighbours(api: ApiClient) -> None:
    api.get("list?page=2&page_size=20&q=%E8%8C%B6")
    links = {rel: url for url, rel in re.findall(r'<([^>]*)>; rel="(\w+)"', api.last.headers["Link"])}
    assert links.keys() == {"first", "prev", "next", "last"}
    assert api.get(links["next"])["page"] == 3
    assert 'rel="next"' not in api.last.headers["Link"]


def test_links_by_offset_lead_on_from_where_the_page_ends(api: ApiClient) -> None:
    seen = api.get("list?offset=13&limit=5")["items"]
    while following := re.search(r'<([^>]*)>; rel="next"', api.last.headers["Link"]):
        seen += api.get(following[1])["items"]
    assert seen == list(range(13, 45))
    assert 'offset=38>; rel="prev"' in api.last.headers["Link"]


def test_a_cursor_walks_everything(api: ApiClient) -> None:
    seen: list[int] = []
    page = api.get("list?page_size=10")
    while True:
        seen += page["items"]
        if page["next_cursor"] is None:
            break
        page = api.get("list", cursor=page["next_cursor"], page_size=10)
    assert seen == list(range(45))
    assert page["page"] is None


def test_a_changed_cursor_is_refused(api: ApiClient) -> None:
    cursor = api.get("list?page_size=10")["next_cursor"]
    sealed = bytearray(base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
    sealed[-2] ^= 1
    changed = base64.urlsafe_b64encode(bytes(sealed)).rstrip(b"=").decode()
    assert "cursor" in api.get("list", expect=400, cursor=changed)["details"]


def test_a_cursor_of_another_list_is_refused(api: ApiClient) -> None:
    from system.api.pagination import encode_cursor

    assert "cursor" in api.get("list", expect=400, cursor=encode_cursor("other", [1]))["details"]


def test_too_deep_a_page_points_to_the_cursor(api: ApiClient) -> None:
    assert "cursor" in str(api.get("list?page=5001", expect=400, headers={"Accept-Language": "en"})["details"]["page"])
