"""POST auth/login."""

from typing import Any

import pytest

from accounts.models import User
from tests.client import ApiClient
from tests.conftest import PASSWORD

SESSION_KEYS = {"token", "token_type", "expires_in", "refresh_token", "user"}
USER_KEYS = {"id", "username", "email", "status", "tier", "roles", "last_login_at", "created_at", "updated_at"}


@pytest.mark.shows("000/1 POST auth/login")
def test_login_answers_a_session(api: ApiClient, operator: User) -> None:
    session = api.post("auth/login", {"username": "operator", "password": PASSWORD})
    assert set(session) == SESSION_KEYS
    assert (session["token_type"], session["expires_in"]) == ("Bearer", 3600)
    assert set(session["user"]) == USER_KEYS
    assert session["user"]["roles"] == ["operator"]
    assert api.last.headers["Cache-Control"] == "no-store"


def test_login_takes_the_email_address_too(api: ApiClient, operator: User) -> None:
    assert (
        api.post("auth/login", {"username": "Operator@Example.com", "password": PASSWORD})["user"]["id"] == operator.pk
    )


def test_login_sets_the_time_of_the_last_login(api: ApiClient, operator: User) -> None:
    api.post("auth/login", {"username": "operator", "password": PASSWORD})
    operator.refresh_from_db()
    assert operator.last_login is not None


def test_the_token_opens_the_profile(api: ApiClient, operator: User) -> None:
    session = api.post("auth/login", {"username": "operator", "password": PASSWORD})
    profile = api.with_token(session["token"]).get("auth/profile")
    assert profile == session["user"] | {"followed_shops": []}


@pytest.mark.parametrize("status", ["inactive", "suspended"])
def test_a_disabled_user_gets_the_answer_of_a_wrong_password(api: ApiClient, operator: User, status: str) -> None:
    wrong = api.post("auth/login", {"username": "operator", "password": "wrong"}, expect=401)
    User.objects.filter(pk=operator.pk).update(status=status)
    assert api.post("auth/login", {"username": "operator", "password": PASSWORD}, expect=401) == wrong


@pytest.mark.parametrize("username", ["nobody", "operator ", "ｏperator", "' OR 1=1 --", "nobody@example.com"])
def test_an_unknown_name_gets_the_answer_of_a_wrong_password(api: ApiClient, operator: User, username: str) -> None:
    wrong = api.post("auth/login", {"username": "operator", "password": "wrong"}, expect=401)
    assert api.post("auth/login", {"username": username, "password": PASSWORD}, expect=401) == wrong
    assert api.last.headers["WWW-Authenticate"] == "Bearer"


def test_known_unknown_and_disabled_names_cost_one_hash_each(
    api: ApiClient, operator: User, viewer: User, real_passwords: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    from django.contrib.auth.hashers import PBKDF2PasswordHasher

    hashed: list[str] = []
    encode = PBKDF2PasswordHasher.encode

    def counted(self: PBKDF2PasswordHasher, password: str, salt: str, iterations: int | None = None) -> str:
        hashed.append(password)
        return encode(self, password, salt, iterations)

    monkeypatch.setattr(PBKDF2PasswordHasher, "encode", counted)
    User.objects.filter(pk=viewer.pk).update(status="suspended")
    for username in ("operator", "nobody", "viewer", "ｏperator", "operator@example.com", "nobody@example.com"):
        hashed.clear()
        api.post("auth/login", {"username": username, "password": "wrong"}, expect=401)
        assert hashed == ["wrong"]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"username": "operator"}, "password"),
        ({"password": "x"}, "username"),
        ({"username": {"a": 1}, "password": "x"}, "username"),
        ({"username": "a\0b", "password": "x"}, "username"),
        ({"username": "operator", "password": "x" * 129}, "password"),
        ({"username": "operator", "password": 12345678}, "password"),
        ({"username": "operator", "password": "x", "is_admin": True}, "is_admin"),
    ],
)
def test_a_malformed_body_names_the_field(api: ApiClient, db: None, body: dict[str, Any], field: str) -> None:
    assert field in api.post("auth/login", body, expect=400)["details"]


def test_a_stale_token_does_not_hinder_signing_in(api: ApiClient, operator: User) -> None:
    api.with_token("stale").post("auth/login", {"username": "operator", "password": PASSWORD})
