"""Django application `system`."""

from django.apps import AppConfig


class SystemConfig(AppConfig):
    """Registers the application under its folder's name."""

    name = "system"
