"""One stack for all files: the tests kill and restart what they like, and leave it working."""

from collections.abc import Iterator

import pytest

from tests.faults.stack import Stack, running_stack


@pytest.fixture(scope="package")
def stack() -> Iterator[Stack]:
    """One worker of two processes."""
    with running_stack() as running:
        yield running


@pytest.fixture(scope="module")
def wide_stack() -> Iterator[Stack]:
    """Two workers of two processes each, their clocks ten minutes apart."""
    with running_stack(workers=2) as running:
        yield running
