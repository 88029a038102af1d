"""Which test process runs what, and in which order, when pytest-xdist shares the tests out."""

import os

import pytest
from xdist.scheduler import LoadFileScheduling

# Their files share servers that take seconds to start, so each folder stays in one process. They begin first: a long
# one at the end would let the other processes wait for it.
TOGETHER = ("tests/faults", "tests/flow", "tests/devstack", "tests/live", "tests/server")
# Tests wait for servers and processes of theirs for much of the time; then another one can work.
WORKERS_BESIDE_THE_CORES = 1


class FolderScheduling(LoadFileScheduling):  # type: ignore[misc] # a class without types
    """File by file as they were collected, but the folders of TOGETHER as a whole."""

    def __init__(self, config: pytest.Config, log: object) -> None:
        config.option.loadscopereorder = False
        super().__init__(config, log)

    def _split_scope(self, nodeid: str) -> str:
        file: str = super()._split_scope(nodeid)
        return next((folder for folder in TOGETHER if file.startswith(f"{folder}/")), file)


def rank(nodeid: str) -> int:
    """The place of a test's folder in TOGETHER; all others follow."""
    return next((place for place, folder in enumerate(TOGETHER) if nodeid.startswith(f"{folder}/")), len(TOGETHER))


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The slow folders first, each as a whole."""
    items.sort(key=lambda item: rank(item.nodeid))


def pytest_xdist_make_scheduler(config: pytest.Config, log: object) -> FolderScheduling | None:
    """Ours in place of `--dist loadfile`."""
    return FolderScheduling(config, log) if config.getvalue("dist") == "loadfile" else None


def pytest_xdist_auto_num_workers() -> int:
    """How many processes `-n auto` means."""
    return len(os.sched_getaffinity(0)) + WORKERS_BESIDE_THE_CORES
