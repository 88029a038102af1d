"""`manage.py rejects`: the rejected records of a run: list, retry all matching, export."""

import sys
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from rich.table import Table

from syncjobs.selectors.rejects import matching
from syncjobs.services.jobs import find_job
from syncjobs.services.reject_files import CONTENT_TYPES, write_rejects
from syncjobs.services.reject_retries import FILTERS, retry_rejects
from system.errors import ApplicationError
from system.management.console import terminal
from system.management.refusals import refusal
from system.naming import SNAKE

LISTED = 50


class Command(BaseCommand):
    """Uses the same services as the API."""

    help = "List, retry or export the rejected records of a run."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare what to do, the run, and which of its records are meant."""
        parser.add_argument("action", choices=["list", "retry", "export"])
        parser.add_argument("task_id", help="such as sync_20251118_001")
        for name in ("code", "step", "field"):
            parser.add_argument(f"--{name}", action="append", default=[], help="any of these; repeatable")
        parser.add_argument("--source-id", help="only this id at the source")
        parser.add_argument("--q", help="part of the reason or of the id")
        parser.add_argument("--all", action="store_true", help="also those that a retry has resolved")
        parser.add_argument("--format", choices=list(CONTENT_TYPES), default="ndjson")
        parser.add_argument("--output", type=Path, help="file of an export; left out: standard output")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Do it. Exit code 2: no such job, or refused."""
        filters = {name: options[name] for name in FILTERS if options[name]}
        try:
            job_id = find_job(options["task_id"]).pk
            shown = filters if options["all"] else {**filters, "resolved": False}
            match options["action"]:
                case "list":
                    _list(job_id, shown)
                case "export":
                    _export(job_id, shown, options["format"], options["output"])
                case _:
                    ordered = retry_rejects(options["task_id"], filters)
                    self.stdout.write(f"{ordered.task.pk} retries {ordered.matching} records")
        except ApplicationError as error:
            raise CommandError(refusal(error), returncode=2) from error


def _list(job_id: int, filters: dict[str, Any]) -> None:
    found, console = matching(job_id, filters), terminal()
    table = Table("id", "source id", "step", "code", "field", "reason", "outcome")
    for row in found.defer("payload").order_by("pk")[:LISTED]:
        table.add_row(str(row.pk), row.source_id, row.step, row.code, row.field, row.message, row.outcome)
    console.print(table)
    console.print(f"{found.count()} records")


def _export(job_id: int, filters: dict[str, Any], file_format: str, output: Path | None) -> None:
    with output.open("wb") if output else nullcontext(sys.stdout.buffer) as file:
        write_rejects(file, job_id, filters, file_format, SNAKE)
