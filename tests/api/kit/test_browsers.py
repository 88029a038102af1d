"""What browsers are told: which pages may call, what they may read, and what they must not do with an answer."""

from ipaddress import ip_network
from typing import Any

import pytest
from django.test import Client
from pytest_django import Settings

from accounts.models import User
from system.api.throttling import rates
from tests.client import ApiClient

SHOP = "https://shop.example"
METHODS = {"GET", "POST", "PUT", "PATCH", "DELETE"}
MAY_SEND = {
    "authorization",
    "x-api-key",
    "content-type",
    "accept-language",
    "idempotency-key",
    "if-match",
    "if-none-match",
    "x-request-id",
    "x-client-version",
}
MAY_READ = {
    "ETag",
    "Link",
    "Location",
    "X-RateLimit-Limit",
    "X-RateLimit-Remaining",
    "X-RateLimit-Reset",
    "RateLimit",
    "RateLimit-Policy",
    "Retry-After",
    "X-Request-ID",
    "Idempotent-Replayed",
    "Deprecation",
    "Sunset",
}


@pytest.fixture(autouse=True)
def shop_may_call(settings: Settings) -> None:
    settings.CORS_ALLOWED_ORIGINS = [SHOP]


def words(answer: Any, name: str) -> set[str]:
    return set(answer.headers[name].split(", "))


def preflight(api: ApiClient, origin: str) -> Any:
    asked = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "authorization"}
    return api.send("OPTIONS", "echo", headers={"Origin": origin, **asked})


@pytest.mark.shows("000/M-5")
@pytest.mark.shows("001/8.3.1")
def test_a_listed_page_is_told_what_it_may_send_and_read(api: ApiClient) -> None:
    answer = preflight(api, SHOP)
    assert answer.status_code == 200
    assert answer.headers["Access-Control-Allow-Origin"] == SHOP
    assert answer.headers["Access-Control-Allow-Credentials"] == "true"
    assert words(answer, "Access-Control-Allow-Methods") == METHODS
    assert words(answer, "Access-Control-Allow-Headers") == MAY_SEND
    assert words(answer, "Access-Control-Expose-Headers") == MAY_READ
    assert "origin" in answer.headers["Vary"].lower()


@pytest.mark.shows("001/8.3.1")
@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example",
        "http://shop.example",
        "https://shop.example:8443",
        "https://shop.example.evil.example",
        "https://evil.example#shop.example",
        "null",
        "*",
        "https://[",
    ],
)
def test_any_other_page_is_told_nothing(api: ApiClient, origin: str) -> None:
    for answer in (preflight(api, origin), api.send("GET", "echo", headers={"Origin": origin})):
        assert not [name for name in answer.headers if name.startswith("Access-Control")]


@pytest.mark.parametrize(
    ("path", "status"), [("echo", 200), ("nope", 404), ("errors/bug", 500), ("plain/html", 418), ("roles/user", 401)]
)
def test_a_listed_page_may_read_every_answer(api: ApiClient, db: None, path: str, status: int) -> None:
    answer = api.send("GET", path, headers={"Origin": SHOP})
    assert answer.status_code == status
    assert answer.headers["Access-Control-Allow-Origin"] == SHOP


def test_it_may_read_a_429_too(api: ApiClient, settings: Settings, redis_url: str) -> None:
    settings.THROTTLE_RATES = rates.rates() | {"anonymous": "1/hour"}
    for _ in range(2):
        answer = api.send("GET", "nope", headers={"Origin": SHOP})
    assert answer.status_code == 429
    assert answer.headers["Access-Control-Allow-Origin"] == SHOP


@pytest.mark.parametrize("path", ["echo", "nope", "errors/bug", "plain/html", "roles/user", "health"])
def test_nothing_in_an_answer_can_run_be_framed_or_be_guessed(api: ApiClient, db: None, path: str) -> None:
    headers = api.send("GET", path).headers
    assert headers["Content-Security-Policy"] == "default-src 'none'; frame-ancestors 'none'"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["X-Frame-Options"] == "DENY"
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["Cache-Control"] in {"no-store", "private"}


def test_the_documents_keep_their_own_policy(api: ApiClient) -> None:
    assert "script-src 'self'" in api.send("GET", "/api/docs").headers["Content-Security-Policy"]


@pytest.mark.shows("001/8.3.2")
def test_cookies_mean_nothing_to_the_api(viewer: User) -> None:
    """So nothing that a foreign page makes a browser send can act in a user's name."""
    browser = Client()
    browser.force_login(viewer)
    assert browser.get("/api/v1/auth/profile").status_code == 401
    answer = browser.post("/api/v1/auth/logout", {"refresh_token": "x"}, content_type="application/json")
    assert answer.status_code == 401
    assert not answer.cookies


@pytest.mark.shows("001/8.3.2")
def test_pages_that_keep_a_session_want_a_token_with_every_form(viewer: User) -> None:
    browser = Client(enforce_csrf_checks=True)
    browser.force_login(viewer)
    assert browser.post("/admin/logout/").status_code == 403


@pytest.fixture
def https_only(settings: Settings) -> None:
    settings.SECURE_SSL_REDIRECT = True
    settings.SECURE_HSTS_SECONDS = 31_536_000
    settings.SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")


@pytest.mark.shows("001/8.1.1")
@pytest.mark.usefixtures("https_only")
def test_what_reads_without_a_secret_is_sent_to_https(api: ApiClient) -> None:
    for path in ("echo", "/admin/"):
        answer = api.send("GET", path)
        assert answer.status_code == 301
        assert answer.headers["Location"].startswith("https://")


@pytest.mark.shows("001/8.1.1")
@pytest.mark.usefixtures("https_only")
@pytest.mark.parametrize(
    ("method", "headers"),
    [("POST", {}), ("DELETE", {}), ("GET", {"Authorization": "Bearer x"}), ("GET", {"X-API-Key": "x"})],
)
def test_a_secret_in_clear_is_refused_and_not_sent_on(api: ApiClient, method: str, headers: dict[str, str]) -> None:
    error = api.call(method, "echo", expect=403, headers={**headers, "Accept-Language": "en"})
    assert error["suggestion"].startswith("Call the https address")
    assert "Location" not in api.last.headers


@pytest.mark.usefixtures("https_only")
def test_https_is_promised_for_a_year(api: ApiClient) -> None:
    for path in ("echo", "nope", "plain/html"):
        answer = api.send("GET", path, secure=True)
        assert answer.headers["Strict-Transport-Security"] == "max-age=31536000"


@pytest.mark.usefixtures("https_only")
def test_only_our_proxy_may_say_that_it_was_https(api: ApiClient, settings: Settings) -> None:
    said = {"X-Forwarded-Proto": "https", "Authorization": "Bearer x"}
    assert api.send("GET", "echo", headers=said).status_code == 403
    settings.TRUSTED_PROXIES = (ip_network("127.0.0.0/8"),)
    assert api.send("GET", "echo", headers=said).status_code == 200


@pytest.mark.usefixtures("https_only")
def test_a_health_check_over_plain_http_is_answered(api: ApiClient, db: None) -> None:
    assert api.send("GET", "/health/live").status_code == 200
