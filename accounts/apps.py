"""Django application `accounts`."""

from django.apps import AppConfig


class AccountsConfig(AppConfig):
    """Registers the application under its folder's name."""

    name = "accounts"
