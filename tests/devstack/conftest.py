"""Folders for servers."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture(scope="module")
def open_folder() -> Iterator[Path]:
    """A folder that the unprivileged user of PostgreSQL can reach when the tests run as root.

    Not one of pytest's: every starting pytest closes their common parent.
    """
    with tempfile.TemporaryDirectory(prefix="s1688-test-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        yield folder
