"""The users routes (seed 003): made, listed, changed, deleted, purged."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.db import connection
from django.utils import timezone
from rest_framework_simplejwt.token_blacklist.models import OutstandingToken

from accounts import services
from accounts.models import ApiKey, User
from accounts.services import purging
from system.actor import Actor, actor_scope
from system.errors import ApplicationError
from system.models import AuditLog
from tests.client import ApiClient, key_of
from tests.conftest import PASSWORD

NEW = {"username": "testuser", "email": "test@example.com", "password": "password123"}
FIELDS = {
    "id",
    "username",
    "email",
    "status",
    "tier",
    "role",
    "roles",
    "last_login_at",
    "created_at",
    "updated_at",
    "deleted_at",
}


@pytest.fixture
def client(api: ApiClient, admin: User) -> ApiClient:
    return api.as_(admin)


@pytest.mark.shows("003/users")
@pytest.mark.shows("003/Story 1-1")
def test_the_example_of_the_specification_makes_a_user(api: ApiClient, client: ApiClient) -> None:
    user = client.post("users", NEW, expect=201)
    assert set(user) == FIELDS
    assert client.last.headers["Location"] == f"/api/v1/users/{user['id']}"
    assert (user["username"], user["email"], user["status"], user["tier"], user["role"]) == (
        "testuser",
        "test@example.com",
        "active",
        "free",
        None,
    )
    assert client.get(f"users/{user['id']}") == user
    api.post("auth/login", {"username": "testuser", "password": "password123"})
    assert client.get(f"users/{user['id']}")["last_login_at"] is not None


def test_a_new_user_may_have_tier_role_and_status(client: ApiClient) -> None:
    user = client.post("users", NEW | {"tier": "premium", "role": "operator", "status": "inactive"}, expect=201)
    assert (user["tier"], user["roles"], user["status"]) == ("premium", ["operator"], "inactive")
    assert User.objects.get(pk=user["id"]).is_staff


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"username": "ab"}, "username"),
        ({"username": "x" * 51}, "username"),
        ({"username": "two words"}, "username"),
        ({"username": "name\n"}, "username"),
        ({"username": "名字名字"}, "username"),
        ({"email": "nonsense"}, "email"),
        ({"email": f"{'x' * 95}@example.com"}, "email"),
        ({"password": "short12"}, "password"),
        ({"password": "x" * 129}, "password"),
        ({"tier": "gold"}, "tier"),
        ({"role": "king"}, "role"),
        ({"status": "deleted"}, "status"),
        ({"is_superuser": True}, "is_superuser"),
        ({"is_staff": True}, "is_staff"),
        ({"token_version": 0}, "token_version"),
    ],
    ids=str,
)
def test_what_no_user_can_be_is_named(client: ApiClient, body: dict[str, Any], field: str) -> None:
    assert field in client.post("users", NEW | body, expect=400)["details"]
    assert User.objects.count() == 1


@pytest.mark.parametrize("body", [{"username": "admin"}, {"email": "ADMIN@example.com"}])
def test_duplicates_are_a_conflict(client: ApiClient, body: dict[str, str]) -> None:
    assert client.post("users", NEW | body, expect=409)["code"] == "E04003"


def test_a_taken_address_is_a_conflict(client: ApiClient, viewer: User) -> None:
    assert client.put(f"users/{viewer.pk}", {"email": "admin@example.com"}, expect=409)["code"] == "E04003"


@pytest.mark.shows("003/Story 1-2")
@pytest.mark.parametrize("method", ["PUT", "PATCH"])
@pytest.mark.parametrize(
    "body",
    [
        {"email": "newemail@example.com", "status": "active"},
        {"email": "newemail@example.com"},
        {"status": "suspended"},
        {"status": "inactive", "tier": "basic", "role": "viewer"},
        {"role": None},
        {},
    ],
    ids=str,
)
def test_what_is_given_changes_and_the_rest_stays(
    client: ApiClient, operator: User, method: str, body: dict[str, Any]
) -> None:
    before = client.get(f"users/{operator.pk}")
    after = client.call(method, f"users/{operator.pk}", body)
    assert after == client.get(f"users/{operator.pk}")
    changed = {name for name in FIELDS - {"updated_at", "roles"} if after[name] != before[name]}
    assert changed == {name for name in body if body[name] != before[name]}
    assert all(after[name] == value for name, value in body.items())


@pytest.mark.parametrize("body", [{"username": "other"}, {"password": PASSWORD}, {"email": None}, {"status": None}])
def test_what_cannot_change_is_named(client: ApiClient, operator: User, body: dict[str, Any]) -> None:
    assert set(client.patch(f"users/{operator.pk}", body, expect=400)["details"]) == set(body)


def test_a_change_decided_on_an_older_state_is_refused(client: ApiClient, operator: User) -> None:
    client.get(f"users/{operator.pk}")
    seen = {"If-Match": client.last.headers["ETag"]}
    client.patch(f"users/{operator.pk}", {"tier": "basic"}, headers=seen)
    fresh = {"If-Match": client.last.headers["ETag"]}
    client.patch(f"users/{operator.pk}", {"tier": "premium"}, headers=seen, expect=412)
    client.delete(f"users/{operator.pk}", headers=seen, expect=412)
    client.delete(f"users/{operator.pk}", headers=fresh)


@pytest.mark.shows("003/Story 1-3")
@pytest.mark.shows("003/FR-002")
def test_a_deleted_user_is_gone_but_stays_as_a_row(client: ApiClient, operator: User) -> None:
    client.delete(f"users/{operator.pk}")
    client.delete(f"users/{operator.pk}", expect=404)
    client.get(f"users/{operator.pk}", expect=404)
    client.patch(f"users/{operator.pk}", {}, expect=404)
    assert User.objects.get(pk=operator.pk).deleted_at is not None
    assert [user["username"] for user in client.get("users")["items"]] == ["admin"]
    assert [user["username"] for user in client.get("users", deleted="true")["items"]] == ["operator"]
    taken = {"username": "operator", "email": "other@example.com", "password": PASSWORD}
    client.post("users", taken, expect=409)


def test_a_purge_removes_everything_of_a_user_and_frees_the_names(
    api: ApiClient, client: ApiClient, operator: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    purged: list[int] = []
    monkeypatch.setattr(purging, "_purgers", [purged.append])
    key_of(operator)
    services.open_session(operator)
    assert client.post(f"users/{operator.pk}/purge", expect=409)["code"] == "E04014"
    client.delete(f"users/{operator.pk}")
    client.call("POST", f"users/{operator.pk}/purge", expect=204)
    client.post(f"users/{operator.pk}/purge", expect=404)
    assert purged == [operator.pk]
    assert not User.objects.filter(pk=operator.pk).exists()
    assert not ApiKey.objects.exists()
    assert not OutstandingToken.objects.filter(user__isnull=True).exists()
    again = {"username": "operator", "email": "operator@example.com", "password": PASSWORD}
    client.post("users", again, expect=201)
    lines = AuditLog.objects.filter(target_type="user", target_id=str(operator.pk))
    assert lines.filter(action="user.purge", before={"username": "operator"}).exists()


def test_nobody_deletes_their_own_account(client: ApiClient, admin: User, viewer: User) -> None:
    services.update_user(viewer.pk, {"role": "admin"})
    assert client.delete(f"users/{admin.pk}", expect=409)["code"] == "E04013"


@pytest.mark.parametrize("body", [{"role": "operator"}, {"role": None}, {"status": "suspended"}])
def test_the_last_active_administrator_stays(client: ApiClient, admin: User, body: dict[str, Any]) -> None:
    services.create_user("second", "second@example.com", PASSWORD, role="admin", status="inactive")
    assert client.patch(f"users/{admin.pk}", body, expect=409)["code"] == "E04012"
    client.get("users")
    services.create_user("third", "third@example.com", PASSWORD, role="admin")
    client.patch(f"users/{admin.pk}", body)


@pytest.mark.django_db(transaction=True)
def test_administrators_who_delete_each_other_leave_one(admin: User) -> None:
    other = services.create_user("second", "second@example.com", PASSWORD, role="admin")
    together = Barrier(2)

    def attempt(actor: User, target: User) -> bool:
        try:
            with actor_scope(Actor("api", actor.pk)):
                together.wait()
                services.delete_user(target.pk)
        except ApplicationError:
            return False
        finally:
            connection.close()
        return True

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(attempt, (admin, other), (other, admin))) == [False, True]


def test_a_superuser_is_for_superusers(api: ApiClient, client: ApiClient, viewer: User, admin: User) -> None:
    User.objects.filter(pk=viewer.pk).update(is_superuser=True)
    client.patch(f"users/{viewer.pk}", {"email": "new@example.com"}, expect=403)
    client.delete(f"users/{viewer.pk}", expect=403)
    api.as_(viewer).patch(f"users/{admin.pk}", {"tier": "basic"})
    User.objects.filter(pk=viewer.pk).update(deleted_at=timezone.now())
    client.post(f"users/{viewer.pk}/purge", expect=403)


@pytest.fixture
def people(admin: User) -> list[User]:
    made = [services.create_user(f"user_{n}", f"{n}_a@example.com", PASSWORD, tier="basic") for n in range(5)]
    services.update_user(made[0].pk, {"status": "suspended"})
    services.update_user(made[1].pk, {"role": "viewer"})
    return made


@pytest.mark.shows("003/FR-005")
@pytest.mark.parametrize(
    ("query", "names"),
    [
        ({"status": "suspended"}, ["user_0"]),
        ({"status": "suspended,inactive"}, ["user_0"]),
        ({"tier": "basic"}, ["user_0", "user_1", "user_2", "user_3", "user_4"]),
        ({"role": "viewer"}, ["user_1"]),
        ({"role": "admin"}, ["admin"]),
        ({"q": "USER_3"}, ["user_3"]),
        ({"q": "_"}, ["user_0", "user_1", "user_2", "user_3", "user_4"]),
        ({"q": "%"}, []),
        ({"q": "4_a@"}, ["user_4"]),
        ({"start_time": "2099-01-01"}, []),
        ({"end_time": "2020-01-01"}, []),
        ({"deleted": "true"}, []),
    ],
    ids=str,
)
def test_conditions_choose(client: ApiClient, people: list[User], query: dict[str, Any], names: list[str]) -> None:
    page = client.get("users", **query, order="asc")
    assert [user["username"] for user in page["items"]] == names
    assert page["total"] == len(names)


@pytest.mark.shows("003/Story 1-5")
@pytest.mark.parametrize("sortby", ["created_at", "username", "email"])
@pytest.mark.parametrize("order", ["asc", "desc"])
def test_pages_follow_each_other_in_every_order(client: ApiClient, people: list[User], sortby: str, order: str) -> None:
    whole = [user["id"] for user in client.get("users", sortby=sortby, order=order)["items"]]
    expected = sorted(User.objects.all(), key=lambda user: getattr(user, sortby), reverse=order == "desc")
    assert whole == [user.pk for user in expected]
    by_page = [client.get("users", sortby=sortby, order=order, page=page, page_size=2) for page in (1, 2, 3)]
    assert [user["id"] for page in by_page for user in page["items"]] == whole
    walked, cursor = [], by_page[0]["next_cursor"]
    while cursor:
        page = client.get("users", sortby=sortby, order=order, cursor=cursor, page_size=2)
        walked += [user["id"] for user in page["items"]]
        cursor = page["next_cursor"]
    assert walked == whole[2:]


@pytest.mark.parametrize(
    "query",
    [
        {"status": "deleted"},
        {"q": ""},
        {"q": "x" * 101},
        {"q": "\0"},
        {"sortby": "password"},
        {"password__startswith": "md5"},
        {"start_time": "2025-02-01", "end_time": "2025-01-01"},
        {"deleted": "1"},
        {"role": "king"},
    ],
    ids=str,
)
def test_conditions_that_are_none_are_refused(client: ApiClient, query: dict[str, Any]) -> None:
    client.get("users", **query, expect=400)


@pytest.mark.parametrize("pk", ["0", "-1", "abc", "1.5", "9" * 18, "9" * 30, "%00", "1e3"])
@pytest.mark.parametrize("method", ["GET", "PUT", "PATCH", "DELETE"])
def test_what_names_no_user_is_not_found(client: ApiClient, pk: str, method: str) -> None:
    client.call(method, f"users/{pk}", None if method in {"GET", "DELETE"} else {}, expect=404)


@pytest.mark.shows("003/FR-003")
def test_a_user_and_the_line_about_it_are_written_together(admin: User, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: Any, **__: Any) -> None:
        raise RuntimeError

    monkeypatch.setattr("accounts.services.users.audit.record", fails)
    with pytest.raises(RuntimeError):
        services.create_user("testuser", "test@example.com", PASSWORD)
    with pytest.raises(RuntimeError):
        services.update_user(admin.pk, {"tier": "premium"})
    assert not User.objects.filter(username="testuser").exists()
    assert User.objects.get(pk=admin.pk).tier == "free"


def test_every_change_is_audited_with_before_and_after(client: ApiClient, admin: User, viewer: User) -> None:
    client.patch(f"users/{viewer.pk}", {"role": "operator", "email": "new@example.com"})
    client.patch(f"users/{viewer.pk}", {"role": "operator"})
    line = AuditLog.objects.get(action="user.update")
    assert (line.user_id, line.via, line.target_id) == (admin.pk, "api", str(viewer.pk))
    assert line.before == {"groups": ["viewer"], "email": "viewer@example.com"}
    assert line.after == {"groups": ["operator"], "email": "new@example.com"}


def test_a_group_that_is_no_role_stays_when_the_role_changes(client: ApiClient, viewer: User) -> None:
    viewer.groups.add(Group.objects.create(name="buyers"))
    client.patch(f"users/{viewer.pk}", {"role": "operator"})
    assert set(viewer.groups.values_list("name", flat=True)) == {"buyers", "operator"}
    client.patch(f"users/{viewer.pk}", {"role": None})
    assert set(viewer.groups.values_list("name", flat=True)) == {"buyers"}
