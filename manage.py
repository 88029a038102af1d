#!/usr/bin/env python3
"""Command line of 1688sync; `manage.py help` lists the commands."""

import getpass
import os
import sys


def main() -> None:
    """Run the command named on the command line, in the name of the operating system's user."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")
    from django.core.management import execute_from_command_line

    from system.actor import Actor, actor_scope

    with actor_scope(Actor("command", name=_user())):
        execute_from_command_line(sys.argv)


def _user() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        # A container may run under a number that has no name.
        return str(os.getuid())


if __name__ == "__main__":
    main()
