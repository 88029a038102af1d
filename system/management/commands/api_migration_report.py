"""Who still calls old versions of the API."""

import json
from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from rich.table import Table

from system import usage
from system.management.console import terminal

CLIENT_COLUMNS = ("version", "key", "user", "client_version", "calls", "routes", "last_day")
ROUTE_COLUMNS = ("version", "method", "route", "calls", "last_day")


class Command(BaseCommand):
    """`manage.py api_migration_report --days 30`: clients and routes still on a version before the newest."""

    help = "List clients (API key, user, X-Client-Version) and routes that still use an old version of the API."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """What to look at."""
        parser.add_argument(
            "--days", type=int, default=30, help=f"how far back to look, 1 to {usage.KEPT_DAYS} (default 30)"
        )
        parser.add_argument("--api-version", action="append", help="a version; all but the newest when left out")
        parser.add_argument("--json", action="store_true", help="print JSON for programs")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Print the report."""
        versions = options["api_version"] or list(settings.API_VERSIONS)[:-1]
        unknown = sorted(set(versions) - set(settings.API_VERSIONS))
        if unknown:
            raise CommandError(
                f"There is no version {', '.join(unknown)}; there are {', '.join(settings.API_VERSIONS)}."
            )
        if not 1 <= options["days"] <= usage.KEPT_DAYS:
            raise CommandError(f"--days must be between 1 and {usage.KEPT_DAYS}.")
        found = usage.report(versions, timezone.now().date() - timedelta(days=options["days"] - 1))
        if options["json"]:
            self.stdout.write(json.dumps(found, default=str, ensure_ascii=False))
        else:
            self._show(found, ", ".join(versions), options["days"])

    def _show(self, found: dict[str, list[dict[str, Any]]], versions: str, days: int) -> None:
        console = terminal()
        if not found["clients"]:
            console.print(f"Nobody called {versions} in the last {days} days.")
            return
        console.print(_table(f"Clients of {versions}, last {days} days", CLIENT_COLUMNS, found["clients"]))
        console.print(_table(f"Routes of {versions}, last {days} days", ROUTE_COLUMNS, found["routes"]))


def _table(title: str, columns: tuple[str, ...], rows: list[dict[str, Any]]) -> Table:
    table = Table(title=title, title_justify="left")
    for column in columns:
        table.add_column(column.replace("_", " "), justify="right" if column in {"calls", "routes"} else "left")
    for row in rows:
        table.add_row(*(str(row[column]) for column in columns))
    return table
