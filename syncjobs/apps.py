"""Django application `syncjobs`."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class SyncjobsConfig(AppConfig):
    """Registers who works on slices and what the sweeper repairs."""

    name = "syncjobs"
    verbose_name = _("Synchronization")

    def ready(self) -> None:
        """Hang the engine onto the task queue."""
        from syncjobs.services.slices import run_slice
        from syncjobs.services.slices_queue import SLICE_KIND
        from syncjobs.services.sweep import sweep_jobs
        from system.queue import register_handler, register_sweeper

        register_handler(SLICE_KIND, run_slice)
        register_sweeper(sweep_jobs)
