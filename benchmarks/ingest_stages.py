"""Who spends the processor's time of a sync: stages of this process, and the database's processes beside it."""

import functools
import os
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from django.db import connection

from system.sql import fetch_one

TICKS = os.sysconf("SC_CLK_TCK")


class Stages:
    """Processor seconds of this process by stage; what a stage calls of another one counts there alone."""

    def __init__(self) -> None:
        self.seconds: defaultdict[str, float] = defaultdict(float)
        self.calls: Counter[str] = Counter()
        self._open: list[str] = []
        self._since = 0.0

    def watch(self, owner: Any, name: str, stage: str) -> None:
        """Count the function `name` of a module or class as a stage from now on."""
        setattr(owner, name, self._watched(getattr(owner, name), stage))

    def begin(self) -> None:
        """Forget what was counted."""
        self.seconds.clear()
        self.calls.clear()
        self._since = time.process_time()

    def _watched(self, function: Callable[..., Any], stage: str) -> Callable[..., Any]:
        @functools.wraps(function)
        def watched(*args: Any, **kwargs: Any) -> Any:
            self._turn()
            self._open.append(stage)
            self.calls[stage] += 1
            try:
                return function(*args, **kwargs)
            finally:
                self._turn()
                self._open.pop()

        return watched

    def _turn(self) -> None:
        now = time.process_time()
        self.seconds[self._open[-1] if self._open else "rest of the slice"] += now - self._since
        self._since = now

    def end(self) -> None:
        """Count what was spent since the last stage ended."""
        self._turn()


class Database:
    """What the server spent since `begin`: its backend for us, its other processes, and the write-ahead log."""

    def __init__(self) -> None:
        row = fetch_one("SELECT pg_backend_pid()")
        self._backend: int = row[0] if row else 0
        self.begin()

    def begin(self) -> None:
        """Measure from here on."""
        self._start = self._now()

    def spent(self) -> dict[str, float]:
        """Seconds of `backend` and `others`, and bytes of `wal`."""
        return {name: value - self._start[name] for name, value in self._now().items()}

    def _now(self) -> dict[str, float]:
        row = fetch_one("SELECT pg_current_wal_insert_lsn() - '0/0'::pg_lsn")
        backend = _seconds(self._backend)
        server = sum(_seconds(pid) for pid in _children(_parent(self._backend)))
        return {"backend": backend, "others": server - backend, "wal": float(row[0] if row else 0)}


def statements(limit: int = 25) -> list[tuple[float, int, int, str]]:
    """Milliseconds, calls, bytes of the write-ahead log and text of the dearest statements since the last reset."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT total_exec_time::float8, calls, wal_bytes::bigint,"
            " left(regexp_replace(query, '\\s+', ' ', 'g'), 90)"
            " FROM pg_stat_statements ORDER BY total_exec_time DESC LIMIT %s",
            [limit],
        )
        return [tuple(row) for row in cursor.fetchall()]


def _seconds(pid: int) -> float:
    try:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except FileNotFoundError:
        return 0.0
    return (int(fields[11]) + int(fields[12])) / TICKS


def _parent(pid: int) -> int:
    return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])


def _children(pid: int) -> Iterable[int]:
    return map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split())
