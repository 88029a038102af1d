"""What `make demo` draws."""

from io import StringIO
from typing import Any

import pytest
from rich.console import Console

from devstack.progress_view import ProgressView


def job(processed: int, total: int | None = 3000) -> dict[str, Any]:
    percent = processed * 100 / total if total else None
    counts = {"created": processed, "updated": 0, "unchanged": 0, "rejected": 1}
    progress = {
        "percent": percent,
        "processed": processed,
        "total": total,
        "rate_per_second": 412.4,
        "eta_seconds": 4,
        **counts,
    }
    return {"task_id": "sync_20251118_001", "status": "running", "progress": progress}


def test_a_terminal_gets_a_bar_with_all_numbers() -> None:
    console = Console(file=StringIO(), force_terminal=True, width=80, legacy_windows=False, _environ={"TERM": "xterm"})
    with ProgressView(console) as view:
        view.show(job(1200))
    drawn = console.file.getvalue()  # type: ignore[attr-defined]
    for part in ("sync_20251118_001", "━", "1,200 of 3,000", "412/s", "ETA 0:00:04", "created 1,200", "rejected 1"):
        assert part in drawn


@pytest.mark.parametrize("kind", [{"force_terminal": False}, {"force_terminal": True, "_environ": {"TERM": "dumb"}}])
def test_elsewhere_every_tenth_percent_is_a_line(kind: dict[str, Any]) -> None:
    console = Console(file=StringIO(), width=20, **kind)
    with ProgressView(console) as view:
        for processed in (0, 10, 290, 310, 320, 3000):
            view.show(job(processed))
    lines = console.file.getvalue().splitlines()  # type: ignore[attr-defined]
    assert [line.split(" of ")[0] for line in lines] == ["0", "310", "3,000"]


def test_an_unknown_total_is_no_error() -> None:
    console = Console(file=StringIO(), force_terminal=False)
    with ProgressView(console) as view:
        view.show(job(5, None))
    assert "5 of ?" in console.file.getvalue()  # type: ignore[attr-defined]
