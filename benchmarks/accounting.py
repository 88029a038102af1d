"""What processes took: CPU seconds and memory of whole trees, read from /proc."""

import os
from collections.abc import Mapping
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")
PAGE = os.sysconf("SC_PAGE_SIZE")
_PARENT, _USER, _CHILDREN_SYSTEM, _RESIDENT = 1, 11, 14, 21


def tree_seconds(root: int) -> float:
    """CPU seconds of a process and everything below it since they began, ended children too; 0.0 when it is gone."""
    lines = _all_processes()
    members = [lines[pid] for pid in _tree(root, lines)]
    return sum(int(ticks) for fields in members for ticks in fields[_USER : _CHILDREN_SYSTEM + 1]) / TICKS


def tree_size(root: int) -> int:
    """How many processes there are, the root among them."""
    return len(_tree(root, _all_processes()))


def tree_memory(root: int) -> int:
    """Bytes that a process and everything below it hold; what they share counts once."""
    lines = _all_processes()
    return sum(_memory(pid, lines[pid]) for pid in _tree(root, lines))


def _memory(pid: int, fields: list[str]) -> int:
    """Its proportional share, or all that is resident where the kernel does not tell."""
    try:
        rollup = Path(f"/proc/{pid}/smaps_rollup").read_text()
    except OSError:
        return int(fields[_RESIDENT]) * PAGE
    shares = [line.split()[1] for line in rollup.splitlines() if line.startswith("Pss:")]
    return int(shares[0]) * 1024 if shares else 0


def cpu_split(roots: Mapping[str, int]) -> dict[str, float]:
    """CPU seconds by name of these trees."""
    return {name: tree_seconds(root) for name, root in roots.items()}


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
