"""Django application `system`."""

from django.apps import AppConfig
from django.conf import settings
from django.core import signals
from django.core.cache import close_caches
from django.db import close_old_connections, reset_queries
from django.utils.translation import gettext_lazy as _


def _spare_requests() -> None:
    """Leave out what the framework does around every request and ours have no use for.

    Connections are looked after when a request ends, and not once more when the next one begins; nothing is kept in
    the framework's cache, and its list of queries is for DEBUG alone.
    """
    signals.request_started.disconnect(close_old_connections)
    signals.request_finished.disconnect(close_caches)
    if not settings.DEBUG:
        signals.request_started.disconnect(reset_queries)


class SystemConfig(AppConfig):
    """Registers the kernel's health probes, system checks, tasks, runtime settings and gauges."""

    name = "system"
    verbose_name = _("System")

    def ready(self) -> None:
        """Hang everything up."""
        _spare_requests()
        from system import checks, gauges, health, knobs, mail, metrics  # noqa: F401 (importing checks registers them)
        from system.api import lifecycle  # noqa: F401 (the same)
        from system.task_kinds import register_handler

        health.register_probe("postgres", health.probe_postgres)
        health.register_probe("redis", health.probe_redis)
        health.register_probe("workers", health.probe_workers)
        register_handler(mail.EMAIL_KIND, mail.send_email, backoff=mail.BACKOFF)
        knobs.register()
        metrics.register_gauges(gauges.system_gauges)
