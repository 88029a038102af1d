"""The size budget: what no longer fits on a few screens is split before it is merged."""

from statistics import median

import pytest

from tests.architecture import source

LONGEST_FILE = 350
LONGEST_FUNCTION = 40
MEDIAN_FUNCTION = 10


def test_no_file_is_longer_than_its_reader_can_hold() -> None:
    sizes = {source.name(path): len(path.read_text().splitlines()) for path in source.files(*source.EVERYTHING)}
    assert {name: lines for name, lines in sizes.items() if lines > LONGEST_FILE} == {}


def test_no_function_is_longer_than_a_screen() -> None:
    long = {
        f"{source.name(path)}:{function.lineno} {function.name}": source.length(function)
        for path, function in source.functions(*source.PRODUCT, "devstack", "benchmarks")
        if source.length(function) > LONGEST_FUNCTION
    }
    assert long == {}


@pytest.mark.parametrize("folder", [*source.PRODUCT, "devstack"])
def test_the_usual_function_is_short(folder: str) -> None:
    assert median(source.length(function) for _, function in source.functions(folder)) < MEDIAN_FUNCTION
