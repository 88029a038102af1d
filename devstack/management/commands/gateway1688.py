"""`manage.py gateway1688`: the simulated 1688 gateway."""

from argparse import Namespace
from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from devstack.gateway.server import add_arguments, run


class Command(BaseCommand):
    """Serves until interrupted; the same options as `python -m devstack.gateway`."""

    help = "Serve a simulated 1688 gateway on 127.0.0.1"
    requires_system_checks = ()

    def add_arguments(self, parser: CommandParser) -> None:
        """The simulator's own command line."""
        add_arguments(parser)

    def handle(self, *_args: Any, **options: Any) -> None:
        """Runs the simulator."""
        run(Namespace(**options))
