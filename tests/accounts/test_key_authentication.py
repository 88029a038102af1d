"""X-API-Key: what opens, what it allows, and how soon it ends."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import Settings

from accounts import keys, services
from accounts.authentication import authenticate_key, forget_everybody
from accounts.models import ApiKey, User
from accounts.roles import grantable_scopes
from system.errors import ApplicationError, ErrorCode
from tests.client import ApiClient, key_of
from tests.conftest import PASSWORD

HERE = "127.0.0.1"


def refused(api: ApiClient, key: str) -> Any:
    return api.with_key(key).get("auth/profile", expect=401)


@pytest.mark.parametrize(
    "bent",
    [
        lambda key: key[:-1],
        lambda key: key + "x",
        lambda key: f"{key}, {key}",
        lambda key: key.upper(),
        lambda key: key.replace("s1688_", "s1689_"),
        lambda key: key[:-1] + ("0" if key[-1] != "0" else "1"),
        lambda key: f"Bearer {key}",
        lambda _: "x" * 100_000,
        lambda _: "\xff",
        lambda _: "s1688_ab12cd34_",
        lambda _: " ",
    ],
    ids=["cut", "longer", "two", "upper", "brand", "checksum", "scheme", "100 KB", "not ASCII", "no secret", "blank"],
)
def test_bent_keys_are_refused_alike_and_ask_the_database_nothing(
    api: ApiClient, operator: User, bent: Callable[[str], str]
) -> None:
    key = key_of(operator)
    unknown = refused(api, keys.new_secret().key)
    with CaptureQueriesContext(connection) as queries:
        assert refused(api, bent(key)) == unknown
    assert api.with_key(key).get("auth/profile")["username"] == "operator"
    assert len(queries) == 0


def test_guessing_a_prefix_asks_the_database_once(api: ApiClient, operator: User) -> None:
    guess = keys.new_secret().key
    refused(api, guess)
    with CaptureQueriesContext(connection) as queries:
        refused(api, guess)
    assert len(queries) == 0


def test_a_known_prefix_with_another_secret_is_refused(api: ApiClient, operator: User) -> None:
    key = key_of(operator)
    body = f"{key[:15]}{'a' * keys.SECRET_LENGTH}"
    assert refused(api, body + keys.checksum(body)) == refused(api, keys.new_secret().key)


def test_a_key_in_the_address_is_an_unknown_parameter(api: ApiClient, operator: User, viewer: User) -> None:
    api.send("GET", f"auth/profile?api_key={key_of(operator)}")
    assert api.last.status_code == 401
    assert "api_key" in api.as_(viewer).get(f"auth/profile?api_key={key_of(operator)}", expect=400)["details"]


@pytest.mark.parametrize(
    "change",
    [
        lambda key, _owner: ApiKey.objects.filter(pk=key.pk).update(revoked_at=timezone.now()),
        lambda key, _owner: ApiKey.objects.filter(pk=key.pk).update(hash="0" * 64),
        lambda key, _owner: ApiKey.objects.filter(pk=key.pk).update(expires_at=timezone.now()),
        lambda _key, owner: User.objects.filter(pk=owner.pk).update(status="suspended"),
        lambda _key, owner: User.objects.filter(pk=owner.pk).update(deleted_at=timezone.now()),
    ],
    ids=["revoked", "reset", "expired", "owner disabled", "owner deleted"],
)
def test_an_end_elsewhere_counts_within_five_seconds(
    api: ApiClient, operator: User, settings: Settings, change: Callable[[ApiKey, User], None]
) -> None:
    client = api.with_key(key_of(operator))
    client.get("auth/profile")
    change(ApiKey.objects.get(), operator)
    assert settings.USER_STATE_CACHE_SECONDS <= 5
    settings.USER_STATE_CACHE_SECONDS = 0
    client.get("auth/profile", expect=401)


def test_a_key_expires_although_it_is_remembered(
    api: ApiClient, operator: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    client = api.with_key(key_of(operator, expires_at=timezone.now() + timedelta(hours=1)))
    client.get("auth/profile")
    later = timezone.now() + timedelta(hours=2)
    monkeypatch.setattr("accounts.authentication.credentials.timezone.now", lambda: later)
    client.get("auth/profile", expect=401)


@pytest.mark.parametrize("role", ["plain_user", "viewer", "operator", "admin"])
@pytest.mark.parametrize("scope", ["read", "write", "sync", "admin"])
def test_scopes_reach_as_far_as_the_role(request: pytest.FixtureRequest, role: str, scope: str) -> None:
    owner = request.getfixturevalue(role)
    allowed = grantable_scopes([] if role == "plain_user" else [role])
    if scope in allowed:
        key = key_of(owner, scope)
        assert authenticate_key(key, HERE).scopes == {"read", scope} | (set(allowed) if scope == "admin" else set())
    else:
        with pytest.raises(ApplicationError) as refusal:
            key_of(owner, scope)
        assert refusal.value.code == ErrorCode.SCOPE_NOT_GRANTABLE
        assert refusal.value.details == {"scopes": list(allowed)}


def test_a_lost_role_narrows_the_keys_one_has(admin: User) -> None:
    key = key_of(admin, "admin")
    admin.groups.set(Group.objects.filter(name="operator"))
    forget_everybody()
    user = authenticate_key(key, HERE)
    assert user.scopes == {"read", "write", "sync"}
    assert not user.has_role("admin")


@pytest.mark.parametrize(
    ("scope", "method", "path", "body", "expect"),
    [
        ("read", "GET", "products", None, 200),
        ("read", "PATCH", "auth/profile", {"email": "new@example.com"}, 403),
        ("write", "PATCH", "auth/profile", {"email": "new@example.com"}, 200),
        ("sync", "PATCH", "auth/profile", {"email": "new@example.com"}, 403),
        ("read", "GET", "users", None, 403),
        ("write", "GET", "users", None, 403),
        ("sync", "GET", "users", None, 403),
        ("admin", "GET", "users", None, 200),
    ],
)
def test_a_key_allows_what_its_scopes_name(
    api: ApiClient, admin: User, scope: str, method: str, path: str, body: Any, expect: int
) -> None:
    answer = api.with_key(key_of(admin, scope)).call(method, path, body, expect=expect)
    assert expect == 200 or answer["code"] == "E04005"


def test_a_key_does_not_raise_its_owner(api: ApiClient, plain_user: User) -> None:
    client = api.with_key(key_of(plain_user))
    client.get("sync/jobs", expect=403)
    client.get("users", expect=403)


@pytest.mark.parametrize(
    ("allowed", "address", "fits"),
    [
        (["203.0.113.7"], "203.0.113.7", True),
        (["203.0.113.7"], "203.0.113.8", False),
        (["203.0.113.0/24", "2001:db8::/32"], "203.0.113.255", True),
        (["203.0.113.0/24", "2001:db8::/32"], "2001:db8::1", True),
        (["203.0.113.0/24"], "::ffff:203.0.113.9", True),
        (["203.0.113.0/24"], "2001:db8::1", False),
        (["2001:db8::/32"], "203.0.113.9", False),
        (["203.0.113.0/24"], "", False),
        ([], "", True),
    ],
)
def test_a_key_works_from_its_addresses(operator: User, allowed: list[str], address: str, fits: bool) -> None:
    key = key_of(operator, allowed_ips=tuple(allowed))
    if fits:
        assert authenticate_key(key, address).id == operator.pk
    else:
        with pytest.raises(ApplicationError) as refusal:
            authenticate_key(key, address)
        assert refusal.value.code == ErrorCode.ADDRESS_REFUSED


def test_from_another_address_is_forbidden_and_says_so(api: ApiClient, operator: User) -> None:
    key = key_of(operator, allowed_ips=("203.0.113.7",))
    assert api.with_key(key).get("auth/profile", expect=403)["code"] == "E04007"


def test_the_last_use_is_written_down_once_a_minute(api: ApiClient, operator: User) -> None:
    client = api.with_key(key_of(operator))
    client.get("auth/profile")
    first = ApiKey.objects.get().last_used_at
    assert first is not None
    for _ in range(3):
        forget_everybody()
        client.get("auth/profile")
    assert ApiKey.objects.get().last_used_at == first
    ApiKey.objects.update(last_used_at=first - timedelta(seconds=61))
    forget_everybody()
    client.get("auth/profile")
    again = ApiKey.objects.get().last_used_at
    assert again is not None
    assert again > first - timedelta(seconds=1)


def test_a_remembered_key_costs_no_query(operator: User) -> None:
    key = key_of(operator)
    authenticate_key(key, HERE)
    with CaptureQueriesContext(connection) as queries:
        authenticate_key(key, HERE)
    assert len(queries) == 0


@pytest.mark.shows("001/4.1")
def test_version_2_needs_token_and_key_of_the_same_user(operator: User, viewer: User) -> None:
    version2 = ApiClient(version="v2")
    token, key = services.open_session(operator)["token"], key_of(operator)
    assert version2.with_key(key, token=token).get("auth/profile")["username"] == "operator"
    for client, missing in ((version2.with_token(token), "X-API-Key"), (version2.with_key(key), "Authorization")):
        error = client.get("auth/profile", expect=401)
        assert (error["code"], error["details"]) == ("E04006", {"missing": [missing]})
        assert client.last.headers["WWW-Authenticate"] == "Bearer"
    version2.get("auth/profile", expect=401)
    version2.with_key(key_of(viewer), token=token).get("auth/profile", expect=401)
    version2.with_key(key, token="x").get("auth/profile", expect=401)
    version2.with_key("x", token=token).get("auth/profile", expect=401)


def test_in_version_2_the_scopes_of_the_key_count(operator: User) -> None:
    token = services.open_session(operator)["token"]
    client = ApiClient(version="v2").with_key(key_of(operator, "read"), token=token)
    client.patch("auth/profile", {"email": "new@example.com"}, expect=403)


def test_version_1_takes_either_and_of_both_the_scopes_of_the_key(api: ApiClient, operator: User, viewer: User) -> None:
    token, key = services.open_session(operator)["token"], key_of(operator, "read")
    api.with_token(token).get("auth/profile")
    api.with_key(key).get("auth/profile")
    api.with_key(key, token=token).patch("auth/profile", {"email": "new@example.com"}, expect=403)
    api.with_key(key_of(viewer), token=token).get("auth/profile", expect=401)
    api.with_key("x", token=token).get("auth/profile", expect=401)


@pytest.mark.parametrize("version", ["v1", "v2"])
def test_a_key_sent_along_takes_nothing_from_a_token_where_no_key_is_needed(version: str, operator: User) -> None:
    session = services.open_session(operator)
    client = ApiClient(version=version).with_key(key_of(operator, "read"), token=session["token"])
    client.post("auth/api-keys", {"name": "second"}, expect=201)
    assert client.post("auth/logout", {"refresh_token": session["refresh_token"]}) is None


@pytest.mark.shows("001/4.2")
def test_version_2_signs_in_and_makes_its_key_without_a_key(operator: User) -> None:
    version2 = ApiClient(version="v2")
    session = version2.post("auth/login", {"username": "operator@example.com", "password": PASSWORD})
    assert {"token", "tokenType", "expiresIn", "refreshToken"} <= set(session)
    session = version2.post("auth/refresh", {"refresh_token": session["refreshToken"]})
    by_token = version2.with_token(session["token"])
    made = by_token.post("auth/api-keys", {"name": "shop system"}, expect=201)
    assert {"apiKey", "createdAt", "expiresAt"} <= set(made)
    assert by_token.get("auth/api-keys")[0]["apiKey"] == f"{made['apiKey'][:14]}_…"
    version2.with_key(made["apiKey"], token=session["token"]).get("auth/profile")
    by_token.post("auth/logout", {"refresh_token": session["refreshToken"]})


def test_answers_tell_caches_that_keys_differ(api: ApiClient, operator: User) -> None:
    api.with_key(key_of(operator)).get("auth/profile")
    client = api.with_key(key_of(operator))
    client.get("auth/profile")
    assert {"Authorization", "X-API-Key"} <= set(client.last.headers["Vary"].split(", "))
    assert client.last.headers["Cache-Control"] == "private"
