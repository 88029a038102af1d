"""Signing in costs the server a password hash; how many anybody can make it compute is bounded."""

from typing import Any

import pytest
from django.contrib.auth.hashers import MD5PasswordHasher
from django.test import Client
from django.urls import reverse

from accounts.models import User
from tests.api.limits.conftest import Limits
from tests.client import ApiClient
from tests.conftest import PASSWORD


@pytest.fixture
def hashes(monkeypatch: pytest.MonkeyPatch, plain_user: User) -> list[str]:
    """Every password that was hashed since."""
    seen: list[str] = []
    encode = MD5PasswordHasher.encode

    def noting(self: Any, password: str, salt: str) -> str:
        seen.append(password)
        return str(encode(self, password, salt))

    monkeypatch.setattr(MD5PasswordHasher, "encode", noting)
    return seen


def guess(api: ApiClient, name: str, attempt: str = "not it", **request: Any) -> int:
    body = {"username": name, "password": attempt}
    return int(api.send("POST", "auth/login", body, **request).status_code)


@pytest.mark.shows("001/6.2.1")
def test_an_address_may_try_so_often_and_then_nothing_is_hashed(
    api: ApiClient, limits: Limits, hashes: list[str]
) -> None:
    limits(login="3/minute")
    statuses = [guess(api, f"somebody{number}") for number in range(6)]
    assert statuses == [401] * 3 + [429] * 3
    assert len(hashes) == 3


def test_a_name_may_be_tried_so_often_from_everywhere(api: ApiClient, limits: Limits, hashes: list[str]) -> None:
    limits(login_name="3/minute")
    statuses = [guess(api, "plain", REMOTE_ADDR=f"192.0.2.{number}") for number in range(6)]
    assert statuses == [401] * 3 + [429] * 3
    assert len(hashes) == 3
    assert guess(api, "PLAIN", REMOTE_ADDR="192.0.2.9") == 429
    assert guess(api, "other", REMOTE_ADDR="192.0.2.9") == 401


def test_the_right_password_does_not_pass_either(api: ApiClient, limits: Limits, hashes: list[str]) -> None:
    limits(login_name="1/minute")
    guess(api, "plain")
    assert guess(api, "plain", PASSWORD) == 429


def test_whether_a_name_exists_does_not_show(api: ApiClient, limits: Limits, hashes: list[str]) -> None:
    limits(login_name="2/minute")
    known = [guess(api, "plain") for _ in range(3)]
    unknown = [guess(api, "nobody") for _ in range(3)]
    assert known == unknown == [401, 401, 429]


def test_a_sign_in_counts_for_the_address_once_and_tells_all_its_limits(
    api: ApiClient, limits: Limits, hashes: list[str]
) -> None:
    assert guess(api, "plain", PASSWORD) == 200
    assert api.last.headers["RateLimit"] == '"ip";r=999;t=3600, "login";r=59;t=60, "login_name";r=19;t=60'
    assert api.last.headers["X-RateLimit-Remaining"] == "19"


def test_what_is_no_sign_in_uses_up_no_name(api: ApiClient, limits: Limits, hashes: list[str]) -> None:
    limits(login_name="1/minute")
    for _ in range(3):
        api.post("auth/login", {"username": "plain"}, expect=400)
    assert guess(api, "plain", PASSWORD) == 200


def test_a_password_too_long_is_refused_before_it_is_hashed(api: ApiClient, limits: Limits, hashes: list[str]) -> None:
    assert guess(api, "plain", "x" * 129) == 400
    assert hashes == []


def test_the_back_office_is_no_way_around(api: ApiClient, limits: Limits, hashes: list[str], client: Client) -> None:
    limits(login_name="2/minute")

    def enter(name: str) -> Any:
        form = {"username": name, "password": PASSWORD}
        return client.post(reverse("admin:login"), form, headers={"Accept-Language": "en"})

    assert [enter("plain").status_code for _ in range(2)] == [200, 200]
    assert guess(api, "plain", PASSWORD) == 429
    refused = enter("Plain")
    assert refused.status_code == 429
    assert int(refused.headers["Retry-After"]) >= 1
    assert refused.content.startswith(b"Too many requests")
    assert enter("other").status_code == 200
    assert len(hashes) == 3
