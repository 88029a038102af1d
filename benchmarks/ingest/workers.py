"""Workers as they are deployed, and what they take while they work."""

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from benchmarks.accounting import tree_memory
from benchmarks.world.installation import Installation
from devstack.demo.stack import CELERY, PATIENT_DATABASE, PROJECT, WORKER
from devstack.supervisor import Command

SAMPLE_SECONDS = 0.5


@contextmanager
def workers(installation: Installation, database: str, processes: int) -> Iterator[int]:
    """A worker with so many processes on this database; gives its process id."""
    arguments = [*WORKER, "--concurrency", str(processes)]
    log = installation.folder / "worker.log"
    log.unlink(missing_ok=True)
    environment = {**installation.environment(database), **PATIENT_DATABASE, "PROCESS_NAME": "worker"}
    worker = Command("worker", [sys.executable, *CELERY, *arguments], environment=environment, log=log, folder=PROJECT)
    worker.start()
    try:
        yield worker.pid or 0
    finally:
        worker.stop()


class PeakMemory:
    """The most that a process and its children held while the `with` block ran, in bytes: `peak`."""

    def __init__(self, root: int) -> None:
        self.peak = 0
        self._root = root
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def _watch(self) -> None:
        while not self._over.wait(SAMPLE_SECONDS):
            self.peak = max(self.peak, tree_memory(self._root))

    def __enter__(self) -> "PeakMemory":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        self._thread.join()
