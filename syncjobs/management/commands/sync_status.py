"""`manage.py sync_status`: what runs, what ran, and one job in detail."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from rich.console import Console
from rich.table import Table

from syncjobs import selectors
from syncjobs.management.following import counters_text, follow
from syncjobs.models import SyncJob
from syncjobs.selectors.alerts import alerts
from syncjobs.services.jobs import find_job
from system.errors import ApplicationError
from system.management.console import terminal
from system.management.refusals import refusal

LAST_JOBS = 10
LAST_LINES = 20


class Command(BaseCommand):
    """Reads only."""

    help = "Show active and recent jobs, or one job with its log; --follow watches it."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the job to look at."""
        parser.add_argument("task_id", nargs="?", help="such as sync_20251118_001")
        parser.add_argument("--follow", action="store_true", help="show a progress bar until the job ends")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Print tables. Exit code 2: no such job."""
        console = terminal()
        if not options["task_id"]:
            _show_overview(console)
            return
        try:
            job = find_job(options["task_id"])
        except ApplicationError as error:
            raise CommandError(refusal(error), returncode=2) from error
        if options["follow"]:
            follow(job.pk)
        _show_job(console, selectors.job(job.pk))


def _show_overview(console: Console) -> None:
    table = Table("task", "source", "type", "status", "%", "products", "rate", "counters")
    for job in selectors.jobs()[:LAST_JOBS]:
        progress = selectors.job_view(job)["progress"]
        percent = "" if progress["percent"] is None else f"{progress['percent']:g}"
        products = f"{progress['processed']}/{progress['total'] or '?'}"
        rate = f"{progress['rate_per_second']}/s"
        table.add_row(job.task_id, job.source.name, job.type, job.state, percent, products, rate, counters_text(job))
    console.print(table)
    workers = selectors.workers_view()
    waiting = ", ".join(f"{name} {queue['pending']}" for name, queue in selectors.queues_view().items())
    console.print(f"workers online: {workers['online']}   waiting tasks: {waiting}")
    for alert in alerts():
        console.print(f"{alert['level']}: {alert['message']} {alert['next_step']}")


def _show_job(console: Console, job: SyncJob) -> None:
    view = selectors.job_view(job)
    table = Table(show_header=False)
    for name, value in {**view, **view["progress"]}.items():
        if name != "progress":
            table.add_row(name, str(value))
    console.print(table)
    for line in reversed(selectors.logs(job.task_id)[:LAST_LINES]):
        shown = selectors.log_view(line)
        console.print(f"{shown['created_at']:%H:%M:%S} {shown['level']:7} {shown['message']} {shown['context'] or ''}")
