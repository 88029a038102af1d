"""Processes of a stack, each in a group of its own, and the rough ways in which they end."""

import contextlib
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

from devstack import processes


class Process:
    """One program of the project; `kill` is as sudden as a power cut, `start` brings it back."""

    def __init__(self, arguments: list[str], environment: dict[str, str], log: Path) -> None:
        self.log = log
        self._arguments = [sys.executable, *arguments]
        self._environment = environment
        self._process: subprocess.Popen[bytes] | None = None
        self._turn = threading.RLock()

    @property
    def pid(self) -> int:
        """Of the running program."""
        assert self._process is not None
        return self._process.pid

    def start(self) -> None:
        """Start it; it dies with us."""
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                self._arguments,
                env=self._environment,
                stdout=log,
                stderr=log,
                start_new_session=True,
                preexec_fn=processes.die_with_parent(signal.SIGKILL),
            )

    def children(self) -> list[int]:
        """Process ids of the pool, the oldest first."""
        with contextlib.suppress(FileNotFoundError):
            listed = Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text()
            return [int(pid) for pid in listed.split()]
        return []

    def kill(self) -> None:
        """SIGKILL for all of it at once."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        assert self._process is not None
        self._process.wait()

    def restart(self) -> None:
        """Kill it and start it again."""
        with self._turn:
            self.kill()
            self.start()

    def revive(self) -> None:
        """What a process manager does: start it again if it ended by itself."""
        with self._turn:
            if self._process is not None and self._process.poll() is not None:
                self.start()

    def kill_child(self, number: int) -> None:
        """SIGKILL for one process of the pool."""
        children = self.children()
        if children:
            with contextlib.suppress(ProcessLookupError):
                os.kill(children[number % len(children)], signal.SIGKILL)

    def stopped_children(self) -> list[int]:
        """Those of the pool that sleep by SIGSTOP."""
        return [pid for pid in self.children() if _is_stopped(pid)]


def _is_stopped(pid: int) -> bool:
    with contextlib.suppress(FileNotFoundError):
        return "\nState:\tT" in Path(f"/proc/{pid}/status").read_text()
    return False
