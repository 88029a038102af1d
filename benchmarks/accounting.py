"""What processes took: CPU seconds and resident memory of whole trees, read from /proc."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

TICKS = os.sysconf("SC_CLK_TCK")
PAGE = os.sysconf("SC_PAGE_SIZE")
_PARENT, _USER, _CHILDREN_SYSTEM, _RESIDENT = 1, 11, 14, 21


class Usage(NamedTuple):
    """CPU seconds since the start, of children that have ended too, and resident bytes now."""

    cpu_seconds: float
    resident_bytes: int


def tree_usage(root: int) -> Usage:
    """The usage of a process and everything below it; zero when it is gone."""
    lines = _all_processes()
    cpu, resident = 0, 0
    for pid in _tree(root, lines):
        fields = lines[pid]
        cpu += sum(int(ticks) for ticks in fields[_USER : _CHILDREN_SYSTEM + 1])
        resident += int(fields[_RESIDENT])
    return Usage(cpu / TICKS, resident * PAGE)


def cpu_split(roots: Mapping[str, int]) -> dict[str, float]:
    """CPU seconds by name of these trees."""
    return {name: tree_usage(root).cpu_seconds for name, root in roots.items()}


def _all_processes() -> dict[int, list[str]]:
    """By process id what follows the name in /proc/<pid>/stat, beginning with the state."""
    found = {}
    for folder in Path("/proc").iterdir():
        if folder.name.isdigit():
            try:
                found[int(folder.name)] = (folder / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
    return found


def _tree(root: int, lines: Mapping[int, list[str]]) -> set[int]:
    members = {root} & lines.keys()
    while True:
        below = {pid for pid, fields in lines.items() if int(fields[_PARENT]) in members}
        if below <= members:
            return members
        members |= below
