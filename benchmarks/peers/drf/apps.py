"""The application."""

from django.apps import AppConfig


class NaiveConfig(AppConfig):
    """Under a label of its own, so that its models and ours never meet."""

    name = "benchmarks.peers.drf"
    label = "naive"
    default_auto_field = "django.db.models.BigAutoField"
