"""Django application `system`."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class SystemConfig(AppConfig):
    """Registers the kernel's health probes and system checks."""

    name = "system"
    verbose_name = _("System")

    def ready(self) -> None:
        """Hang the probes and checks up."""
        from system import checks, health  # noqa: F401 (importing checks registers them)
        from system.api import lifecycle  # noqa: F401 (the same)

        health.register_probe("postgres", health.probe_postgres)
        health.register_probe("redis", health.probe_redis)
        health.register_probe("workers", health.probe_workers)
