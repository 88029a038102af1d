"""Rewrite saved calls of API version 1 for version 2."""

import sys
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from system.rewriting import rewrite


class Command(BaseCommand):
    """`manage.py rewrite_calls calls.sh > calls-v2.sh`; `--in-place` changes the files themselves."""

    help = "Rewrite saved calls of API version 1 (curl scripts, .http files, HAR, Postman collections) for version 2."
    requires_system_checks: Any = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Files, or standard input."""
        parser.add_argument("files", nargs="*", type=Path, help="standard input when none is named")
        parser.add_argument("--in-place", action="store_true", help="change the files themselves")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Rewrite each file."""
        files: list[Path] = options["files"]
        if not files:
            self.stdout.write(rewrite(sys.stdin.read()), ending="")
        for path in files:
            try:
                rewritten = rewrite(path.read_text(encoding="utf-8"))
            except (OSError, UnicodeDecodeError) as error:
                raise CommandError(f"{path}: {error}") from error
            if options["in_place"]:
                path.write_text(rewritten, encoding="utf-8")
                self.stderr.write(f"{path} rewritten")
            else:
                self.stdout.write(rewritten, ending="")
