"""What ends a session everywhere: tokens are refused at once, through whatever interface the change came."""

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.urls import reverse

from accounts import services
from accounts.models import User
from tests.admin.conftest import Pages, deed_on, page_of
from tests.client import ApiClient, key_of

NEW = "another horse 1688"

pytestmark = pytest.mark.django_db(transaction=True)

Change = Callable[[User, User], Any]


def by_api(method: str, body: Any = None, *, path: str = "users/{}") -> Change:
    def change(admin: User, user: User) -> None:
        status = 204 if method == "DELETE" else 200
        ApiClient().as_(admin).call(method, path.format(user.pk), body, expect=status)

    return change


def by_page(**changes: Any) -> Change:
    def change(admin: User, user: User) -> None:
        groups = [str(pk) for pk in user.groups.values_list("pk", flat=True)]
        form = {"email": user.email, "status": user.status, "tier": user.tier, "is_staff": "on", "groups": groups}
        Pages(admin).post(page_of(user), form | changes)

    return change


def by_password_page(admin: User, user: User) -> None:
    address = reverse("admin:auth_user_password_change", args=[user.pk])
    Pages(admin).post(address, {"password1": NEW, "password2": NEW})


def role(name: str) -> list[str]:
    return [str(Group.objects.get(name=name).pk)]


ENDS: dict[str, Change] = {
    "suspended by the API": by_api("PATCH", {"status": "suspended"}),
    "inactive by the API": by_api("PUT", {"status": "inactive"}),
    "role lowered by the API": by_api("PATCH", {"role": "viewer"}),
    "role raised by the API": by_api("PATCH", {"role": "admin"}),
    "role taken by the API": by_api("PATCH", {"role": None}),
    "deleted by the API": by_api("DELETE"),
    "suspended in the back office": by_page(status="suspended"),
    "role changed in the back office": lambda admin, user: by_page(groups=role("viewer"))(admin, user),
    "roles taken in the back office": by_page(groups=[]),
    "deleted in the back office": lambda admin, user: Pages(admin).post(deed_on(user, "delete")),
    "signed out in the back office": lambda admin, user: Pages(admin).post(deed_on(user, "sign-out")),
    "password set in the back office": by_password_page,
    "password changed by the service": lambda _admin, user: services.change_password(user, NEW),
}


@pytest.mark.parametrize("end", ENDS.values(), ids=ENDS)
def test_tokens_are_refused_at_once(api: ApiClient, admin: User, operator: User, end: Change) -> None:
    session, live = services.open_session(operator), api.as_(operator)
    client = api.with_token(session["token"])
    for caller in (client, live):
        caller.get("auth/profile")
    end(admin, User.objects.get(pk=operator.pk))
    for caller in (client, live):
        caller.get("auth/profile", expect=401)
    api.post("auth/refresh", {"refresh_token": session["refresh_token"]}, expect=401)


KEPT: dict[str, Change] = {
    "tier": by_api("PATCH", {"tier": "premium"}),
    "email": by_api("PATCH", {"email": "new@example.com"}),
    "the same role": by_api("PATCH", {"role": "operator", "status": "active"}),
    "tier in the back office": by_page(tier="basic"),
}


@pytest.mark.parametrize("change", KEPT.values(), ids=KEPT)
def test_other_changes_leave_sessions_alone(api: ApiClient, admin: User, operator: User, change: Change) -> None:
    client = api.as_(operator)
    change(admin, operator)
    client.get("auth/profile")


@pytest.mark.parametrize("end", ["suspended by the API", "deleted by the API", "deleted in the back office"])
def test_keys_of_a_closed_account_are_refused_at_once(api: ApiClient, admin: User, operator: User, end: str) -> None:
    client = api.with_key(key_of(operator))
    client.get("auth/profile")
    ENDS[end](admin, operator)
    client.get("auth/profile", expect=401)


def test_a_role_change_narrows_keys_at_once(api: ApiClient, admin: User, operator: User) -> None:
    client = api.with_key(key_of(operator))
    client.get("sync/jobs")
    ENDS["role taken by the API"](admin, operator)
    client.get("sync/jobs", expect=403)
    client.get("products")
