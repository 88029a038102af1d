"""POST auth/password."""

from typing import Any

import pytest

from accounts import services
from accounts.models import User
from system.errors import ApplicationError
from system.models import AuditLog
from tests.client import ApiClient, key_of
from tests.conftest import PASSWORD

NEW = "another horse 1688"
BODY = {"current_password": PASSWORD, "new_password": NEW}


@pytest.mark.django_db(transaction=True)
def test_a_new_password_ends_all_other_sessions_and_begins_one(api: ApiClient, operator: User) -> None:
    other, client = services.open_session(operator), api.as_(operator)
    session = client.post("auth/password", BODY)
    assert client.last.headers["Cache-Control"] == "no-store"
    api.with_token(session["token"]).get("auth/profile")
    client.get("auth/profile", expect=401)
    api.with_token(other["token"]).get("auth/profile", expect=401)
    api.post("auth/refresh", {"refresh_token": other["refresh_token"]}, expect=401)
    api.post("auth/refresh", {"refresh_token": session["refresh_token"]})
    api.post("auth/login", {"username": "operator", "password": PASSWORD}, expect=401)
    api.post("auth/login", {"username": "operator", "password": NEW})


def test_the_change_is_audited_without_the_passwords(api: ApiClient, operator: User) -> None:
    api.as_(operator).post("auth/password", BODY)
    line = AuditLog.objects.get(action="user.password")
    assert (line.user_id, line.target_id, line.before, line.after) == (operator.pk, str(operator.pk), None, None)


def test_the_wrong_current_password_changes_nothing(api: ApiClient, operator: User) -> None:
    client = api.as_(operator)
    assert client.post("auth/password", BODY | {"current_password": "wrong"}, expect=422)["code"] == "E04008"
    client.get("auth/profile")
    api.post("auth/login", {"username": "operator", "password": PASSWORD})


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"new_password": "short"}, "new_password"),
        ({"new_password": "12345678901"}, "new_password"),
        ({"new_password": "password123"}, "new_password"),
        ({"new_password": "operator1"}, "new_password"),
        ({"new_password": "x" * 129}, "new_password"),
        ({"current_password": "x" * 129}, "current_password"),
        ({"current_password": None}, "current_password"),
        ({"username": "admin"}, "username"),
    ],
)
def test_rules_name_the_field(api: ApiClient, operator: User, body: dict[str, Any], field: str) -> None:
    assert field in api.as_(operator).post("auth/password", BODY | body, expect=400)["details"]


def test_a_key_alone_changes_no_password(api: ApiClient, operator: User) -> None:
    error = api.with_key(key_of(operator)).post("auth/password", BODY, expect=401)
    assert error["details"] == {"missing": ["Authorization"]}


def test_of_two_changes_that_knew_the_same_password_one_is_wrong(operator: User) -> None:
    stale = User.objects.get(pk=operator.pk)
    services.change_password(operator, NEW)
    with pytest.raises(ApplicationError) as refusal:
        services.change_password(stale, "a third horse 1688")
    assert refusal.value.code == "E04008"
    assert User.objects.get(pk=operator.pk).check_password(NEW)
