"""Who is limited by what, what a refusal says, and that every answer tells the limits."""

import re
import time
from datetime import datetime
from typing import Any

import pytest
from pytest_django import Settings

from accounts.models import User
from accounts.services import create_user
from system.api.throttling import suspects
from tests.api.limits.conftest import Limits
from tests.client import ApiClient, key_of
from tests.conftest import PASSWORD

COUNTS = ("X-RateLimit-Limit", "X-RateLimit-Remaining", "X-RateLimit-Reset")
IETF = ("RateLimit", "RateLimit-Policy")
UNLIMITED = 1_000_000_000
PROFILE = "auth/profile"


def remaining(client: ApiClient) -> int:
    return int(client.last.headers["X-RateLimit-Remaining"])


def of_tier(tier: str) -> ApiClient:
    return ApiClient().as_(create_user(f"of_{tier}", f"{tier}@example.com", PASSWORD, tier=tier))


@pytest.mark.shows("001/6.1.1")
@pytest.mark.parametrize(("tier", "limit"), [("free", 100), ("basic", 1000), ("enterprise", 10_000)])
def test_the_tier_decides_how_much_a_user_may(db: None, tier: str, limit: int) -> None:
    client = of_tier(tier)
    client.get(PROFILE)
    assert client.last.headers["X-RateLimit-Limit"] == str(limit)
    assert remaining(client) == limit - 1
    assert client.last.headers["RateLimit-Policy"] == f'"user";q={limit};w=3600'
    assert client.last.headers["RateLimit"] == f'"user";r={limit - 1};t=3600'


@pytest.mark.shows("001/6.1.1")
def test_the_premium_tier_is_unlimited_and_costs_no_trip_to_redis(
    db: None, monkeypatch: pytest.MonkeyPatch, settings: Settings
) -> None:
    client = of_tier("premium")
    monkeypatch.setattr("system.api.throttling.charging.limiter.take", None)
    client.get(PROFILE)
    assert client.last.headers["X-RateLimit-Limit"] == client.last.headers["X-RateLimit-Remaining"] == str(UNLIMITED)
    assert client.last.headers["RateLimit-Policy"] == f'"user";q={UNLIMITED};w=3600'


@pytest.mark.shows("000/AC-8")
@pytest.mark.shows("001/6.1.2")
def test_over_the_limit_is_429_with_all_a_client_needs(limits: Limits, plain_user: User) -> None:
    limits(free="3/hour")
    client = ApiClient().as_(plain_user)
    for expected in (2, 1, 0):
        client.get(PROFILE)
        assert remaining(client) == expected
    error = client.get(PROFILE, expect=429)
    assert error["code"] == "E00006"
    assert error["details"].keys() == {"limit", "remaining", "reset_at"}
    assert (error["details"]["limit"], error["details"]["remaining"]) == (3, 0)
    reset = int(client.last.headers["X-RateLimit-Reset"])
    assert datetime.fromisoformat(error["details"]["reset_at"]).timestamp() == reset
    wait = int(client.last.headers["Retry-After"])
    assert 3590 <= wait <= 3600
    assert time.time() < reset <= time.time() + 3601
    assert client.last.headers["RateLimit"].startswith('"user";r=0;t=3')


def test_version_2_says_it_in_its_names(limits: Limits, plain_user: User) -> None:
    limits(anonymous="1/hour")
    client = ApiClient(version="v2")
    client.get("nope", expect=404)
    error = client.get("nope", expect=429)
    assert error["details"].keys() == {"limit", "remaining", "resetAt"}


@pytest.mark.shows("001/6.2.1")
def test_users_do_not_share_a_limit(limits: Limits, plain_user: User, viewer: User) -> None:
    limits(free="1/hour")
    one, other = ApiClient().as_(plain_user), ApiClient().as_(viewer)
    one.get(PROFILE)
    one.get(PROFILE, expect=429)
    other.get(PROFILE)


