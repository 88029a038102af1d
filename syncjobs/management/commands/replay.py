"""`manage.py replay`: map what sources answered before anew, without calling them."""

from argparse import ArgumentTypeError
from datetime import datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from syncjobs.management.following import follow
from syncjobs.services.replays import StartReplay, span_of, start_replay
from system.errors import ApplicationError
from system.management.refusals import refusal
from system.models import Task


class Command(BaseCommand):
    """Starts a replay through the same service as the API; workers do it, so it survives the end of this command."""

    help = "Map the kept answers of a source as its mapping is now; --follow shows the progress until it ends."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare what a replay takes."""
        parser.add_argument("--source", help="name of the source; left out: the default source")
        parser.add_argument("--since", type=moment, metavar="7d", help="12h, 7d, 2w or a time; left out: all kept")
        parser.add_argument("--offers", nargs="+", default=[], metavar="OFFER", help="offer ids or links")
        parser.add_argument("--priority", choices=Task.Queue.values, default=Task.Queue.DEFAULT)
        parser.add_argument("--dry-run", action="store_true", help="only count what would change")
        parser.add_argument("--follow", action="store_true", help="show a progress bar until the job ends")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Start, then follow if asked. Exit codes: 0 done, 1 the job failed, 2 bad arguments or refused."""
        try:
            job = start_replay(_request(options))
        except ApplicationError as error:
            raise CommandError(refusal(error), returncode=2) from error
        self.stdout.write(f"{job.task_id} {job.state}")
        if options["follow"] and not follow(job.pk):
            raise CommandError(f"{job.task_id} failed; see manage.py sync_status {job.task_id}", returncode=1)


def _request(options: dict[str, Any]) -> StartReplay:
    return StartReplay(
        source=options["source"],
        since=options["since"],
        sku_list=tuple(options["offers"]),
        priority=options["priority"],
        dry_run=options["dry_run"],
    )


def moment(text: str) -> datetime:
    """A time, or how long ago, as an argument.

    Raises:
        ArgumentTypeError: it is neither.
    """
    if span := span_of(text):
        return timezone.now() - span
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise ArgumentTypeError("give 12h, 7d, 2w or a time such as 2026-05-01T08:00") from None
    return found if found.tzinfo else timezone.make_aware(found)
