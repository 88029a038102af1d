"""The short form of the benchmark: every variant answers, with the same data, and the page can be written."""

from pathlib import Path

import pytest

from benchmarks.options import Options
from benchmarks.report import document
from benchmarks.results import Results, load
from benchmarks.run import run
from benchmarks.sections import SECTIONS


@pytest.fixture(scope="module")
def options(tmp_path_factory: pytest.TempPathFactory) -> Options:
    """As short as it gets."""
    folder = tmp_path_factory.mktemp("bench")
    return Options(
        size=1500,
        rounds=1,
        seconds=0.2,
        quick=True,
        port=0,
        folder=folder / "servers",
        results=folder / "results.json",
    )


@pytest.fixture(scope="module")
def results(options: Options) -> Results:
    """What a short run leaves."""
    return run(options)


def test_every_variant_answers_the_same_without_an_error(results: Results) -> None:
    bad = [one for one in results.measurements if one.failed or one.errors]
    assert [(one.variant, one.scenario, one.failed, one.statuses) for one in bad] == []


def test_every_section_is_measured(results: Results) -> None:
    assert {one.section for one in results.measurements} == {section.name for section in SECTIONS}


def test_the_page_is_written_from_the_file_alone(results: Results, options: Options, tmp_path: Path) -> None:
    document.write(load(options.results), tmp_path / "performance.md")
    page = (tmp_path / "performance.md").read_text(encoding="utf-8")
    assert page == document.render(results, tmp_path / "images")
    assert [section.title for section in SECTIONS if f"## {section.title}" not in page] == []
