"""docs/reliability.md: the figures of the last long run. `make soak` runs the tests and then this program."""

import os
import platform
import sys
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import msgspec
from rich.console import Console
from rich.table import Table

TARGET = Path("docs/reliability.md")
COLUMNS = ("promise", "what", "trials", "lost", "doubled", "differing", "slowest recovery", "note")
PARTS = ("django", "celery", "kombu", "redis", "psycopg")
HEAD = """# Reliability: what was broken on purpose, and what came of it

`tests/faults/` runs a whole installation of its own (PostgreSQL, Redis, web server, workers, and the simulator of the
1688 gateway) and breaks it: `kill -9` of processes and of whole workers, processes that sleep through their lease, a
fault at every step of a batch, servers that are cut off, emptied or away, a source that fails. Afterwards the
catalogue is compared with that of a quiet run, row by row. How a sync survives this is told in [jobs.md](jobs.md).
`make test` runs the short form with every change; this is the long one.

Rows *lost*, *doubled* or *differing* are counted over all trials of a line; *slowest recovery* is in seconds, for the
worst trial. The times depend on the machine and on these settings: the tests use a lease of 4 s and a sweep every
second, so that a run takes minutes; the defaults are 30 s and 10 s.

Repeat it with `make soak` (`SCALE=20` for a longer one), which writes this page anew.
"""


def main(figures: Path) -> int:
    """Write the page from the figures of a run, and show them; returns the exit code."""
    rows: list[dict[str, Any]] = msgspec.json.decode(figures.read_bytes())
    TARGET.write_text(render(rows, facts()), encoding="utf-8")
    table = Table(*COLUMNS)
    for row in rows:
        table.add_row(*cells(row))
    Console().print(table)
    return int(any(row[name] for row in rows for name in ("lost", "doubled", "differing")))


def facts() -> dict[str, str]:
    """What the figures depend on."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**30
    parts = [f"{part} {version(part)}" for part in PARTS]
    return {
        "when": datetime.now(UTC).strftime("%Y-%m-%d"),
        "machine": f"{os.cpu_count()} cores, {memory} GiB, {platform.system()} {platform.release().split('-')[0]}",
        "versions": ", ".join([f"Python {platform.python_version()}", *parts]),
        "scale": os.environ.get("FAULT_SCALE", "1"),
    }


def render(rows: list[dict[str, Any]], known: dict[str, str]) -> str:
    """The whole page."""
    about = "".join(f"| {name} | {value} |\n" for name, value in known.items())
    lines = "".join(f"| {' | '.join(cells(row))} |\n" for row in rows)
    header = f"| {' | '.join(COLUMNS)} |\n|{'---|' * len(COLUMNS)}\n"
    return f"{HEAD}\n## The last long run\n\n| | |\n|---|---|\n{about}\n{header}{lines}"


def cells(row: dict[str, Any]) -> list[str]:
    """One figure as text, in the order of COLUMNS."""
    seconds = row["slowest_seconds"]
    counts = [f"{row[name]:,}" for name in ("trials", "lost", "doubled", "differing")]
    return [row["promise"], row["what"], *counts, "" if seconds is None else f"{seconds:.1f}", row["note"]]


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
