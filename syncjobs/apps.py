"""Django application `syncjobs`."""

from django.apps import AppConfig
from django.conf import settings
from django.utils.translation import gettext_lazy as _


class SyncjobsConfig(AppConfig):
    """Registers who works on slices, what the sweeper repairs, runtime settings, gauges and cards."""

    name = "syncjobs"
    verbose_name = _("Synchronization")

    def ready(self) -> None:
        """Hang the engine onto the task queue."""
        from products.ingest.ownership import register_policies
        from syncjobs import knobs
        from syncjobs.selectors import job_names, job_number
        from syncjobs.services.announced import apply_stock, fetch_announced
        from syncjobs.services.deliveries import DELIVER_KIND
        from syncjobs.services.drift import look
        from syncjobs.services.drift_queue import DRIFT_KIND
        from syncjobs.services.jobs import request_stop
        from syncjobs.services.messages import FETCH_KIND, STOCK_KIND
        from syncjobs.services.policies import policies_by_name
        from syncjobs.services.pump import deliver
        from syncjobs.services.reject_retries import RETRY_KIND, run_retries
        from syncjobs.services.slices import end_crash_loop, run_slice
        from syncjobs.services.slices_queue import SLICE_KIND
        from syncjobs.services.sweep import sweep_jobs
        from syncjobs.services.undo import LEASE_SECONDS, UNDO_KIND, run_undo
        from system.queue import register_handler, register_sweeper
        from system.task_kinds import JobNames, register_job_names

        knobs.register()
        register_policies(policies_by_name)
        # A slice is only a part: whoever cancels one wants the sync to stop, not another slice in its place.
        register_handler(
            SLICE_KIND,
            run_slice,
            on_cancel=request_stop,
            on_crash_loop=end_crash_loop,
            lease_seconds=settings.SYNC_LEASE_SECONDS,
        )
        register_handler(UNDO_KIND, run_undo, lease_seconds=LEASE_SECONDS)
        register_handler(DRIFT_KIND, look)
        register_handler(RETRY_KIND, run_retries, visible=("filters",))
        register_job_names(JobNames(job_names, job_number))
        register_handler(DELIVER_KIND, deliver)
        register_handler(FETCH_KIND, fetch_announced)
        register_handler(STOCK_KIND, apply_stock)
        register_sweeper(sweep_jobs)
        self._show()

    def _show(self) -> None:
        """Cards of the back office, gauges for monitors."""
        from syncjobs import dashboard
        from system.dashboard import register_card
        from system.metrics import register_gauges

        register_gauges(dashboard.jobs_gauges)
        register_gauges(dashboard.quota_gauges)
        may_look = "syncjobs.view_syncjob"
        cards = "backoffice/cards"
        register_card(
            "activity",
            f"{cards}/activity.html",
            dashboard.activity_card,
            position=20,
            permission=may_look,
            is_wide=True,
        )
        register_card(
            "alerts", f"{cards}/alerts.html", dashboard.alerts_card, position=10, permission=may_look, is_wide=True
        )
        register_card("quota", f"{cards}/quota.html", dashboard.quota_card, position=35, permission=may_look)
        register_card("workers", f"{cards}/workers.html", dashboard.workers_card, position=30, permission=may_look)
        register_card("week", f"{cards}/week.html", dashboard.week_card, position=40, permission=may_look, is_wide=True)
