"""Workers as they are deployed, and what they take while they work."""

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from benchmarks.accounting import tree_memory, tree_size
from benchmarks.world.installation import Installation
from devstack.demo.stack import CELERY, PATIENT_DATABASE, PROJECT, START_PATIENCE_SECONDS, WORKER, tail
from devstack.supervisor import Command

SAMPLE_SECONDS = 0.5
LOOK_SECONDS = 0.1


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
        _wait_until_ready(worker, processes)
        yield worker.pid or 0
    finally:
        worker.stop()


def _wait_until_ready(worker: Command, processes: int) -> None:
    """Return when it has its processes: how long it takes to start is not what is measured.

    Raises:
        RuntimeError: it does not start.
    """
    deadline = time.monotonic() + START_PATIENCE_SECONDS
    while tree_size(worker.pid or 0) <= processes:
        if not worker.alive() or time.monotonic() > deadline:
            raise RuntimeError(f"the worker does not start. {tail(worker.log)}")
        time.sleep(LOOK_SECONDS)


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