@pytest.mark.shows("001/6.2.1")
def test_both_versions_and_all_sessions_count_as_one(limits: Limits, plain_user: User) -> None:
    limits(free="2/hour")
    ApiClient().as_(plain_user).get(PROFILE)
    ApiClient().as_(plain_user).get(f"{PROFILE}/")
    ApiClient().as_(plain_user).get(PROFILE, expect=429)


def call(api: ApiClient, method: str, path: str, status: int, **request: Any) -> None:
    api.send(method, path, **request)
    assert api.last.status_code == status


@pytest.mark.shows("001/6.2.1")
@pytest.mark.parametrize(
    ("method", "path", "status", "request_"),
    [
        ("GET", PROFILE, 401, {}),
        ("GET", PROFILE, 401, {"headers": {"Authorization": "Bearer nonsense"}}),
        ("GET", "nope", 404, {}),
        ("GET", "/api/v9/products", 404, {}),
        ("GET", "/api", 404, {}),
        ("DELETE", PROFILE, 405, {}),
        ("GET", PROFILE, 400, {"headers": {"X-Client-Version": "one"}}),
        ("POST", "auth/login", 400, {"body": b"{"}),
        ("POST", "auth/refresh", 401, {"body": {"refresh_token": "x"}}),
        ("GET", PROFILE, 400, {"headers": {"Host": "evil.example"}}),
    ],
    ids=lambda value: str(value)[:40],
)
def test_what_has_no_user_counts_for_its_address_once(
    api: ApiClient, db: None, limits: Limits, method: str, path: str, status: int, request_: dict[str, Any]
) -> None:
    limits(anonymous="3/hour")
    for expected in (2, 1, 0):
        call(api, method, path, status, **request_)
        assert remaining(api) == expected
    call(api, method, path, 429, **request_)
    assert api.last.json()["error"]["code"] == "E00006"
    assert int(api.last.headers["Retry-After"]) > 0


def test_addresses_do_not_share_a_limit(api: ApiClient, limits: Limits) -> None:
    limits(anonymous="1/hour")
    api.send("GET", "nope", REMOTE_ADDR="192.0.2.1")
    api.send("GET", "nope", REMOTE_ADDR="192.0.2.1")
    assert api.last.status_code == 429
    api.send("GET", "nope", REMOTE_ADDR="192.0.2.2")
    assert api.last.status_code == 404


def test_all_addresses_of_an_ipv6_customer_share_one(api: ApiClient, limits: Limits) -> None:
    limits(anonymous="1/hour")
    api.send("GET", "nope", REMOTE_ADDR="2001:db8:0:1::1")
    api.send("GET", "nope", REMOTE_ADDR="2001:db8:0:1:ffff::2")
    assert api.last.status_code == 429
    api.send("GET", "nope", REMOTE_ADDR="2001:db8:0:2::1")
    assert api.last.status_code == 404


@pytest.mark.parametrize("name", ["X-Forwarded-For", "X-Real-IP", "Forwarded", "X_Forwarded_For"])
def test_nobody_gets_a_new_limit_by_a_header(api: ApiClient, limits: Limits, name: str) -> None:
    limits(anonymous="1/hour")
    for number in range(3):
        api.send("GET", "nope", headers={name: f"198.51.100.{number}"})
    assert api.last.status_code == 429


@pytest.mark.parametrize("path", ["auth/profile", "sync/status", "nope"])
def test_403_and_404_of_a_user_count_for_the_user(limits: Limits, plain_user: User, path: str) -> None:
    limits(free="2/hour", anonymous="2/hour")
    client = ApiClient().as_(plain_user)
    statuses = [client.send("GET", path).status_code for _ in range(3)]
    assert statuses[2] == 429
    assert statuses[0] == statuses[1] != 429


def test_a_304_tells_the_limits_too(limits: Limits, viewer: User) -> None:
    client = ApiClient().as_(viewer)
    client.get("categories")
    client.send("GET", "categories", headers={"If-None-Match": client.last.headers["ETag"]})
    assert client.last.status_code == 304
    assert remaining(client) == 98


