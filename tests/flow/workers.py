"""Real Celery workers over the test's own database and Redis, and the means to kill them."""

import contextlib
import os
import signal
import subprocess
import sys
from pathlib import Path

from devstack import processes
from tests.conftest import HANG_SECONDS
from tests.server.webserver import environment

# Short, so that what a kill leaves behind is picked up in seconds.
LEASE_SECONDS = 8


class Worker:
    """A prefork worker of two children in its own process group."""

    def __init__(self, log: Path, *, app: str = "config", **settings: str) -> None:
        self.log = log
        self.app = app
        self.settings = settings
        self.process = self._start()

    def _start(self) -> "subprocess.Popen[bytes]":
        command = [
            sys.executable, "-m", "celery", "-A", self.app, "worker", "-Q", "critical,default,low", "-c", "2",
            "--without-gossip", "--without-mingle", "--loglevel=INFO",
        ]  # fmt: skip
        chosen = {
            "SYNC_LEASE_SECONDS": str(LEASE_SECONDS),
            "SYNC_SLICE_SECONDS": "3",
            **self.settings,
        }
        with self.log.open("ab") as log:
            return subprocess.Popen(
                command, env=environment(0, **chosen), stdout=log, stderr=log, start_new_session=True,
                preexec_fn=processes.die_with_parent(signal.SIGKILL),
            )  # fmt: skip

    def children(self) -> list[int]:
        """Process ids of the pool."""
        listed = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text()
        return [int(pid) for pid in listed.split()]

    def kill_child(self) -> None:
        """kill -9 one process of the pool."""
        children = self.children()
        if children:
            os.kill(children[0], signal.SIGKILL)

    def kill_children(self) -> None:
        """kill -9 the whole pool at one moment: while its worker stands still, nothing goes from one to the next."""
        os.kill(self.process.pid, signal.SIGSTOP)
        for child in self.children():
            os.kill(child, signal.SIGKILL)
        os.kill(self.process.pid, signal.SIGCONT)

    def kill_all(self) -> None:
        """kill -9 the whole worker at once, and start a new one."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
        self.process = self._start()

    def leave(self) -> None:
        """SIGTERM, as a service manager sends it; returns when the worker is gone."""
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(HANG_SECONDS)

    def stop(self) -> None:
        """End it without waiting for slices; the next worker takes over."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()
