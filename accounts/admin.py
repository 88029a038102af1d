"""Back-office pages of users, roles and API keys. Whatever changes goes through the services."""

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin
from django.contrib.auth import admin as stock
from django.contrib.auth.models import Group
from django.contrib.auth.views import PasswordChangeView
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseBase, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from rest_framework_simplejwt.token_blacklist import admin as _token_pages
from rest_framework_simplejwt.token_blacklist.models import BlacklistedToken, OutstandingToken
from unfold.forms import AdminOwnPasswordChangeForm, AdminPasswordChangeForm, UserChangeForm, UserCreationForm
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget, UnfoldAdminSelectWidget

from accounts import keys
from accounts.models import ApiKey, User
from accounts.roles import ROLES
from accounts.services import (
    UserChanges,
    change_password,
    create_user,
    delete_user,
    end_sessions,
    purge_user,
    revoke_key,
    update_user,
)
from system.backoffice.base import ActingAdmin, BackOfficeAdmin, Deed, ReadOnlyAdmin
from system.backoffice.html import Tone, badge

if TYPE_CHECKING:

    class _StockUserAdmin(admin.ModelAdmin[Any]): ...

    class _StockGroupAdmin(admin.ModelAdmin[Any]): ...
else:
    _StockUserAdmin, _StockGroupAdmin = stock.UserAdmin, stock.GroupAdmin

__all__ = ["ApiKeyAdmin", "GroupAdmin", "UserAdmin", "_token_pages"]

STATUS_TONES: dict[str, Tone] = {
    User.Status.ACTIVE: "success",
    User.Status.INACTIVE: "neutral",
    User.Status.SUSPENDED: "danger",
}

# Token tables are for machines: a page of them would show what signs people in.
for _model in (OutstandingToken, BlacklistedToken, Group):
    admin.site.unregister(_model)


class NewUserForm(UserCreationForm):  # type: ignore[misc]
    """A new account; one with a role may enter the back office."""

    usable_password = None
    role = forms.ChoiceField(
        label=_("role"),
        required=False,
        choices=[("", "–"), *((role, role) for role in ROLES)],
        widget=UnfoldAdminSelectWidget,
        help_text=_("Without a role the account only reads the catalogue through the API."),
    )

    class Meta:
        model = User
        fields = ("username", "email", "tier")
        field_classes: dict[str, Any] = {}


class UserForm(UserChangeForm):  # type: ignore[misc]
    """An account; its password has a page of its own."""

    groups: "forms.ModelMultipleChoiceField[Group]" = forms.ModelMultipleChoiceField(
        Group.objects.order_by("name"),
        label=_("roles"),
        required=False,
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
    )

    class Meta:
        model = User
        fields = ("email", "status", "tier", "is_staff", "is_superuser", "groups")
        field_classes: dict[str, Any] = {}


class PasswordForm(AdminPasswordChangeForm):  # type: ignore[misc]
    """A new password for somebody; ends every session of theirs."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields.pop("usable_password", None)

    def save(self, commit: bool = True) -> User:  # noqa: ARG002 (the framework's signature)
        """Let the service set it."""
        change_password(self.user, self.cleaned_data["password1"])
        user: User = self.user
        return user


class OwnPasswordForm(AdminOwnPasswordChangeForm):  # type: ignore[misc]
    """One's own new password; ends every session of the API."""

    def save(self, commit: bool = True) -> User:  # noqa: ARG002 (the framework's signature)
        """Let the service set it."""
        change_password(self.user, self.cleaned_data["new_password1"])
        user: User = self.user
        return user