@pytest.mark.parametrize(
    "path",
    ["/health", "/health/live", "/api/v1/health", "/api/v1/system/health", "/api/v1/schema", "/api/docs", "/api/redoc"],
)
def test_health_and_documents_are_not_limited(api: ApiClient, db: None, limits: Limits, path: str) -> None:
    limits(anonymous="1/hour")
    for _ in range(3):
        assert api.send("GET", path).status_code != 429
    assert not {*COUNTS, *IETF} & set(api.last.headers)


def test_a_refused_request_is_not_carried_out(limits: Limits, plain_user: User) -> None:
    limits(free="1/hour")
    client = ApiClient().as_(plain_user)
    client.get(PROFILE)
    client.patch(PROFILE, {"email": "new@example.com"}, expect=429)
    plain_user.refresh_from_db()
    assert plain_user.email != "new@example.com"


def test_the_numbers_are_numbers_on_every_answer(limits: Limits, plain_user: User) -> None:
    client = ApiClient().as_(plain_user)
    for path, status in ((PROFILE, 200), ("sync/status", 403), ("nope", 404)):
        assert client.send("GET", path).status_code == status
        assert all(client.last.headers[name].isdecimal() for name in COUNTS)
        assert re.fullmatch(r'"\w+";r=\d+;t=\d+', client.last.headers["RateLimit"])
        assert re.fullmatch(r'"\w+";q=\d+;w=\d+', client.last.headers["RateLimit-Policy"])


def test_pushed_messages_have_a_limit_of_their_own(limits: Limits, db: None) -> None:
    """What the platform sends for a whole shop comes from a few addresses."""
    limits(anonymous="1/hour", callback="2/minute")
    form = {"content_type": "application/x-www-form-urlencoded"}
    client = ApiClient()
    for _ in range(2):
        client.call("POST", "sync/callbacks/main", b"message=x&_aop_signature=x", expect=403, **form)
    assert client.last.headers["RateLimit-Policy"] == '"callback";q=2;w=60'
    client.call("POST", "sync/callbacks/main", b"message=x&_aop_signature=x", expect=429, **form)
    client.get("sync/status", expect=401)


def test_a_costly_action_has_a_limit_of_its_own(limits: Limits, operator: User) -> None:
    limits(sync_start="1/minute")
    client = ApiClient().as_(operator)
    client.post("sync/start", {"type": "full"}, expect=422)
    assert client.last.headers["RateLimit-Policy"] == '"user";q=100;w=3600, "sync_start";q=1;w=60'
    assert client.last.headers["X-RateLimit-Limit"] == "1"
    assert client.post("sync/start", {"type": "full"}, expect=429)["details"]["limit"] == 1
    client.get("sync/status")
    assert remaining(client) == 98


def test_an_address_over_its_limit_is_refused_with_unknown_keys_before_anybody_looks(
    api: ApiClient, db: None, limits: Limits, monkeypatch: pytest.MonkeyPatch
) -> None:
    limits(anonymous="2/hour")
    looked: list[str] = []

    def look(_self: object, request: Any) -> None:
        looked.append(request.META["HTTP_X_API_KEY"])
        from rest_framework.exceptions import AuthenticationFailed

        raise AuthenticationFailed

    monkeypatch.setattr("accounts.authentication.CredentialAuthentication.authenticate", look)
    for number in range(6):
        api.send("GET", PROFILE, headers={"X-API-Key": f"made-up-{number}"})
    assert api.last.status_code == 429
    assert looked == ["made-up-0", "made-up-1", "made-up-2"]
    assert remaining(api) == 0
    suspects.forget_suspects()


def test_a_good_key_passes_from_an_address_over_its_limit(limits: Limits, viewer: User, api: ApiClient) -> None:
    limits(anonymous="1/hour")
    client = ApiClient(key=key_of(viewer))
    client.get(PROFILE)
    for _ in range(3):
        api.send("GET", PROFILE, headers={"Authorization": "Bearer nonsense"})
    assert api.last.status_code == 429
    client.get(PROFILE)
    api.get(PROFILE, headers={"X-API-Key": "unknown"}, expect=429)
    client.get(PROFILE)
