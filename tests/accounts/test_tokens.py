"""Forged, bent and stale access tokens: always 401, always the same body, never a 500."""

import time
from collections.abc import Callable
from typing import Any

import jwt
import pytest
from django.conf import settings

from accounts import services
from accounts.models import User
from tests.client import ApiClient

KEY = settings.SIMPLE_JWT["SIGNING_KEY"]
FAR = 4_000_000_000
RS256_HEAD = jwt.utils.base64url_encode(b'{"alg":"RS256","typ":"JWT"}').decode()


@pytest.fixture
def claims(operator: User) -> dict[str, Any]:
    token = services.open_session(operator)["token"]
    return jwt.decode(token, KEY, algorithms=["HS256"], audience="1688sync-api")


def signed(claims: dict[str, Any], key: str = KEY, algorithm: str = "HS256", **headers: Any) -> str:
    return jwt.encode(claims, key, algorithm=algorithm, headers=headers)


def test_a_token_names_user_role_and_session(claims: dict[str, Any], operator: User) -> None:
    assert (claims["sub"], claims["username"], claims["roles"]) == (str(operator.pk), "operator", ["operator"])
    assert (claims["iss"], claims["aud"], claims["tier"], claims["tv"]) == ("1688sync", "1688sync-api", "free", 0)
    assert claims["exp"] - claims["iat"] == settings.ACCESS_TOKEN_SECONDS
    assert claims["jti"]
    assert claims["family"]


def test_an_untouched_payload_is_accepted(api: ApiClient, claims: dict[str, Any]) -> None:
    api.with_token(signed(claims)).get("auth/profile")


@pytest.mark.parametrize(
    "changes",
    [
        {"exp": 1},
        {"exp": str(FAR)},
        {"exp": -1},
        {"exp": 10**30},
        {"exp": None},
        {"exp": 1e300},
        {"nbf": FAR},
        {"iat": FAR},
        {"aud": "other"},
        {"iss": "other"},
        {"sub": "1 or 1=1"},
        {"sub": None},
        {"sub": [1]},
        {"sub": 1},
        {"sub": "999999999"},
        {"sub": "٣"},
        {"token_type": "refresh"},
        {"token_type": "sliding"},
        {"tv": 7},
        {"tv": "0"},
        {"family": "0" * 32},
        {"family": "%"},
        {"family": {}},
        {"roles": "admin"},
    ],
    ids=str,
)
def test_changed_claims_are_refused(api: ApiClient, claims: dict[str, Any], changes: dict[str, Any]) -> None:
    try:
        token = signed(claims | changes)
    except TypeError:
        token = jwt.api_jws.encode(str(claims | changes).encode(), KEY)
    assert api.with_token(token).get("auth/profile", expect=401) == refusal(api)


@pytest.mark.parametrize("missing", ["exp", "iat", "jti", "sub", "tv", "family", "token_type", "aud", "iss"])
def test_missing_claims_are_refused(api: ApiClient, claims: dict[str, Any], missing: str) -> None:
    del claims[missing]
    api.with_token(signed(claims)).get("auth/profile", expect=401)


@pytest.mark.parametrize(
    "forge",
    [
        lambda claims: signed(claims, key="another key of thirty-two characters"),
        lambda claims: signed(claims, algorithm="HS512"),
        lambda claims: jwt.encode(claims, "", algorithm="none"),
        lambda claims: signed(claims).replace(signed(claims).split(".")[0], RS256_HEAD),
        lambda claims: signed(claims).rpartition(".")[0] + ".",
        lambda claims: signed(claims).rpartition(".")[0],
        lambda claims: signed(claims, crit=["b64"], b64=False),
        lambda _: "x" * 100_000,
        lambda _: "a.b.c",
        lambda _: "é.é.é",
        lambda _: "",
    ],
    ids=[
        "key",
        "HS512",
        "none",
        "RS256",
        "empty signature",
        "no signature",
        "crit",
        "100 KB",
        "garbage",
        "not ASCII",
        "empty",
    ],
)
def test_forged_tokens_are_refused(
    api: ApiClient, claims: dict[str, Any], forge: Callable[[dict[str, Any]], str]
) -> None:
    assert api.with_token(forge(claims)).get("auth/profile", expect=401) == refusal(api)


@pytest.mark.parametrize("spelling", ["none", "NONE", "nOnE"])
def test_unsigned_tokens_are_refused_in_every_spelling(api: ApiClient, claims: dict[str, Any], spelling: str) -> None:
    head = jwt.utils.base64url_encode(f'{{"alg":"{spelling}","typ":"JWT"}}'.encode()).decode()
    payload = signed(claims).split(".")[1]
    api.with_token(f"{head}.{payload}.").get("auth/profile", expect=401)


@pytest.mark.parametrize("header", ["kid", "jku", "x5u", "jwk"])
def test_key_hints_in_the_header_change_nothing(api: ApiClient, claims: dict[str, Any], header: str) -> None:
    api.with_token(signed(claims, "another key of thirty-two characters", **{header: "../../dev/null"})).get(
        "auth/profile", expect=401
    )


@pytest.mark.parametrize("header", ["Basic b3A6eA==", "bearer", "Bearer", "Bearer a, Bearer b", "Token x", "\xff"])
def test_other_credentials_are_refused_alike(api: ApiClient, db: None, header: str) -> None:
    response = api.get("auth/profile", expect=401, headers={"Authorization": header})
    assert response == refusal(api)
    assert api.last.headers["WWW-Authenticate"] == "Bearer"


def test_a_token_expires_although_it_is_remembered(
    api: ApiClient, claims: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    client = api.with_token(signed(claims))
    client.get("auth/profile")
    now = time.time()
    monkeypatch.setattr("accounts.tokens.time.time", lambda: now + settings.ACCESS_TOKEN_SECONDS + 60)
    client.get("auth/profile", expect=401)


def refusal(api: ApiClient) -> Any:
    return api.get("auth/profile", expect=401)
