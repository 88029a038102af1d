"""`manage.py sources`: add, list and check the places products come from."""

import json
import os
import sys
from datetime import datetime
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import translation
from rich.table import Table

from syncjobs.connectors.registry import CONNECTORS, Credentials
from syncjobs.models import Source
from syncjobs.selectors.sources import days_left
from syncjobs.services.source_checks import diagnosed
from syncjobs.services.sources import NewSource, add_source, find_source
from system.errors import ApplicationError
from system.management.console import terminal
from system.management.refusals import refusal

SECRETS = ("app_secret", "access_token", "refresh_token")


class Command(BaseCommand):
    """Adds, lists and checks sources; secrets come from options, the environment or standard input."""

    help = "Manage sources: sources add NAME --kind …, sources list, sources check [NAME]."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the three sub-commands."""
        actions = parser.add_subparsers(dest="action", required=True)
        actions.add_parser("list", help="show all sources")
        check = actions.add_parser("check", help="signed call and permission probe, saying what to do next")
        check.add_argument("name", nargs="?", help="left out: every source")
        check.add_argument(
            "--language", choices=[code for code, _ in settings.LANGUAGES], default=settings.LANGUAGE_CODE
        )
        _add_arguments(actions.add_parser("add", help="add a source"))

    def handle(self, *_args: Any, **options: Any) -> None:
        """Exit codes: 0 done, 1 a source cannot be synced as it is, 2 refused."""
        actions = {"list": _list, "check": _check, "add": _add}
        try:
            actions[options["action"]](options)
        except ApplicationError as error:
            raise CommandError(refusal(error), returncode=2) from error


def _add_arguments(parser: Any) -> None:
    parser.add_argument("name", help="a-z, 0-9, - and _; products carry it for ever")
    parser.add_argument("--kind", choices=sorted(CONNECTORS), required=True)
    parser.add_argument("--gateway-url", help="for alibaba1688; left out: the real platform")
    parser.add_argument("--path", help="for feed: the file")
    parser.add_argument("--url", help="for feed: its https address instead")
    parser.add_argument("--options", help="further connector options: JSON text, or @file")
    parser.add_argument("--app-key", default="")
    for secret in SECRETS:
        name = secret.replace("_", "-")
        parser.add_argument(f"--{name}", help=f"better: environment variable {secret.upper()}, or - to read a line")
    parser.add_argument("--access-expires-at", type=datetime.fromisoformat, metavar="ISO8601")
    parser.add_argument("--refresh-expires-at", type=datetime.fromisoformat, metavar="ISO8601")
    parser.add_argument("--calls-per-second", type=float, default=10.0)
    parser.add_argument("--daily-call-limit", type=int)
    parser.add_argument(
        "--hold-at-percent",
        type=int,
        choices=range(1, 101),
        default=100,
        metavar="1-100",
        help="from this share of the day's calls on only critical jobs go on (default 100, no reserve; 90 is good)",
    )
    parser.add_argument(
        "--delist-after-walks",
        type=int,
        choices=range(1, 11),
        default=3,
        metavar="1-10",
        help="complete walks in a row that must miss a product before it is delisted (default 3)",
    )
    parser.add_argument(
        "--field-policies",
        help='who wins, by field, as JSON: {"*": "operator", "price": "source"}; see docs/ownership.md',
    )
    parser.add_argument("--default", action="store_true", default=None, help="make it the default source")


def _add(options: dict[str, Any]) -> None:
    source = add_source(
        NewSource(
            name=options["name"],
            kind=options["kind"],
            options=_options(options),
            credentials=_credentials(options),
            calls_per_second=options["calls_per_second"],
            daily_call_limit=options["daily_call_limit"],
            hold_at_percent=options["hold_at_percent"],
            delist_after_walks=options["delist_after_walks"],
            field_policies=_json_option(options["field_policies"], "--field-policies"),
            is_default=options["default"],
        )
    )
    print(f"added {source.name}; next: manage.py sources check {source.name}")


def _options(options: dict[str, Any]) -> dict[str, Any]:
    chosen = _json_option(options["options"])
    named = {"gateway_url": options["gateway_url"], "path": options["path"], "url": options["url"]}
    return chosen | {name: value for name, value in named.items() if value}


def _json_option(text: str | None, name: str = "--options") -> dict[str, Any]:
    if not text:
        return {}
    try:
        if text.startswith("@"):
            with open(text[1:], encoding="utf-8") as file:
                found: dict[str, Any] = json.load(file)
        else:
            found = json.loads(text)
    except (OSError, ValueError) as error:
        raise CommandError(f"{name}: {error}", returncode=2) from error
    if not isinstance(found, dict):
        raise CommandError(f"{name} must be a JSON object", returncode=2)
    return found


def _credentials(options: dict[str, Any]) -> Credentials:
    secrets = {name: _secret(name, options[name]) for name in SECRETS}
    return Credentials(
        app_key=options["app_key"] or os.environ.get("APP_KEY", ""),
        access_expires_at=options["access_expires_at"],
        refresh_expires_at=options["refresh_expires_at"],
        **secrets,
    )


def _secret(name: str, given: str | None) -> str:
    """An option beats the environment; `-` reads one line, so that the secret stays out of the process list."""
    if given == "-":
        return sys.stdin.readline().strip()
    return given or os.environ.get(name.upper(), "")


def _list(_options: dict[str, Any]) -> None:
    table = Table("name", "kind", "default", "enabled", "app key", "secrets", "authorised for")
    for source in Source.objects.order_by("name"):
        stored = "stored" if source.secrets else "none"
        flags = ["yes" if flag else "" for flag in (source.is_default, source.is_enabled)]
        days = days_left(source)
        authorised = "" if days is None else f"{days} days" if days >= 0 else "ended"
        table.add_row(source.name, source.kind, *flags, source.app_key, stored, authorised)
    terminal().print(table)


def _check(options: dict[str, Any]) -> None:
    sources = [find_source(options["name"])] if options["name"] else list(Source.objects.order_by("name"))
    if not sources:
        raise CommandError("no sources yet; add one with manage.py sources add NAME --kind …", returncode=2)
    with translation.override(options["language"]):
        results = [_check_one(source) for source in sources]
    if not all(results):
        raise CommandError("a source cannot be used as it is", returncode=1)


def _check_one(source: Source) -> bool:
    report = diagnosed(source)
    table = Table("", "probe", "state", "result", "what to do next", title=f"{source.name} ({source.kind})")
    for line in report.checks:
        table.add_row("ok" if line.ok else "!!", line.name, line.state, line.message or line.code, line.action)
    terminal().print(table)
    terminal().print(report.summary)
    return report.ok
