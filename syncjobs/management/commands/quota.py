"""`manage.py quota`: what each app key has used of its calls today and in the last week."""

from typing import Any

from django.core.management.base import BaseCommand
from rich.table import Table

from syncjobs.selectors.quota import quota_views
from system.management.console import terminal


class Command(BaseCommand):
    """Reads only."""

    help = "Show the calls of each app key: used, left, reserve, by API and by day, and what running jobs need."

    def handle(self, *_args: Any, **_options: Any) -> None:
        """Print tables."""
        console = terminal()
        views = quota_views()
        overview = Table("app key", "sources", "used today", "limit", "left", "reserve", "jobs need", "resets at")
        for view in views:
            need = sum(job["still_to_make"] or 0 for job in view["jobs"])
            numbers = [_text(view[name]) for name in ("used_today", "limit", "left", "reserve")]
            reset = f"{view['resets_at']:%Y-%m-%d %H:%M} UTC"
            overview.add_row(_text(view["app_key"]), ", ".join(view["sources"]), *numbers, str(need), reset)
        console.print(overview)
        for view in views:
            _show_calls(console, view)


def _show_calls(console: Any, view: dict[str, Any]) -> None:
    title = f"{view['app_key'] or view['sources'][0]}: today by API"
    apis = Table("API", "calls", "refused", title=title)
    for line in view["apis"]:
        apis.add_row(line["api"], str(line["calls"]), str(line["refused"]))
    console.print(apis)
    days = ", ".join(f"{day['date']:%m-%d} {day['calls']}" for day in view["days"])
    console.print(f"last seven days: {days}")


def _text(value: Any) -> str:
    return "" if value is None else str(value)
