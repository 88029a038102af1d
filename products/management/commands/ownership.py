"""`manage.py ownership`: which fields operators own, and giving them back to the sources."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from rich.table import Table

from products.ingest.ownership import OWNABLE
from products.selectors.ownership import owned_products
from products.services.ownership import release_many
from system.management.console import terminal


class Command(BaseCommand):
    """Lists products with owned fields, and gives fields back."""

    help = "Fields that operators own: ownership list, ownership release --source NAME --field price."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the two sub-commands."""
        actions = parser.add_subparsers(dest="action", required=True)
        for name, told in (("list", "show products with owned fields"), ("release", "give fields back to the source")):
            action = actions.add_parser(name, help=told)
            action.add_argument("--source", help="only products of this source")
            action.add_argument("--id", type=int, action="append", dest="ids", metavar="ID", help="only this product")
            action.add_argument("--field", choices=OWNABLE, action="append", metavar="FIELD", help="only this field")
            action.add_argument("--conflicts", action="store_true", help="only where the source says something else")
            if name == "list":
                action.add_argument("--limit", type=int, default=100)
            else:
                action.add_argument("--all", action="store_true", help="needed when nothing narrows it down")

    def handle(self, *_args: Any, **options: Any) -> None:
        """Exit codes: 0 done, 1 refused."""
        filters = {name: options[name] for name in ("source", "ids", "field", "conflicts") if options[name]}
        if options["action"] == "list":
            _list(filters, options["limit"])
            return
        if not filters and not options["all"]:
            self.stderr.write("name a source, products or fields, or say --all")
            raise SystemExit(1)
        print(f"fields of {release_many(filters, options['field'])} products follow their source again")


def _list(filters: dict[str, Any], limit: int) -> None:
    table = Table("id", "sku", "source", "owned", "in conflict", "title")
    for product in owned_products(filters).order_by("pk")[:limit]:
        owned, conflicts = ", ".join(product.owned_fields), ", ".join(product.conflicts or ())
        table.add_row(str(product.pk), product.sku, product.source, owned, conflicts, product.title)
    terminal().print(table)
