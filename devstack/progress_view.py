"""A job as it runs, on the terminal: a live bar, or plain lines where nothing can be drawn over."""

from datetime import timedelta
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

COUNTERS = ("created", "updated", "unchanged", "rejected")
BAR_WIDTH = 30
# A plain line at most every this many percent.
PLAIN_STEP_PERCENT = 10

Job = dict[str, Any]


class ProgressView:
    """Shows one job; lines printed on the same console appear above the bar. Use it as a context manager."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._plain = not console.is_terminal or console.is_dumb_terminal
        self._live = Live(console=console, auto_refresh=False)
        self._next_percent = 0.0

    def __enter__(self) -> "ProgressView":
        if not self._plain:
            self._live.start()
        return self

    def __exit__(self, *_: object) -> None:
        if not self._plain:
            self._live.stop()

    def show(self, job: Job) -> None:
        """Show where the job stands now; `job` is the API's Job body."""
        if not self._plain:
            self._live.update(drawing(job), refresh=True)
            return
        percent = job["progress"]["percent"] or 0.0
        if percent >= self._next_percent:
            self._next_percent = percent - percent % PLAIN_STEP_PERCENT + PLAIN_STEP_PERCENT
            self._console.print(f"{amounts(job)}  {counters(job)}", markup=False, highlight=False, soft_wrap=True)


def drawing(job: Job) -> RenderableType:
    """The bar with its numbers, and the counters below it."""
    progress = job["progress"]
    row = Table.grid(padding=(0, 2))
    row.add_row(job["task_id"], ProgressBar(total=progress["total"], completed=progress["processed"], width=BAR_WIDTH))
    return Group(row, Text(amounts(job)), Text(counters(job), style="dim"))


def amounts(job: Job) -> str:
    """Processed, rate and time left: `1,200 of 3,000  410/s  ETA 0:00:04`."""
    progress = job["progress"]
    total = "?" if progress["total"] is None else f"{progress['total']:,}"
    eta = progress["eta_seconds"]
    left = "" if eta is None else f"  ETA {timedelta(seconds=eta)}"
    return f"{progress['processed']:,} of {total}  {progress['rate_per_second']:,.0f}/s{left}"


def counters(job: Job) -> str:
    """`created 1,200 · updated 0 · unchanged 0 · rejected 0`."""
    return " · ".join(f"{name} {job['progress'][name]:,}" for name in COUNTERS)
