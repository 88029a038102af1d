"""auth/api-keys: made, shown once, listed masked, reset, revoked."""

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.utils import timezone

from accounts import keys
from accounts.models import ApiKey, User
from accounts.services import NewKey, create_key
from accounts.services.keys import MAX_LIVE_KEYS
from system.errors import ApplicationError
from system.models import AuditLog
from tests.client import ApiClient, key_of

FORM = re.compile(r"s1688_[a-z0-9]{8}_[0-9A-Za-z]{38}")
FIELDS = {
    "id",
    "name",
    "api_key",
    "scopes",
    "allowed_ips",
    "created_at",
    "updated_at",
    "expires_at",
    "last_used_at",
}


@pytest.fixture
def client(api: ApiClient, operator: User) -> ApiClient:
    return api.as_(operator)


def made(client: ApiClient, **wanted: Any) -> Any:
    return client.post("auth/api-keys", {"name": "shop system"} | wanted, expect=201)


def test_the_checksum_tells_a_mistyped_key() -> None:
    key = keys.new_secret().key
    assert FORM.fullmatch(key)
    assert keys.prefix_of(key) == key.split("_")[1]
    for place in range(len("s1688_"), len(key)):
        other = "a" if key[place] != "a" else "b"
        assert keys.prefix_of(key[:place] + other + key[place + 1 :]) is None


@pytest.mark.shows("001/4.3")
@pytest.mark.django_db(transaction=True)
def test_a_key_is_made_used_reset_and_revoked(api: ApiClient, client: ApiClient) -> None:
    first = made(client)
    assert set(first) == FIELDS
    assert FORM.fullmatch(first["api_key"])
    assert client.last.headers["Cache-Control"] == "no-store"
    assert client.last.headers["Location"] == f"/api/v1/auth/api-keys/{first['id']}"
    assert api.with_key(first["api_key"]).get("auth/profile")["username"] == "operator"

    second = client.post(f"auth/api-keys/{first['id']}/reset")
    assert (second["id"], second["scopes"], second["expires_at"]) == (first["id"], ["read"], first["expires_at"])
    assert client.last.headers["Cache-Control"] == "no-store"
    api.with_key(first["api_key"]).get("auth/profile", expect=401)
    api.with_key(second["api_key"]).get("auth/profile")

    client.delete(f"auth/api-keys/{first['id']}")
    api.with_key(second["api_key"]).get("auth/profile", expect=401)
    client.delete(f"auth/api-keys/{first['id']}", expect=404)
    client.post(f"auth/api-keys/{first['id']}/reset", expect=404)
    assert client.get("auth/api-keys")["total"] == 0


@pytest.mark.shows("001/8.2.1")
def test_lists_show_the_beginning_of_a_key_and_the_database_its_digest(client: ApiClient) -> None:
    secrets = [made(client, name=name)["api_key"] for name in ("one", "two", "three")]
    page = client.get("auth/api-keys", page_size=2)
    assert [key["name"] for key in page["items"]] == ["three", "two"]
    assert page["items"][0]["api_key"] == f"{secrets[2][:14]}_…"
    client.get("auth/api-keys", cursor=page["next_cursor"])
    assert client.last.headers["Cache-Control"] == "no-store"
    kept = str(list(ApiKey.objects.values())) + str(list(AuditLog.objects.values()))
    assert not any(secret[15:] in kept for secret in secrets)


def test_a_key_lasts_a_year_at_most_and_by_default(client: ApiClient) -> None:
    made(client)
    made(client, expires_in_days=90)
    made(client, expires_at=(timezone.now() + timedelta(days=7)).isoformat())
    lives = [key.expires_at - key.created_at for key in ApiKey.objects.order_by("id")]
    assert [round(life / timedelta(days=1)) for life in lives] == [365, 90, 7]


