"""What request bodies may be."""

import io
import json
from typing import Any

import pytest
from django.test import RequestFactory
from pytest_django import Settings

from system.api.parsers import StrictJSONParser
from system.errors import ApplicationError, ErrorCode
from tests.api.kit.views import EchoView
from tests.client import ApiClient


def nested(depth: int) -> bytes:
    return b'{"a":' * depth + b"1" + b"}" * depth


@pytest.mark.parametrize(
    ("body", "place"),
    [
        (b"", None),
        (b"   ", "body"),
        (b"null", "body"),
        (b'"x"', "body"),
        (b"[1]", "body"),
        (b'{"a":1', "body"),
        (b'{"a":1,}', "body"),
        (b'{"a":1}{"b":2}', "body"),
        (b"{'a':1}", "body"),
        (b'{"a":"\xff"}', "body"),
        ("\ufeff{}".encode(), "body"),
        (b'{"a":"x\ny"}', "body"),
        (b"[" * 100_000, "body"),
        (nested(50_000), "body"),
        (nested(33), "body"),
        (b'{"p":{"price":1,"price":2}}', "p"),
        (b'{"a":[1,NaN]}', "a[1]"),
        (b'{"a":-Infinity}', "a"),
        (b'{"a":1e999}', "a"),
        (b'{"a":' + b"9" * 5000 + b"}", "a"),
        (b'{"a":9223372036854775808}', "a"),
        (b'{"a":{"b":["x","y\\u0000"]}}', "a.b[1]"),
        (b'{"k\\u0000":1}', "k\0"),
        (b'{"a":"\\ud800"}', "a"),
        (b'{"\\udfff":1}', "\\udfff"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_bodies_that_are_refused(api: ApiClient, body: bytes, place: str | None) -> None:
    if place is None:
        assert api.post("echo", body, expect=201) == {}
    else:
        assert place in api.post("echo", body, expect=400)["details"]


@pytest.mark.parametrize(
    "body",
    [
        {"__proto__": {"constructor": 1}, "$where": "1"},
        {"a": [1, -1.5, True, None, "中文 😀", 2**63 - 1, -(2**63) + 1]},
        json.loads(nested(32)),
    ],
    ids=["odd keys", "all types", "32 levels"],
)
def test_data_comes_back_as_it_was_sent(api: ApiClient, body: dict[str, Any]) -> None:
    assert api.post("echo", body, expect=201) == body


def test_a_body_over_the_limit_is_413(api: ApiClient, settings: Settings) -> None:
    too_long = b'{"a":"' + b"x" * settings.API_MAX_BODY_BYTES + b'"}'
    error = api.post("echo", too_long, expect=413)
    assert error["details"] == {"max_bytes": settings.API_MAX_BODY_BYTES}


@pytest.mark.parametrize(
    "content_type",
    ["application/xml", "text/plain", "multipart/form-data; boundary=x", "application/x-www-form-urlencoded"],
)
def test_another_content_type_is_415(api: ApiClient, content_type: str) -> None:
    response = api.send("POST", "echo", b"a=1", content_type=content_type)
    assert (response.status_code, response.json()["error"]["code"]) == (415, "E00009")


def test_json_with_a_charset_is_json(api: ApiClient) -> None:
    assert api.send("POST", "echo", b"{}", content_type="application/json; charset=utf-8").status_code == 201


def test_a_compressed_body_is_415(api: ApiClient) -> None:
    api.post("echo", b"\x1f\x8b", expect=415, headers={"Content-Encoding": "gzip"})


def test_a_chunked_body_without_length_is_411(api: ApiClient) -> None:
    response = api.send("POST", "echo", headers={"Transfer-Encoding": "chunked"})
    assert (response.status_code, response.json()["error"]["code"]) == (411, "E00019")


def test_no_body_and_no_content_type_is_an_empty_object(api: ApiClient) -> None:
    assert api.post("echo", expect=201) == {}


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"name": "a", "nmae": "b"}, "nmae"),
        ({"name": "a", "id": 1}, "id"),
        ({}, "name"),
        ({"name": 1}, "name"),
        ({"name": None}, "name"),
        ({"name": ""}, "name"),
        ({"name": "x" * 11}, "name"),
        ({"name": "a", "count": "5"}, "count"),
        ({"name": "a", "count": True}, "count"),
        ({"name": "a", "count": 1.5}, "count"),
        ({"name": "a", "ratio": "1"}, "ratio"),
        ({"name": "a", "flag": "yes"}, "flag"),
        ({"name": "a", "flag": 1}, "flag"),
        ({"name": "a", "tags": ["x", 1]}, "tags"),
        ({"name": "a", "tags": "x"}, "tags"),
    ],
    ids=str,
)
def test_serializers_are_strict(api: ApiClient, body: dict[str, Any], field: str) -> None:
    error = api.call("PUT", "echo", body, expect=400)
    assert set(error["details"]) == {field}
    assert error["code"] == "E00002"


def test_serializers_take_what_fits(api: ApiClient) -> None:
    body = {"name": "a", "count": None, "ratio": 1, "flag": False, "tags": ["x"]}
    assert api.call("PUT", "echo", body) == body


def test_a_body_that_breaks_off_is_refused() -> None:
    request = RequestFactory().post("/", b"{}", content_type="application/json")
    request.META["CONTENT_LENGTH"] = "10"
    with pytest.raises(ApplicationError) as refused:
        StrictJSONParser().parse(io.BytesIO(b"{}"), parser_context={"request": request, "view": EchoView()})
    assert refused.value.code == ErrorCode.INVALID_PARAMETER
