"""Django application of the development tools: embedded servers, gateway simulator, demo."""

from django.apps import AppConfig


class DevstackConfig(AppConfig):
    """Registers the development commands; it has no models."""

    name = "devstack"
    label = "devstack"
