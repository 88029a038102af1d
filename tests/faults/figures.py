"""The figures of a run, kept for the table of docs/reliability.md where FAULT_FIGURES names a file."""

import os
from pathlib import Path
from typing import Any

import msgspec

# How much longer the long form is than the one that every change is checked with.
SCALE = int(os.environ.get("FAULT_SCALE", "1"))


class Figure(msgspec.Struct, frozen=True, kw_only=True):
    """What one promise came to: how often it was tried, what went wrong, the slowest recovery in seconds."""

    promise: str
    what: str
    trials: int
    lost: int = 0
    doubled: int = 0
    differing: int = 0
    slowest_seconds: float | None = None
    note: str = ""


def record(figure: Figure) -> None:
    """Keep a figure, if somebody wants it; the last of the same promise and text counts."""
    place = os.environ.get("FAULT_FIGURES")
    if not place:
        return
    path = Path(place)
    known: list[dict[str, Any]] = msgspec.json.decode(path.read_bytes()) if path.exists() else []
    others = [row for row in known if (row["promise"], row["what"]) != (figure.promise, figure.what)]
    rows = sorted([*others, msgspec.to_builtins(figure)], key=lambda row: (int(row["promise"][1:]), row["what"]))
    path.write_bytes(msgspec.json.format(msgspec.json.encode(rows), indent=2))


def compare(expected: list[tuple[Any, ...]], found: list[tuple[Any, ...]]) -> dict[str, int]:
    """Rows lost, doubled and differing, by their keys (the first column)."""
    want, got = _by_key(expected), _by_key(found)
    lost = sum(1 for key in want if key not in got)
    doubled = sum(len(rows) - len(want.get(key, ())) for key, rows in got.items() if len(rows) > len(want.get(key, ())))
    differing = sum(1 for key, rows in want.items() if key in got and got[key] != rows)
    return {"lost": lost, "doubled": doubled, "differing": differing}


def _by_key(rows: list[tuple[Any, ...]]) -> dict[Any, list[tuple[Any, ...]]]:
    grouped: dict[Any, list[tuple[Any, ...]]] = {}
    for row in rows:
        grouped.setdefault((row[0], len(row)), []).append(row)
    return grouped