def change_own_password(request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponseBase:
    """The page behind "change password"."""
    view = PasswordChangeView.as_view(
        form_class=OwnPasswordForm,
        success_url=reverse("admin:password_change_done"),
        extra_context={**admin.site.each_context(request), **(extra_context or {})},
    )
    return view(request)


# The site's own page would leave the API's sessions alive.
admin.site.password_change = change_own_password  # type: ignore[assignment]


def _sign_out(_request: HttpRequest, user: User) -> str:
    end_sessions(user.pk)
    return _("%(user)s is signed out everywhere.") % {"user": user}


def _delete(_request: HttpRequest, user: User) -> str:
    delete_user(user.pk)
    return _("%(user)s is deleted; the names stay taken until the account is purged.") % {"user": user}


def _purge(_request: HttpRequest, user: User) -> str:
    purge_user(user.pk)
    return _("%(user)s is gone for good.") % {"user": user}


def _is_there(user: User) -> bool:
    return user.deleted_at is None


def _is_deleted(user: User) -> bool:
    return user.deleted_at is not None


@admin.register(User)
class UserAdmin(ActingAdmin, _StockUserAdmin):
    form = UserForm
    add_form = NewUserForm
    change_password_form = PasswordForm
    list_display = ["username", "email", "show_roles", "tier", "show_status", "is_staff", "last_login"]
    list_filter = ["status", "tier", "is_staff", "groups"]
    search_fields = ["username", "email"]
    ordering = ["username"]
    filter_horizontal = ()
    readonly_fields = ["username", "show_keys", "last_login", "created_at", "updated_at", "deleted_at"]
    fieldsets = [
        (None, {"fields": ["username", "email", "password", "status"]}),
        (_("Rights"), {"fields": ["tier", "groups", "is_staff", "is_superuser", "show_keys"]}),
        (_("Times"), {"fields": ["last_login", "created_at", "updated_at", "deleted_at"]}),
    ]
    add_fieldsets = [
        (None, {"fields": ["username", "email", "password1", "password2"]}),
        (_("Rights"), {"fields": ["tier", "role"]}),
    ]

    def deeds(self) -> list[Deed]:
        return [
            Deed("sign-out", _("Sign out everywhere"), "logout", _sign_out, _is_there),
            Deed("delete", _("Delete"), "delete", _delete, _is_there, "danger"),
            Deed("purge", _("Remove for good"), "delete_forever", _purge, _is_deleted, "danger"),
        ]

    def act_view(self, request: HttpRequest, object_id: str, deed: str) -> HttpResponse:
        """Who is gone for good has no page to go back to."""
        answer = super().act_view(request, object_id, deed)
        if deed == "purge" and request.method == "POST" and self.get_object(request, object_id) is None:
            return HttpResponseRedirect(reverse(self.page("changelist")))
        return answer

    def get_queryset(self, request: HttpRequest) -> "QuerySet[User]":
        users: QuerySet[User] = super().get_queryset(request).prefetch_related("groups")
        return users

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002
        """Accounts stay as rows; a status closes them."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Only a superuser touches a superuser, and nobody a deleted account."""
        is_above = obj is not None and obj.is_superuser and not request.user.is_superuser
        is_gone = obj is not None and obj.deleted_at is not None
        return super().has_change_permission(request, obj) and not is_above and not is_gone

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> list[str]:
        if obj is None:
            return []
        return [*self.readonly_fields] + ([] if request.user.is_superuser else ["is_superuser"])

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:  # noqa: ARG002
        given = form.cleaned_data
        if change:
            update_user(obj.pk, _changes(form))
            return
        made = create_user(obj.username, obj.email, given["password1"], role=given["role"], tier=obj.tier)
        obj.pk, obj.is_staff = made.pk, made.is_staff

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """Nothing: the services gave the roles."""

    @admin.display(description=_("roles"))
    def show_roles(self, user: User) -> str:
        return ", ".join(sorted(group.name for group in user.groups.all())) or self.empty_value_display

    @admin.display(description=_("status"))
    def show_status(self, user: User) -> SafeString:
        if user.deleted_at is not None:
            return badge(_("deleted"), "danger")
        return badge(user.get_status_display(), STATUS_TONES[user.status])

    @admin.display(description=_("API keys"))
    def show_keys(self, user: User) -> SafeString:
        address = f"{reverse('admin:accounts_apikey_changelist')}?q={user.username}"
        return format_html('<a href="{}">{}</a>', address, _("Show"))


def _changes(form: Any) -> UserChanges:
    given = {name: form.cleaned_data[name] for name in form.changed_data if name in UserChanges.__annotations__}
    if "groups" in given:
        given["groups"] = [group.name for group in given["groups"]]
    changes: Any = given
    wanted: UserChanges = changes
    return wanted


def _revoke(_request: HttpRequest, key: ApiKey) -> str:
    revoke_key(key.pk)
    return _("%(key)s is revoked.") % {"key": key}


@admin.register(ApiKey)
class ApiKeyAdmin(ActingAdmin, ReadOnlyAdmin):
    list_display = ["show_prefix", "name", "user", "show_scopes", "show_state", "expires_at", "last_used_at"]
    list_select_related = ["user"]
    search_fields = ["=prefix", "=user__username", "name"]
    ordering = ["-id"]
    sortable_by = ["expires_at", "last_used_at"]
    fields = [
        ("show_prefix", "name"),
        ("user", "show_scopes"),
        "allowed_ips",
        ("created_at", "expires_at"),
        ("last_used_at", "revoked_at"),
    ]

    def deeds(self) -> list[Deed]:
        return [Deed("revoke", _("Revoke"), "block", _revoke, lambda key: key.revoked_at is None, "danger")]

    def get_queryset(self, request: HttpRequest) -> "QuerySet[ApiKey]":
        found: QuerySet[ApiKey] = super().get_queryset(request).select_related("user")
        return found

    @admin.display(description=_("API key"))
    def show_prefix(self, key: ApiKey) -> str:
        return keys.masked(key.prefix)

    @admin.display(description=_("scopes"))
    def show_scopes(self, key: ApiKey) -> str:
        return ", ".join(key.scopes)

    @admin.display(description=_("status"))
    def show_state(self, key: ApiKey) -> SafeString:
        if key.revoked_at is not None:
            return badge(_("revoked"), "danger")
        if key.expires_at <= timezone.now():
            return badge(_("expired"), "neutral")
        return badge(_("active"), "success")


@admin.register(Group)
class GroupAdmin(BackOfficeAdmin, _StockGroupAdmin):
    search_fields = ["name"]
