"""`manage.py create_api_key`: a key for a program, printed once."""

from datetime import timedelta
from ipaddress import ip_network
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from accounts.selectors import user_by_identifier
from accounts.services import NewKey, create_key
from accounts.services.keys import MAX_DAYS
from system.api.permissions import SCOPES
from system.errors import ApplicationError
from system.management.refusals import refusal


class Command(BaseCommand):
    """Makes a key through the same service as the API."""

    help = "Make an API key for a user and print it; nobody can read it again."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the owner, what the key allows, for how long and from where."""
        parser.add_argument("user", help="user name or e-mail address of the owner")
        parser.add_argument("name", help="what the key is for")
        parser.add_argument("--scope", action="append", choices=SCOPES, dest="scopes", help="repeatable; default: read")
        parser.add_argument("--days", type=int, default=MAX_DAYS, choices=range(1, MAX_DAYS + 1), metavar="1-365")
        parser.add_argument("--ip", action="append", type=_network, default=[], dest="ips", help="repeatable")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Make the key. Exit codes: 0 done, 2 bad arguments or refused."""
        user = user_by_identifier(options["user"])
        if user is None:
            raise CommandError(f"There is no user {options['user']}.", returncode=2)
        wanted = NewKey(
            name=options["name"],
            scopes=tuple(dict.fromkeys(options["scopes"] or ["read"])),
            expires_at=timezone.now() + timedelta(days=options["days"]),
            allowed_ips=tuple(options["ips"]),
        )
        try:
            _key, secret = create_key(user.pk, wanted)
        except ApplicationError as error:
            raise CommandError(refusal(error), returncode=2) from error
        self.stdout.write(secret)


def _network(text: str) -> str:
    return str(ip_network(text))
