"""`manage.py suggestions`: learn what searches can be completed to now, instead of within a few minutes."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from products.services.suggestions import refresh_suggestions


class Command(BaseCommand):
    """Learns the suggestions of the search anew from the products as they are."""

    help = "Learn what searches can be completed to now; a schedule does it by itself after changes"

    def handle(self, *_args: Any, **_options: Any) -> None:
        """Exit codes: 0 done, 1 another process is at it."""
        count = refresh_suggestions()
        if count < 0:
            raise CommandError("another process is learning the suggestions now")
        self.stdout.write(f"{count} suggestions")
