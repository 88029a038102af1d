"""`manage.py drift`: how a source's answers have changed."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from rich.table import Table

from syncjobs.management.commands.replay import moment
from syncjobs.selectors.drift import drift_view
from syncjobs.services.scopes import named_source
from system.errors import ApplicationError
from system.management.console import terminal
from system.management.refusals import refusal


class Command(BaseCommand):
    """Reads only."""

    help = "Show fields of a source's answers that are new, of another type, or gone."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the source and from when on."""
        parser.add_argument("--source", help="name of the source; left out: the default source")
        parser.add_argument("--since", type=moment, metavar="7d", help="12h, 7d, 2w or a time; left out: everything")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Print a table. Exit code 2: no such source."""
        try:
            source = named_source(options["source"])
        except ApplicationError as error:
            raise CommandError(refusal(error), returncode=2) from error
        view, console = drift_view(source.name, {"since": options["since"]}), terminal()
        table = Table("change", "field", "type", "before", "share", "since", "job")
        for each in view["findings"]:
            before, share = ", ".join(each["types_before"]), f"{each['share_percent']:g} %"
            since = f"{each['since']:%Y-%m-%d %H:%M}"
            cells = (each["change"], each["path"], each["type"] or "", before, share, since, each["task_id"] or "")
            table.add_row(*cells)
        console.print(table)
        console.print(f"{view['runs']} looks; the last at {view['looked_at']} of {view['answers']} new answers")
