"""Django application `system`."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class SystemConfig(AppConfig):
    """Registers the kernel's health probes, system checks, tasks, runtime settings and gauges."""

    name = "system"
    verbose_name = _("System")

    def ready(self) -> None:
        """Hang everything up."""
        from system import checks, gauges, health, knobs, mail, metrics  # noqa: F401 (importing checks registers them)
        from system.api import lifecycle  # noqa: F401 (the same)
        from system.task_kinds import register_handler

        health.register_probe("postgres", health.probe_postgres)
        health.register_probe("redis", health.probe_redis)
        health.register_probe("workers", health.probe_workers)
        register_handler(mail.EMAIL_KIND, mail.send_email, backoff=mail.BACKOFF)
        knobs.register()
        metrics.register_gauges(gauges.system_gauges)
