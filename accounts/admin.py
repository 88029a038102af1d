"""Back-office pages of users and roles. Passwords and new accounts go through the services."""

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin
from django.contrib.auth import admin as stock
from django.contrib.auth.models import Group
from django.contrib.auth.views import PasswordChangeView
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponseBase
from django.urls import reverse
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _
from rest_framework_simplejwt.token_blacklist import admin as _token_pages
from rest_framework_simplejwt.token_blacklist.models import BlacklistedToken, OutstandingToken
from unfold.forms import AdminOwnPasswordChangeForm, AdminPasswordChangeForm, UserChangeForm, UserCreationForm
from unfold.widgets import UnfoldAdminCheckboxSelectMultipleWidget, UnfoldAdminSelectWidget

from accounts.models import User
from accounts.roles import ROLES
from accounts.services import change_password, create_user
from system.backoffice.base import BackOfficeAdmin
from system.backoffice.html import Tone, badge

if TYPE_CHECKING:

    class _StockUserAdmin(admin.ModelAdmin[Any]): ...

    class _StockGroupAdmin(admin.ModelAdmin[Any]): ...
else:
    _StockUserAdmin, _StockGroupAdmin = stock.UserAdmin, stock.GroupAdmin

__all__ = ["GroupAdmin", "UserAdmin", "_token_pages"]

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


@admin.register(User)
class UserAdmin(BackOfficeAdmin, _StockUserAdmin):
    form = UserForm
    add_form = NewUserForm
    change_password_form = PasswordForm
    list_display = ["username", "email", "show_roles", "tier", "show_status", "is_staff", "last_login"]
    list_filter = ["status", "tier", "is_staff", "groups"]
    search_fields = ["username", "email"]
    ordering = ["username"]
    filter_horizontal = ()
    readonly_fields = ["username", "last_login", "created_at", "updated_at"]
    fieldsets = [
        (None, {"fields": ["username", "email", "password", "status"]}),
        (_("Rights"), {"fields": ["tier", "groups", "is_staff", "is_superuser"]}),
        (_("Times"), {"fields": ["last_login", "created_at", "updated_at"]}),
    ]
    add_fieldsets = [
        (None, {"fields": ["username", "email", "password1", "password2"]}),
        (_("Rights"), {"fields": ["tier", "role"]}),
    ]

    def get_queryset(self, request: HttpRequest) -> "QuerySet[User]":
        users: QuerySet[User] = super().get_queryset(request).prefetch_related("groups")
        return users

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002
        """Accounts stay as rows; a status closes them."""
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Only a superuser touches a superuser."""
        is_above = obj is not None and obj.is_superuser and not request.user.is_superuser
        return super().has_change_permission(request, obj) and not is_above

    def get_readonly_fields(self, request: HttpRequest, obj: User | None = None) -> list[str]:
        if obj is None:
            return []
        return [*self.readonly_fields] + ([] if request.user.is_superuser else ["is_superuser"])

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        if change:
            obj.updated_at = timezone.now()
            super().save_model(request, obj, form, change)
            return
        given = form.cleaned_data
        made = create_user(obj.username, obj.email, given["password1"], role=given["role"], tier=obj.tier)
        obj.pk, obj.is_staff = made.pk, made.is_staff

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        """A new account has its roles from the service."""
        if change:
            super().save_related(request, form, formsets, change)

    @admin.display(description=_("roles"))
    def show_roles(self, user: User) -> str:
        return ", ".join(sorted(group.name for group in user.groups.all())) or self.empty_value_display

    @admin.display(description=_("status"))
    def show_status(self, user: User) -> SafeString:
        return badge(user.get_status_display(), STATUS_TONES[user.status])


@admin.register(Group)
class GroupAdmin(BackOfficeAdmin, _StockGroupAdmin):
    search_fields = ["name"]
