"""Access tokens: when they are renewed, and what the platform may answer."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from syncjobs.connectors.alibaba1688.tokens import Tokens
from syncjobs.connectors.http import HttpClient
from syncjobs.connectors.registry import Credentials
from syncjobs.engine.errors import EngineError, FatalSourceError, QuotaExhausted, RetryableSourceError
from tests.connectors.alibaba1688.support import CountingGate, Store, http_answer, serving

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
OLD = Credentials(app_key="1000000", app_secret="test123", access_token="old", refresh_token="again")
RENEWED = {
    "aliId": "8800000000001",
    "resource_owner": "一号店",
    "memberId": "b2b-8800000000001",
    "expires_in": "35999",
    "access_token": "new",
}


def credentials(**changes: Any) -> Credentials:
    return Credentials(**{name: getattr(OLD, name) for name in OLD.__struct_fields__} | changes)


def current(store: Store, url: str = "http://127.0.0.1:1") -> Credentials:
    return Tokens(store, HttpClient(["127.0.0.1"]), CountingGate(), url, lambda: NOW).current()


def renewed_by(body: Any, status: str = "200 OK", stale: Credentials = OLD) -> tuple[Credentials, bytes]:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    store = Store(stale)
    with serving(http_answer(content, status)) as (url, requests):
        fresh = Tokens(store, HttpClient(["127.0.0.1"]), CountingGate(), url, lambda: NOW).renew(stale)
    assert store.load() == fresh
    return fresh, requests[0]


def refused_by(body: Any, status: str) -> EngineError:
    with pytest.raises(EngineError) as refusal:
        renewed_by(body, status)
    assert "again" not in str(refusal.value)
    assert "test123" not in str(refusal.value)
    return refusal.value


@pytest.mark.parametrize("left", [timedelta(minutes=10), timedelta(hours=9), None])
def test_a_token_that_lasts_is_used_as_it_is(left: timedelta | None) -> None:
    stored = credentials(access_expires_at=None if left is None else NOW + left)
    assert current(Store(stored)) == stored


@pytest.mark.parametrize("left", [timedelta(minutes=9, seconds=59), timedelta(hours=-1)])
def test_a_token_that_is_about_to_end_is_renewed_before_the_call(left: timedelta) -> None:
    store = Store(credentials(access_expires_at=NOW + left))
    with serving(http_answer(json.dumps(RENEWED).encode())) as (url, _):
        assert current(store, url).access_token == "new"


def test_without_an_access_token_one_is_fetched() -> None:
    with serving(http_answer(json.dumps(RENEWED).encode())) as (url, _):
        assert current(Store(credentials(access_token="")), url).access_token == "new"


def test_an_ending_token_that_cannot_be_renewed_is_used_to_its_end() -> None:
    stored = credentials(access_expires_at=NOW, refresh_token="")
    assert current(Store(stored)) == stored


def test_a_source_without_any_token_needs_an_authorisation() -> None:
    with pytest.raises(FatalSourceError) as refusal:
        current(Store(credentials(access_token="", refresh_token="")))
    assert refusal.value.code == "needs_authorization"
    assert refusal.value.suggestion


def test_the_exchange_is_an_unsigned_post() -> None:
    _, request = renewed_by(RENEWED)
    head, _, body = request.partition(b"\r\n\r\n")
    assert head.startswith(b"POST /openapi/http/1/system.oauth2/getToken/1000000 HTTP/1.1")
    assert body == b"grant_type=refresh_token&client_id=1000000&client_secret=test123&refresh_token=again"


def test_a_refresh_keeps_the_refresh_token_when_the_answer_has_none() -> None:
    ends = NOW + timedelta(days=100)
    fresh, _ = renewed_by(RENEWED, stale=credentials(refresh_expires_at=ends))
    assert (fresh.access_token, fresh.refresh_token, fresh.refresh_expires_at) == ("new", "again", ends)
    assert fresh.access_expires_at == NOW + timedelta(seconds=35999)


def test_a_new_refresh_token_and_its_end_are_kept() -> None:
    body = RENEWED | {"refresh_token": "next", "refresh_token_timeout": "20260517222222000+0800", "expires_in": 36000}
    fresh, _ = renewed_by(body)
    assert (fresh.refresh_token, fresh.refresh_expires_at) == ("next", datetime(2026, 5, 17, 14, 22, 22, tzinfo=UTC))


def test_a_permanent_token_has_no_end() -> None:
    assert renewed_by({"access_token": "new"})[0].access_expires_at is None


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"error_code": "400", "error_message": "refresh token is invalid or expired"}, "400 Bad Request"),
        (b"bad request", "400 Bad Request"),
        ({"error": "invalid_client"}, "401 Unauthorized"),
        ({"error_code": "401", "error_message": "bad refresh_token"}, "200 OK"),
    ],
)
def test_a_refused_refresh_token_needs_an_authorisation(body: Any, status: str) -> None:
    assert refused_by(body, status).code == "needs_authorization"


@pytest.mark.parametrize(
    ("body", "status", "kind", "code"),
    [
        ({"error_code": "gw.AppKeyNotFound"}, "400 Bad Request", FatalSourceError, "app_key_unknown"),
        ({"error_code": "gw.QosAppFrequencyLimit"}, "400 Bad Request", RetryableSourceError, "rate_limited"),
        ({"error_code": "gw.NoUsageLeftError"}, "400 Bad Request", QuotaExhausted, "quota_exhausted"),
        (b"", "503 Service Unavailable", RetryableSourceError, "server_error"),
        (b"<html>", "200 OK", RetryableSourceError, "bad_answer"),
        ({"access_token": None}, "200 OK", RetryableSourceError, "bad_answer"),
        ({"access_token": "new", "expires_in": "soon"}, "200 OK", RetryableSourceError, "bad_answer"),
    ],
)
def test_other_trouble_says_nothing_about_the_refresh_token(
    body: Any, status: str, kind: type[EngineError], code: str
) -> None:
    error = refused_by(body, status)
    assert isinstance(error, kind)
    assert error.code == code
