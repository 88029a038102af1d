"""What is remembered or left out for speed changes nothing that can be seen."""

from typing import Any

import pytest
from django.http import HttpResponse
from django.test import Client

from accounts.models import User
from system.api import headers
from tests.client import ApiClient


def test_a_page_still_passes_the_whole_chain(db: None) -> None:
    answer = Client().get("/admin/login/")
    assert answer.headers["X-Frame-Options"] == "DENY"
    assert "csrftoken" in answer.cookies


def test_an_api_call_says_what_the_chain_of_pages_says(api: ApiClient, db: None) -> None:
    page, answer = Client().get("/admin/login/"), api.send("GET", "nope")
    for name in ("X-Frame-Options", "X-Content-Type-Options", "Referrer-Policy", "Cross-Origin-Opener-Policy"):
        assert answer.headers[name] == page.headers[name]


def test_a_query_that_was_read_before_is_read_the_same_way(api: ApiClient, plain_user: User) -> None:
    client = api.as_(plain_user)
    first = client.get("products", page_size=3, sortby="price", order="asc")
    assert client.get("products", page_size=3, sortby="price", order="asc") == first
    assert client.get("products", page_size=4, sortby="price", order="asc")["page_size"] == 4


def test_the_same_mistake_is_refused_every_time(api: ApiClient, plain_user: User) -> None:
    client = api.as_(plain_user)
    for _ in range(2):
        assert "page_sice" in client.get("products", page_sice=3, expect=400)["details"]


def test_the_same_query_is_read_in_the_way_of_each_version(plain_user: User, operator: User) -> None:
    old, new = ApiClient().as_(plain_user), ApiClient(version="v2").as_(operator)
    assert old.get("products", page_size=3)["page_size"] == 3
    assert "page_size" in new.get("products", page_size=3, expect=400)["details"]


def test_constant_headers_are_checked_when_they_are_made() -> None:
    with pytest.raises(ValueError, match="newlines"):
        headers.ready({"X-Bad": "a\r\nb"})


def test_headers_are_handed_to_the_server_as_they_are_set_last() -> None:
    response: Any = HttpResponse(headers={"ETag": "old"})
    headers.put_last(response, headers.ready({"etag": "new"}))
    headers.put_missing(response, headers.ready({"ETag": "never"}))
    assert dict(response.items())["etag"] == "new"
