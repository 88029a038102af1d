"""Users, their tier and their roles; the API keys of programs."""

from typing import Any

from django.contrib.auth.models import AbstractBaseUser, Group, Permission, PermissionsMixin, UserManager
from django.contrib.postgres.fields import ArrayField
from django.core.validators import MinLengthValidator, RegexValidator
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class User(AbstractBaseUser, PermissionsMixin):
    """A person or program that signs in.

    `token_version` is inside every token: raising it ends all of the user's sessions. Roles are Django groups
    (`viewer`, `operator`, `admin`); a user without one reads the catalogue. Deleted users stay as rows, and keep their
    names, until an administrator purges them. `version` rises with every change somebody could have decided on.
    """

    class Status(models.TextChoices):
        ACTIVE = "active", _("active")
        INACTIVE = "inactive", _("inactive")
        SUSPENDED = "suspended", _("suspended")

    class Tier(models.TextChoices):
        FREE = "free", _("free")
        BASIC = "basic", _("basic")
        ENTERPRISE = "enterprise", _("enterprise")
        PREMIUM = "premium", _("premium")

    username = models.CharField(
        _("username"),
        max_length=50,
        unique=True,
        validators=[MinLengthValidator(3), RegexValidator(r"^[a-zA-Z0-9_]+\Z")],
        help_text=_("3 to 50 letters, digits or underscores"),
    )
    email = models.EmailField(_("e-mail"), max_length=100, unique=True)
    status = models.CharField(_("status"), max_length=10, choices=Status, default=Status.ACTIVE)
    tier = models.CharField(_("tier"), max_length=10, choices=Tier, default=Tier.FREE)
    is_staff = models.BooleanField(_("may enter the back office"), default=False)
    token_version = models.PositiveIntegerField(_("token version"), default=0, editable=False)
    version = models.PositiveIntegerField(_("version"), default=1, editable=False)
    last_login = models.DateTimeField(_("last login"), null=True, blank=True, db_column="last_login_at")
    created_at = models.DateTimeField(_("created at"), default=timezone.now, editable=False)
    updated_at = models.DateTimeField(_("updated at"), default=timezone.now, editable=False)
    deleted_at = models.DateTimeField(_("deleted at"), null=True, blank=True, editable=False)
    # Declared again only to leave out the foreign-key constraints of the link tables.
    groups = models.ManyToManyField(  # type: ignore[assignment] # the mixin's own link table is not ours
        Group,
        db_constraint=False,
        blank=True,
        related_name="user_set",
        related_query_name="user",
        verbose_name=_("roles"),
    )
    user_permissions = models.ManyToManyField(  # type: ignore[assignment] # as above
        Permission, db_constraint=False, blank=True, related_name="user_set", related_query_name="user"
    )

    objects = UserManager["User"]()

    USERNAME_FIELD = "username"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS = ["email"]

    class Meta:
        verbose_name = _("user")
        verbose_name_plural = _("users")

    def __str__(self) -> str:
        return self.username

    @property
    def is_active(self) -> bool:  # type: ignore[override] # Django only ever reads it
        """Django's own word for: may sign in."""
        return self.status == self.Status.ACTIVE and self.deleted_at is None


class ApiKey(models.Model):
    """What a program signs its calls with; the key itself is shown once and not kept.

    `prefix` finds the row, `hash` is the digest of the whole key. A key never allows more than its owner's role does at
    the moment of the call. Revoked keys stay as rows: the audit log names them.
    """

    user: "models.ForeignKey[Any, Any]" = models.ForeignKey(
        User,
        db_constraint=False,
        related_name="+",
        on_delete=models.DO_NOTHING,
        verbose_name=_("user"),
    )
    name = models.CharField(_("name"), max_length=100)
    prefix = models.CharField(_("prefix"), max_length=8, unique=True)
    hash = models.CharField(_("digest"), max_length=64, editable=False)
    scopes = ArrayField(models.CharField(max_length=10), verbose_name=_("scopes"))
    # Networks such as 203.0.113.0/24; empty: from anywhere.
    allowed_ips = ArrayField(
        models.CharField(max_length=43), verbose_name=_("allowed addresses"), default=list, blank=True
    )
    version = models.PositiveIntegerField(_("version"), default=1, editable=False)
    expires_at = models.DateTimeField(_("expires at"))
    last_used_at = models.DateTimeField(_("last used"), null=True, blank=True)
    created_at = models.DateTimeField(_("created at"), default=timezone.now)
    updated_at = models.DateTimeField(_("updated at"), default=timezone.now)
    revoked_at = models.DateTimeField(_("revoked at"), null=True, blank=True)

    class Meta:
        verbose_name = _("API key")
        verbose_name_plural = _("API keys")

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix})"
