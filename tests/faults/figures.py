"""The figures of a run, kept for the table of docs/reliability.md where FAULT_FIGURES names a file."""

import os
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

# How much longer the long form is than the one that every change is checked with.
SCALE = int(os.environ.get("FAULT_SCALE", "1"))


class Wrong(NamedTuple):
    """Rows that are not as a quiet run leaves them."""

    lost: int = 0
    doubled: int = 0
    differing: int = 0

    def __add__(self, other: "Wrong") -> "Wrong":  # type: ignore[override] # counts, not a longer tuple
        return Wrong(*(one + more for one, more in zip(self, other, strict=True)))


NOTHING_WRONG = Wrong()


def record(
    promise: str, what: str, trials: int, wrong: Wrong = NOTHING_WRONG, *, seconds: float | None = None, note: str = ""
) -> None:
    """Keep a figure, if somebody wants it; the last of the same promise and text counts.

    Args:
        seconds: the slowest recovery.
    """
    place = os.environ.get("FAULT_FIGURES")
    if not place:
        return
    path = Path(place)
    figure = {"promise": promise, "what": what, "trials": trials, **wrong._asdict(), "note": note}
    figure["slowest_seconds"] = None if seconds is None else round(seconds, 1)
    known: list[dict[str, Any]] = msgspec.json.decode(path.read_bytes()) if path.exists() else []
    others = [row for row in known if (row["promise"], row["what"]) != (promise, what)]
    rows = sorted([*others, figure], key=lambda row: (int(row["promise"][1:]), row["what"]))
    path.write_bytes(msgspec.json.format(msgspec.json.encode(rows), indent=2))


def compare(expected: list[tuple[Any, ...]], found: list[tuple[Any, ...]]) -> Wrong:
    """Rows lost, doubled and differing, by their keys (the first column)."""
    want, got = _by_key(expected), _by_key(found)
    lost = sum(1 for key in want if key not in got)
    doubled = sum(len(rows) - len(want.get(key, ())) for key, rows in got.items() if len(rows) > len(want.get(key, ())))
    differing = sum(1 for key, rows in want.items() if key in got and got[key] != rows)
    return Wrong(lost, doubled, differing)


def _by_key(rows: list[tuple[Any, ...]]) -> dict[Any, list[tuple[Any, ...]]]:
    grouped: dict[Any, list[tuple[Any, ...]]] = {}
    for row in rows:
        grouped.setdefault((row[0], len(row)), []).append(row)
    return grouped
