"""GET and PATCH auth/profile."""

from typing import Any

import pytest

from accounts.models import User
from accounts.selectors import profiles, register_profile_part
from tests.client import ApiClient


@pytest.fixture
def follows(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another application says which shops somebody follows."""
    monkeypatch.setattr(profiles, "_parts", {**profiles._parts})
    register_profile_part("followed_shops", lambda user_id: [{"id": user_id, "name": "义乌小商品"}])


@pytest.mark.shows("000/1 GET auth/profile")
def test_a_profile_names_the_shops_one_follows(api: ApiClient, plain_user: User, follows: None) -> None:
    client = api.as_(plain_user)
    assert client.get("auth/profile")["followed_shops"] == [{"id": plain_user.pk, "name": "义乌小商品"}]
    assert "followed_shops" in client.patch("auth/profile", {"followed_shops": []}, expect=400)["details"]


def test_a_profile_read_before_a_change_cannot_be_written(api: ApiClient, plain_user: User) -> None:
    client = api.as_(plain_user)
    client.get("auth/profile")
    seen = {"If-Match": client.last.headers["ETag"]}
    client.patch("auth/profile", {"email": "first@example.com"}, headers=seen)
    client.patch("auth/profile", {"email": "second@example.com"}, headers=seen, expect=412)
    client.get("auth/profile", headers={"If-None-Match": seen["If-Match"]})


def test_users_change_their_email_address(api: ApiClient, plain_user: User) -> None:
    profile = api.as_(plain_user).patch("auth/profile", {"email": "New@Example.com"})
    assert profile["email"] == "new@example.com"
    assert profile["updated_at"] >= profile["created_at"]


def test_an_empty_change_changes_nothing(api: ApiClient, plain_user: User) -> None:
    client = api.as_(plain_user)
    assert client.patch("auth/profile", {}) == client.get("auth/profile")


def test_a_taken_address_is_a_conflict(api: ApiClient, plain_user: User, viewer: User) -> None:
    assert api.as_(plain_user).patch("auth/profile", {"email": viewer.email}, expect=409)["code"] == "E04003"


@pytest.mark.parametrize(
    "body",
    [{"roles": ["admin"]}, {"tier": "premium"}, {"is_superuser": True}, {"id": 1}, {"email": "x"}, {"email": None}],
)
def test_what_users_may_not_change_is_refused_by_name(api: ApiClient, plain_user: User, body: dict[str, Any]) -> None:
    before = User.objects.filter(pk=plain_user.pk).values().get()
    details = api.as_(plain_user).patch("auth/profile", body, expect=400)["details"]
    assert set(details) == set(body)
    after = User.objects.filter(pk=plain_user.pk).values().get()
    assert {**after, "last_login": None} == {**before, "last_login": None}


def test_a_profile_of_a_superuser_counts_as_admin(api: ApiClient, plain_user: User) -> None:
    User.objects.filter(pk=plain_user.pk).update(is_superuser=True)
    assert api.as_(plain_user).get("auth/profile")["roles"] == ["admin"]
