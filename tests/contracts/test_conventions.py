"""The conventions of seed 001 and the filters of seed 002, seen from outside."""

import re
from typing import Any

import pytest

from accounts.models import User
from products.models import Product
from system.errors import ErrorCode
from tests.client import TIMESTAMP, ApiClient
from tests.contracts.conftest import Clients
from tests.contracts.routes import LIVE

COMMON_ERRORS = {
    "E00001": 500,
    "E00002": 400,
    "E00003": 401,
    "E00004": 403,
    "E00005": 404,
    "E00006": 429,
}


@pytest.fixture
def second(operator: User) -> ApiClient:
    """An operator's client of version 2."""
    return ApiClient(version="v2").as_(operator)


@pytest.mark.shows("001/3.1.2")
def test_addresses_are_lower_case_words_joined_by_hyphens() -> None:
    words = {word for _method, route in LIVE for word in route.split("/") if not word.startswith("<")}
    assert [word for word in words if not re.fullmatch(r"[a-z]+(-[a-z]+)*", word)] == []


@pytest.mark.shows("001/3.1.2")
def test_what_has_an_identifier_is_named_in_the_plural() -> None:
    resources = {route.split("/<")[0].split("/")[-1] for _method, route in LIVE if "/<" in route}
    assert [name for name in resources if not name.endswith("s")] == []


@pytest.mark.shows("001/3.2")
def test_reading_changes_nothing_and_writing_is_never_a_get() -> None:
    assert {method for method, _route in LIVE} == {"GET", "POST", "PUT", "PATCH", "DELETE"}
    verbs = {"start", "stop", "resume", "retry", "publish", "disable", "purge", "login", "logout", "refresh", "follow"}
    reading = {route.split("/")[-1] for method, route in LIVE if method == "GET"}
    assert reading & verbs == set()


@pytest.mark.shows("001/3.4.2", "001/3.5.1", "001/3.6")
def test_a_page_of_version_2_has_its_pagination_beside_its_data(second: ApiClient, world: dict[str, Any]) -> None:
    rows = second.get("products?page=1&pageSize=20&sort=createdAt&order=desc&status=published,draft")
    envelope = second.last.json()
    assert set(envelope["pagination"]) >= {"page", "pageSize", "total", "totalPages"}
    assert envelope["success"] is True
    assert TIMESTAMP.fullmatch(envelope["timestamp"])
    assert TIMESTAMP.fullmatch(rows[0]["createdAt"])
    assert {"minOrderQuantity", "priceTiers", "categoryPath"} <= set(rows[0])


@pytest.mark.shows("001/3.5.2", "001/5.1", "002/errors")
def test_an_error_of_version_2_says_what_why_and_what_next(second: ApiClient) -> None:
    error = second.get("products?pageSize=1000", expect=400)
    assert error["code"] == "E00002"
    assert set(error["details"]) == {"pageSize"}
    assert "pageSize" in error["message"]
    assert error["suggestion"]


@pytest.mark.shows("001/5.3")
@pytest.mark.parametrize(("code", "status"), COMMON_ERRORS.items())
def test_the_common_errors_have_their_codes(code: str, status: int) -> None:
    assert {member.value: member.status for member in ErrorCode}[code] == status


@pytest.mark.shows("001/3.4.1")
def test_request_headers_are_taken_over_checked_and_answered(second: ApiClient) -> None:
    headers = {"X-Request-ID": "req_abc123", "X-Client-Version": "1.0.0", "Accept-Language": "en-US,en;q=0.9"}
    second.get("products", headers=headers)
    assert second.last.headers["X-Request-ID"] == second.last.json()["requestId"] == "req_abc123"
    assert second.last.json()["message"] == "Success"


@pytest.mark.shows("001/3.4.3")
@pytest.mark.parametrize("statuses", ["status=draft,published", "status=draft&status=published"])
def test_lists_come_by_comma_or_by_repetition(second: ApiClient, world: dict[str, Any], statuses: str) -> None:
    assert len(second.get(f"products?{statuses}")) == Product.objects.filter(deleted_at=None).count()
    second.get("products?inStock=yes", expect=400)


@pytest.mark.shows("001/3.3")
@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("GET", "products", None, 200),
        ("POST", "products", {"sku": "conventions", "title": "茶杯"}, 201),
        ("POST", "sync/start", {"type": "incremental"}, 202),
        ("DELETE", "products/{product}", None, 204),
        ("GET", "products?page=0", None, 400),
        ("GET", "users", None, 403),
        ("GET", "products/999999999", None, 404),
        ("POST", "products", {"sku": "contract-conflict", "title": "茶杯", "category_id": 999999}, 422),
    ],
)
def test_statuses_mean_what_they_say(
    second: ApiClient, world: dict[str, Any], method: str, path: str, body: Any, status: int
) -> None:
    assert second.send(method, path.format(**world), body).status_code == status


@pytest.mark.shows(
    "002/GET items?item_ids", "002/offset, limit", "002/page", "002/sortby, order", "002/start_time, end_time"
)
def test_the_common_filters_work_together(clients: Clients, world: dict[str, Any]) -> None:
    client = clients["operator"]
    ids = list(Product.objects.filter(deleted_at=None).values_list("pk", flat=True))
    asked = f"products?ids={','.join(map(str, ids))}&sortby=id&order=asc&start_time=2020-12-27 00:00:00"
    assert [row["id"] for row in client.get(f"{asked}&offset=0&limit=10")["items"]] == sorted(ids)
    assert [row["id"] for row in client.get(f"{asked}&page=1&page_size=1")["items"]] == sorted(ids)[:1]
    assert client.get(f"{asked}&end_time=2020-12-31 00:00:00")["items"] == []
