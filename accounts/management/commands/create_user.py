"""`manage.py create_user`: an account with a role, its password typed or piped in."""

import getpass
import sys
from typing import Any

from django.core.exceptions import ValidationError
from django.core.management.base import BaseCommand, CommandError, CommandParser

from accounts.models import User
from accounts.roles import ROLES
from accounts.services import create_user
from system.errors import ApplicationError
from system.management.refusals import refusal


class Command(BaseCommand):
    """Makes a user through the same service as the API and the back office."""

    help = "Make a user. The password is asked for, or read from standard input when that is no terminal."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare name, address, role and tier."""
        parser.add_argument("username")
        parser.add_argument("email")
        parser.add_argument("--role", choices=ROLES, default="", help="left out: reads the catalogue only")
        parser.add_argument("--tier", choices=User.Tier.values, default=User.Tier.FREE)

    def handle(self, *_args: Any, **options: Any) -> None:
        """Make the user. Exit codes: 0 done, 2 bad arguments or refused."""
        given = {name: options[name] for name in ("username", "email", "role", "tier")}
        try:
            user = create_user(password=_password(), **given)
        except ApplicationError as error:
            raise CommandError(refusal(error), returncode=2) from error
        except ValidationError as error:
            told = "; ".join(f"{name}: {' '.join(texts)}" for name, texts in error.message_dict.items())
            raise CommandError(told, returncode=2) from error
        self.stdout.write(f"{user.pk} {user.username}")


def _password() -> str:
    if sys.stdin.isatty():
        return getpass.getpass("Password: ")
    return sys.stdin.readline().rstrip("\r\n")
