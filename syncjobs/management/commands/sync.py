"""`manage.py sync`: start a sync, and watch it with --follow."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from syncjobs.management.following import follow
from syncjobs.models import SyncJob
from syncjobs.services.jobs import StartSync, start_sync
from syncjobs.services.validation import validate_sync
from system.errors import ApplicationError
from system.management.refusals import refusal
from system.models import Task


class Command(BaseCommand):
    """Starts a sync through the same service as the API and the back office."""

    help = "Start a sync of a source; --follow shows its progress until it ends."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare what a start takes; the defaults are those of the API."""
        parser.add_argument("--source", help="name of the source; left out: the default source")
        parser.add_argument("--type", choices=SyncJob.Type.values, default=SyncJob.Type.FULL)
        parser.add_argument("--category", type=int, metavar="ID", help="only this category and those below it")
        parser.add_argument("--sku", action="append", default=[], metavar="OFFER", help="offer id or link; repeatable")
        parser.add_argument("--batch-size", type=_bounded(settings.SYNC_BATCH_SIZE_MAX), metavar="1-1000")
        parser.add_argument("--max-workers", type=_bounded(settings.SYNC_MAX_WORKERS_MAX), metavar="1-32")
        parser.add_argument("--priority", choices=Task.Queue.values, default=Task.Queue.DEFAULT)
        parser.add_argument("--dry-run", action="store_true", help="go the whole way, but leave the catalogue as it is")
        parser.add_argument("--check", action="store_true", help="only say what the sync would meet and take")
        parser.add_argument("--follow", action="store_true", help="show a progress bar until the job ends")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Start, then follow if asked. Exit codes: 0 done, 1 the job failed or would, 2 bad arguments or refused."""
        if options["check"]:
            self._check(_request(options))
            return
        try:
            job = start_sync(_request(options))
        except ApplicationError as error:
            raise CommandError(refusal(error), returncode=2) from error
        self.stdout.write(f"{job.task_id} {job.state}")
        if options["follow"] and not follow(job.pk):
            raise CommandError(f"{job.task_id} failed; see manage.py sync_status {job.task_id}", returncode=1)

    def _check(self, request: StartSync) -> None:
        try:
            found = validate_sync(request)
        except ApplicationError as error:
            raise CommandError(refusal(error), returncode=2) from error
        for mark, problems in (("!!", found.errors), ("! ", found.warnings)):
            for problem in problems:
                self.stdout.write(f"{mark} {problem.code} {problem.message} {problem.suggestion}".rstrip())
        if found.estimate:
            estimate = found.estimate
            self.stdout.write(f"records {estimate.records}, calls {estimate.calls}, about {estimate.seconds} s")
        if not found.valid:
            raise CommandError("the sync would not work", returncode=1)
        self.stdout.write("the sync would work")


def _request(options: dict[str, Any]) -> StartSync:
    sizes = {name: options[name] for name in ("batch_size", "max_workers") if options[name] is not None}
    return StartSync(
        type=options["type"],
        source=options["source"],
        category_id=options["category"],
        sku_list=tuple(options["sku"]),
        priority=options["priority"],
        trigger=SyncJob.Trigger.COMMAND,
        dry_run=options["dry_run"],
        **sizes,
    )


def _bounded(most: int) -> Any:
    def parse(text: str) -> int:
        value = int(text)
        if not 1 <= value <= most:
            raise ValueError
        return value

    parse.__name__ = f"number from 1 to {most}"
    return parse
