"""The printed examples of signing in, renewing and keys, replayed against version 2 (seed 001, section 4)."""

from typing import Any

import pytest

from accounts.models import User
from accounts.services import create_user
from tests.client import ApiClient

LOGIN = {"username": "user@example.com", "password": "password123"}


@pytest.fixture
def user(db: None) -> User:
    """The user of the examples; its password is none that a user could choose."""
    return create_user("user", "user@example.com", "password123", tier="enterprise", any_password=True)


@pytest.fixture
def version2() -> ApiClient:
    return ApiClient(version="v2")


def sent(client: ApiClient, path: str, body: bytes, **headers: str) -> Any:
    """The whole answer to a body sent letter by letter."""
    response = client.send("POST", path, body, headers=headers)
    assert response.status_code == 200, response.content
    return response.json()


@pytest.mark.shows("001/4.2")
def test_sign_in_and_renewal_answer_as_printed(version2: ApiClient, user: User) -> None:
    answer = sent(version2, "auth/login", b'{"username": "user@example.com", "password": "password123"}')
    assert answer["success"] is True
    data = answer["data"]
    assert (data["tokenType"], data["expiresIn"]) == ("Bearer", 3600)
    assert {"token", "tokenType", "expiresIn", "refreshToken"} <= set(data)

    body = f'{{"refreshToken": "{data["refreshToken"]}"}}'.encode()
    again = sent(version2, "auth/refresh", body)
    assert again["success"] is True
    assert again["data"]["expiresIn"] == 3600
    assert again["data"]["token"] != data["token"]


@pytest.mark.shows("001/4.3")
@pytest.mark.shows("001/4.1")
def test_the_printed_way_to_a_key_and_to_data(version2: ApiClient, user: User) -> None:
    token = version2.post("auth/login", LOGIN)["token"]
    by_token = version2.with_token(token)
    made = by_token.post("auth/api-keys", {"name": "integration"}, expect=201)
    (listed,) = by_token.get("auth/api-keys")
    assert {"apiKey", "createdAt", "expiresAt"} <= set(listed)
    both = version2.with_key(made["apiKey"], token=token)
    both.get("products")
    reset = by_token.post(f"auth/api-keys/{made['id']}/reset")
    by_token.delete(f"auth/api-keys/{made['id']}")
    version2.with_key(reset["apiKey"], token=token).get("products", expect=401)


@pytest.mark.shows("001/4.4.2")
def test_too_few_rights_are_403_and_a_bad_token_401(version2: ApiClient, user: User) -> None:
    both = version2.as_(user)
    assert both.get("users", expect=403)["code"] == "E00004"
    assert version2.with_token("expired").get("products", expect=401)["code"] == "E00003"


def test_version_1_answers_the_same_in_its_own_names(api: ApiClient, user: User) -> None:
    session = api.post("auth/login", LOGIN)
    assert {"token", "token_type", "expires_in", "refresh_token", "user"} == set(session)
    assert api.with_token(session["token"]).get("auth/profile")["email"] == "user@example.com"
