"""Django application `accounts`."""

from django.apps import AppConfig
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _


class AccountsConfig(AppConfig):
    """Registers the roles, which must exist wherever the tables do."""

    name = "accounts"
    verbose_name = _("Accounts")

    def ready(self) -> None:
        """Permissions exist only after the migrations, so the roles cannot be a migration themselves."""
        from accounts.roles import ensure_roles
        from accounts.selectors import key_names, user_names
        from system.usage import register_names

        register_names("user", user_names)
        register_names("key", key_names)

        post_migrate.connect(ensure_roles, dispatch_uid="accounts.ensure_roles")
