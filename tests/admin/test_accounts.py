"""The pages of users: made by the service, never deleted, a new password ends every session."""

from typing import Any

import pytest
from django.contrib.admin import site
from django.urls import reverse
from rest_framework_simplejwt.token_blacklist.models import BlacklistedToken, OutstandingToken

from accounts.models import ApiKey, User
from tests.admin.conftest import Pages, deed_on, list_of, page_of
from tests.client import key_of

PASSWORD = "a rather long 1688 word"
NEW: dict[str, Any] = {
    "username": "newcomer",
    "email": "New@Example.com",
    "tier": "basic",
    "role": "operator",
    "password1": PASSWORD,
    "password2": PASSWORD,
}
ADD = "admin:accounts_user_add"


def test_a_new_user_gets_a_role_and_may_enter(admin: User) -> None:
    Pages(admin).post(reverse(ADD), NEW)
    made = User.objects.get(username="newcomer")
    assert (made.email, made.tier, made.is_staff) == ("new@example.com", "basic", True)
    assert list(made.groups.values_list("name", flat=True)) == ["operator"]
    assert made.check_password(PASSWORD)


@pytest.mark.parametrize(
    "wrong", [{"username": "a b"}, {"email": "admin@example.com"}, {"password2": "x"}, {"role": "king"}], ids=str
)
def test_a_wrong_new_user_is_refused_with_the_reason(wrong: dict[str, str], admin: User) -> None:
    assert "errorlist" in Pages(admin).post(reverse(ADD), NEW | wrong)
    assert User.objects.count() == 1


def test_a_taken_email_in_other_letters_is_a_message(admin: User) -> None:
    Pages(admin).post(reverse(ADD), NEW | {"email": "ADMIN@example.com"})
    assert User.objects.count() == 1


def test_status_tier_and_roles_can_be_changed(admin: User, viewer: User) -> None:
    form = {"email": viewer.email, "status": "suspended", "tier": "premium", "is_staff": "on", "groups": []}
    Pages(admin).post(page_of(viewer), form)
    viewer.refresh_from_db()
    assert (viewer.status, viewer.tier, viewer.groups.count()) == ("suspended", "premium", 0)


def test_a_password_set_by_an_administrator_ends_the_users_sessions(admin: User, viewer: User) -> None:
    address = reverse("admin:auth_user_password_change", args=[viewer.pk])
    Pages(admin).post(address, {"password1": PASSWORD, "password2": PASSWORD})
    version = viewer.token_version
    viewer.refresh_from_db()
    assert viewer.check_password(PASSWORD)
    assert viewer.token_version == version + 1


def test_ones_own_new_password_ends_the_sessions_of_the_api(viewer: User) -> None:
    pages = Pages(viewer)
    old = "correct horse 1688"
    form = {"old_password": old, "new_password1": PASSWORD, "new_password2": PASSWORD}
    pages.post(reverse("admin:password_change"), form)
    version = viewer.token_version
    viewer.refresh_from_db()
    assert viewer.token_version == version + 1
    pages.get(reverse("admin:index"))


def test_an_administrator_cannot_touch_or_become_a_superuser(admin: User, viewer: User) -> None:
    User.objects.filter(pk=viewer.pk).update(is_superuser=True)
    Pages(admin).post(page_of(viewer), {"email": "x@example.com"}, expect=403)
    Pages(admin).post(reverse("admin:auth_user_password_change", args=[viewer.pk]), {}, expect=403)
    form = {"email": admin.email, "status": "active", "tier": "free", "is_staff": "on", "is_superuser": "on"}
    Pages(admin).post(page_of(admin), form | {"groups": [str(group.pk) for group in admin.groups.all()]})
    admin.refresh_from_db()
    assert not admin.is_superuser


def test_a_deleted_account_can_be_removed_for_good(admin: User, viewer: User) -> None:
    pages = Pages(admin)
    pages.post(deed_on(viewer, "purge"))
    assert User.objects.filter(pk=viewer.pk).exists()
    pages.post(deed_on(viewer, "delete"))
    pages.post(page_of(viewer), {"email": "x@example.com"}, expect=403)
    pages.post(deed_on(viewer, "purge"))
    assert not User.objects.filter(pk=viewer.pk).exists()


def test_nobody_deletes_themselves_or_a_superuser(admin: User, viewer: User) -> None:
    pages = Pages(admin)
    pages.post(deed_on(admin, "delete"))
    User.objects.filter(pk=viewer.pk).update(is_superuser=True)
    for deed in ("delete", "sign-out", "purge"):
        pages.post(deed_on(viewer, deed), expect=200)
    assert not User.objects.exclude(deleted_at=None).exists()
    viewer.refresh_from_db()
    assert viewer.token_version == 0


def test_the_last_administrator_cannot_step_down(admin: User) -> None:
    form = {"email": admin.email, "status": "active", "tier": "free", "is_staff": "on", "groups": []}
    Pages(admin).post(page_of(admin), form)
    assert admin.groups.filter(name="admin").exists()


def test_keys_are_looked_at_and_revoked(admin: User, operator: User, viewer: User) -> None:
    secret = key_of(operator)
    key = ApiKey.objects.get()
    pages = Pages(admin)
    for page in (pages.get(list_of(ApiKey), q="operator"), pages.get(page_of(key))):
        assert key.prefix in page
        assert secret[15:] not in page
        assert key.hash not in page
    pages.post(page_of(key), {"name": "x"}, expect=403)
    Pages(viewer).get(list_of(ApiKey), expect=403)
    pages.post(deed_on(key, "revoke"))
    key.refresh_from_db()
    assert key.revoked_at is not None
    pages.get(page_of(operator))


@pytest.mark.parametrize("model", [OutstandingToken, BlacklistedToken])
def test_tokens_have_no_pages(model: Any) -> None:
    assert not site.is_registered(model)


def test_users_are_never_deleted(admin: User, viewer: User) -> None:
    Pages(admin).post(reverse("admin:accounts_user_delete", args=[viewer.pk]), {"post": "yes"}, expect=403)


def test_the_hash_of_a_password_cannot_be_probed(admin: User) -> None:
    Pages(admin).get(list_of(User), expect=400, password__startswith="md5")
