"""Processes that must not outlive each other; what kills do to a sync is shown in tests/faults."""

from pathlib import Path

from tests.conftest import eventually
from tests.flow.workers import Worker


def test_children_die_with_their_worker(worker: Worker) -> None:
    children = eventually(lambda: worker.children()[1:] and worker.children())
    eventually(lambda: "ready" in worker.log.read_text())
    worker.process.kill()
    worker.process.wait()
    eventually(lambda: not any(alive(pid) for pid in children))


def alive(pid: int) -> bool:
    """Whether a process runs; one that waits to be buried does not."""
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except FileNotFoundError:
        return False
