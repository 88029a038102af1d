"""Bodies that are refused, and refused by name; nothing is written."""

import json
from typing import Any

import pytest

from products.models import Product
from tests.client import ApiClient
from tests.products.bodies import body, own

pytestmark = [pytest.mark.django_db, pytest.mark.shows("000/AC-8")]

IMAGE = "https://img.example.com/1.jpg"

WRONG: dict[str, list[Any]] = {
    "sku": ["", "  ", "\u200b", "x" * 121, None, 5, "a\nb", "a\u0085b"],
    "title": [
        "",
        "   ",
        "\u200b",
        "\u200b \u2060\ufeff",
        "x" * 501,
        "e" + "\u0301" * 10_000,
        None,
        5,
        [],
        {},
        "a\u0000b",
        "a\tb",
    ],
    "description": [None, 5, "a\u0007b", "x" * 100_001],
    "price": [
        "abc",
        "99.99",
        "",
        [],
        {},
        True,
        -1,
        0.001,
        1e12,
        9999999999.995,
        10**10,
        "1_000",
        "١٢",
        "1,000",
        1e-320,
    ],
    "price_tiers": [
        None,
        {},
        [5],
        [{"start_quantity": 1}],
        [{"start_quantity": 0, "price": 1}],
        [{"start_quantity": "1", "price": 1}],
        [{"start_quantity": 1, "price": -1}],
        [{"start_quantity": 1, "price": 1, "x": 1}],
        [{"start_quantity": 2, "price": 1}, {"start_quantity": 2, "price": 1}],
        [{"start_quantity": 2, "price": 1}, {"start_quantity": 1, "price": 2}],
        [{"start_quantity": n, "price": 1} for n in range(1, 52)],
    ],
    "currency": ["cny", "CNYX", "", None, 1, "¥¥¥"],
    "stock": ["1.5", "1", True, None, 1.5, -1, 2**31, []],
    "min_order_quantity": [0, -1, None, "1", 2**31],
    "unit": ["x" * 21, None, 5],
    "images": [
        [f"{IMAGE}?{n}" for n in range(101)],
        [f"{IMAGE}?{n}" for n in range(1001)],
        "https://img.example.com/1.jpg",
        None,
        {},
        [5],
        [None],
        [""],
        [IMAGE, IMAGE],
        ["javascript:alert(1)"],
        ["data:image/png;base64,AA"],
        ["ftp://h/1.jpg"],
        ["http://a:b@h/1.jpg"],
        ["http://a@h/1.jpg"],
        ["//h/1.jpg"],
        ["/1.jpg"],
        ["url1"],
        ["http://"],
        ["http:///1.jpg"],
        ["http://h\\@evil.example/1.jpg"],
        ["https://h/a b.jpg"],
        ["https://h/a\r\nX: y"],
        ["http://h:port/1.jpg"],
        ["http://[::1/1.jpg"],
        [IMAGE + "x" * 3000],
    ],
    "attributes": [None, [], "x", 5, {"": 1}, {"x" * 201: 1}, {str(n): n for n in range(501)}],
    "category_id": ["7", 0, -1, 1.5, True, 10**18],
    "category": ["", 5, []],
    "shop_id": ["7", 0, True, 10**30],
    "url": ["javascript:alert(1)", "http://a:b@h", "x", None],
}
CASES = [pytest.param(name, value, id=f"{name}-{number}") for name in WRONG for number, value in enumerate(WRONG[name])]
READ_ONLY = ["id", "created_at", "updated_at", "version", "source", "source_id", "status", "price_min", "skus", "shop"]
UNKNOWN = ["is_admin", "content_hash", "fingerprint", "owned_fields", "deleted_at", "__class__"]


@pytest.mark.parametrize(("name", "value"), CASES)
def test_a_value_that_cannot_be_is_named(writer: ApiClient, name: str, value: Any) -> None:
    error = writer.post("products", body(**{name: value}), expect=400)

    assert error["code"] == "E00002"
    assert [place.split("[")[0].split(".")[0] for place in error["details"]] == [name]
    assert not Product.objects.exists()


@pytest.mark.parametrize("raw", ["-0.0", "-0.00", "1e400", "NaN", "Infinity", "1" + "0" * 5000])
def test_a_number_that_is_no_amount_is_refused(writer: ApiClient, raw: str) -> None:
    sent = json.dumps(body(price="here")).replace('"here"', raw)

    assert writer.post("products", sent.encode(), expect=400)["code"] == "E00002"


@pytest.mark.parametrize("name", [*READ_ONLY, *UNKNOWN])
def test_what_callers_may_not_write_is_refused_by_name(writer: ApiClient, name: str) -> None:
    product = own()

    for call in (writer.post, writer.put, writer.patch):
        path = "products" if call == writer.post else f"products/{product.pk}"
        error = call(path, body(**{name: 1}), expect=400)
        assert list(error["details"]) == [name]
    assert Product.objects.get().version == 1


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"null",
        b'"x"',
        b"[1]",
        b'{"sku": "a",',
        b'{"sku": "a", "title": "b",}',
        b'{"sku": "a"}{"title": "b"}',
        b'{"sku": "a", "title": "\xff"}',
        b'{"sku": "a", "title": "b", "title": "c"}',
        b'{"sku": "a", "title": "\\ud800"}',
        b'{"sku": "a", "title": "b", "attributes": {"x": "\\u0000"}}',
        b'{"sku": "a", "title": "b", "attributes": {"x": "\\udfff"}}',
        b'{"sku": "a", "title": "b", "attributes": ' + b'{"x":' * 900 + b"1" + b"}" * 901,
        b"[" * 100_000,
    ],
)
def test_a_body_that_is_not_one_good_document_is_refused(writer: ApiClient, raw: bytes) -> None:
    assert writer.post("products", raw, expect=400)["code"] == "E00002"
    assert not Product.objects.exists()


def test_a_new_product_needs_a_sku_and_a_title(writer: ApiClient) -> None:
    product = own()

    assert set(writer.post("products", {}, expect=400)["details"]) == {"sku", "title"}
    assert set(writer.put(f"products/{product.pk}", {}, expect=400)["details"]) == {"sku", "title"}


@pytest.mark.parametrize("kind", ["application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "text/plain"])
def test_only_json_is_taken(writer: ApiClient, kind: str) -> None:
    answer = writer.send("POST", "products", b"sku=a&title=b", content_type=kind)

    assert answer.status_code == 415


def test_a_long_list_is_refused_before_its_items_are_read(writer: ApiClient) -> None:
    error = writer.post("products", body(images=["javascript:"] * 50_000), expect=400)

    assert len(error["details"]["images"]) == 1
