"""`manage.py reindex_search`: make anew what search keeps of the products, with a bar that shows how far it is."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from rich.progress import Progress

from products.models import Product
from products.services.search_index import reindex, start_over
from system.management.console import terminal


class Command(BaseCommand):
    """Goes on with the rebuilding that an upgrade began, or rebuilds everything."""

    help = "Make anew what search keeps: what an upgrade left to do, or with --all everything. It may be broken off."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare `--all`."""
        parser.add_argument("--all", action="store_true", help="begin anew, whatever is kept")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Exit code 0: everything is of today's version."""
        if options["all"]:
            start_over()
        last = Product.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
        count = 0
        with Progress(console=terminal()) as progress:
            bar = progress.add_task("products", total=last)
            for step in reindex():
                count += step.products
                progress.update(bar, completed=step.position)
            progress.update(bar, completed=last)
        print(f"{count} products were read, all are of today's version")
