"""The service that makes users, and the roles they get."""

from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.core.exceptions import ValidationError
from django.core.management import call_command

from accounts.authentication import authenticate_token
from accounts.models import User
from accounts.roles import effective_roles
from accounts.services import create_user, open_session
from system.errors import ApplicationError, ErrorCode
from tests.conftest import PASSWORD


def test_a_user_with_a_role_may_enter_the_back_office(operator: User, plain_user: User) -> None:
    assert operator.is_staff
    assert not plain_user.is_staff


@pytest.mark.parametrize(
    ("fields", "name"),
    [
        ({"username": "ab"}, "username"),
        ({"username": "two words"}, "username"),
        ({"email": "nonsense"}, "email"),
        ({"password": "short"}, "password"),
        ({"password": "12345678901"}, "password"),
        ({"password": "x" * 129}, "password"),
        ({"tier": "gold"}, "tier"),
    ],
)
def test_rules_are_kept_by_field(db: None, fields: dict[str, Any], name: str) -> None:
    given = {"username": "somebody", "email": "somebody@example.com", "password": PASSWORD} | fields
    with pytest.raises(ValidationError) as refused:
        create_user(**given)
    assert name in refused.value.message_dict
    assert not User.objects.exists()


@pytest.mark.parametrize("fields", [{"username": "plain"}, {"email": "PLAIN@example.com"}])
def test_names_and_addresses_are_unique(plain_user: User, fields: dict[str, str]) -> None:
    given: dict[str, Any] = {"username": "somebody", "email": "somebody@example.com", "password": PASSWORD} | fields
    with pytest.raises(ApplicationError) as refused:
        create_user(**given)
    assert refused.value.code == ErrorCode.USER_TAKEN


def test_an_unknown_role_is_refused(db: None) -> None:
    with pytest.raises(ApplicationError):
        create_user("somebody", "somebody@example.com", PASSWORD, role="king")


def test_a_higher_role_includes_the_lower_ones() -> None:
    assert effective_roles(["operator"]) == {"viewer", "operator"}
    assert effective_roles([], is_superuser=True) == {"viewer", "operator", "admin"}
    assert effective_roles(["strangers"]) == frozenset()


def test_a_new_role_counts_without_a_new_token(viewer: User) -> None:
    token = open_session(viewer)["token"]
    viewer.groups.set(Group.objects.filter(name="admin"))
    assert authenticate_token(token).has_role("admin")


def test_roles_start_with_permissions_of_the_back_office(db: None) -> None:
    def held(role: str) -> set[str]:
        return set(Group.objects.get(name=role).permissions.values_list("codename", flat=True))

    assert "view_product" in held("viewer")
    assert not any(codename.startswith(("change_", "add_", "delete_")) for codename in held("viewer"))
    assert "change_product" in held("operator")
    assert "delete_user" in held("admin")


def test_permissions_an_administrator_took_away_stay_away(db: None) -> None:
    viewers = Group.objects.get(name="viewer")
    viewers.permissions.remove(viewers.permissions.get(codename="view_product"))
    call_command("migrate", verbosity=0)
    assert not viewers.permissions.filter(codename="view_product").exists()


def test_the_command_makes_a_superuser(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DJANGO_SUPERUSER_PASSWORD", PASSWORD)
    call_command("createsuperuser", interactive=False, username="root_user", email="root@example.com", verbosity=0)
    assert authenticate_token(open_session(User.objects.get())["token"]).has_role("admin")