@pytest.mark.parametrize(
    ("wanted", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "x" * 101}, "name"),
        ({"scopes": []}, "scopes"),
        ({"scopes": ["everything"]}, "scopes"),
        ({"scopes": "read"}, "scopes"),
        ({"expires_in_days": 0}, "expires_in_days"),
        ({"expires_in_days": 366}, "expires_in_days"),
        ({"expires_in_days": 1, "expires_at": "2099-01-01T00:00:00Z"}, "expires_at"),
        ({"expires_at": "2020-01-01T00:00:00Z"}, "expires_at"),
        ({"expires_at": "0001-01-01T00:00:00+14:00"}, "expires_at"),
        ({"expires_at": "9999-12-31T23:59:59-12:00"}, "expires_at"),
        ({"expires_at": 5}, "expires_at"),
        ({"allowed_ips": ["localhost"]}, "allowed_ips"),
        ({"allowed_ips": ["10.0.0.1/8"]}, "allowed_ips"),
        ({"allowed_ips": ["10.0.0.1"] * 21}, "allowed_ips"),
        ({"allowed_ips": [1]}, "allowed_ips"),
        ({"user_id": 1}, "user_id"),
    ],
    ids=str,
)
def test_what_no_key_can_be_is_named(client: ApiClient, wanted: dict[str, Any], field: str) -> None:
    details = client.post("auth/api-keys", {"name": "shop system"} | wanted, expect=400)["details"]
    assert field in details
    assert not ApiKey.objects.exists()


def test_scopes_and_addresses_are_kept_once_each(client: ApiClient) -> None:
    key = made(client, scopes=["write", "write"], allowed_ips=["10.0.0.0/8", "10.0.0.0/8", "2001:DB8::/32"])
    assert (key["scopes"], key["allowed_ips"]) == (["write"], ["10.0.0.0/8", "2001:db8::/32"])


def test_somebody_elses_key_is_not_found(api: ApiClient, client: ApiClient, admin: User) -> None:
    key = made(client)
    for call, address in (("DELETE", ""), ("POST", "/reset")):
        api.as_(admin).call(call, f"auth/api-keys/{key['id']}{address}", expect=404)
    assert api.as_(admin).get("auth/api-keys")["total"] == 0
    api.with_key(key["api_key"]).get("auth/profile")


@pytest.mark.parametrize("pk", ["0", "-1", "x", "1.5", "9" * 30, "%00"])
def test_what_names_no_key_is_not_found(client: ApiClient, pk: str) -> None:
    client.delete(f"auth/api-keys/{pk}", expect=404)


@pytest.mark.parametrize(("tier", "status"), [("free", 403), ("basic", 403), ("enterprise", 201), ("premium", 201)])
@pytest.mark.shows("001/4.4.1")
def test_keys_are_for_paying_users(api: ApiClient, plain_user: User, tier: str, status: int) -> None:
    User.objects.filter(pk=plain_user.pk).update(tier=tier)
    answer = api.as_(plain_user).post("auth/api-keys", {"name": "x"}, expect=status)
    assert status == 201 or answer["code"] == "E04004"


def test_keys_are_managed_with_a_token(api: ApiClient, client: ApiClient, admin: User) -> None:
    key = api.with_key(key_of(admin))
    for call, address in (("GET", ""), ("POST", ""), ("DELETE", "/1"), ("POST", "/1/reset")):
        error = key.call(call, f"auth/api-keys{address}", expect=401)
        assert (error["code"], error["details"]) == ("E04006", {"missing": ["Authorization"]})


def test_an_expired_key_cannot_be_reset(client: ApiClient) -> None:
    key = made(client)
    ApiKey.objects.update(expires_at=timezone.now())
    assert client.post(f"auth/api-keys/{key['id']}/reset", expect=409)["code"] == "E04011"


@pytest.mark.django_db(transaction=True)
def test_parallel_calls_make_no_more_keys_than_allowed(operator: User) -> None:
    def attempt(_: int) -> bool:
        try:
            create_key(operator.pk, NewKey(name="x"))
        except ApplicationError:
            return False
        finally:
            connection.close()
        return True

    with ThreadPoolExecutor(10) as pool:
        assert sum(pool.map(attempt, range(MAX_LIVE_KEYS + 10))) == MAX_LIVE_KEYS
    ApiKey.objects.filter(pk=ApiKey.objects.latest("pk").pk).update(expires_at=timezone.now())
    create_key(operator.pk, NewKey(name="in place of the expired one"))


def test_every_step_of_a_key_is_audited(client: ApiClient, operator: User) -> None:
    key = made(client)
    client.post(f"auth/api-keys/{key['id']}/reset")
    client.delete(f"auth/api-keys/{key['id']}")
    lines = AuditLog.objects.filter(target_type="api_key", target_id=str(key["id"])).order_by("id")
    assert [line.action for line in lines] == ["api_key.create", "api_key.reset", "api_key.revoke"]
    assert {line.user_id for line in lines} == {operator.pk}
