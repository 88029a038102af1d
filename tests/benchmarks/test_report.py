"""From numbers to the page."""

import os
import subprocess
import sys

import pytest

from benchmarks.accounting import tree_memory, tree_seconds
from benchmarks.client import wrk
from benchmarks.client.load import Outcome
from benchmarks.client.percentiles import percentile
from benchmarks.report.columns import number
from benchmarks.report.tables import table
from benchmarks.results import Measurement, summarize
from benchmarks.section import Section, Shown

SHOWN = Shown(scenario="list", title="List")
SECTION = Section(
    name="reads",
    title="Reads",
    about="",
    run=lambda _bench: None,
    tables=(SHOWN,),
    labels={"ours": "Ours", "theirs": "Theirs"},
    columns=("rate", "ratio", "errors", "cpu"),
    base="theirs",
)
PRINTED = """Running 1s test @ http://127.0.0.1:9100
  2 threads and 64 connections
{"requests":300,"seconds":1.5,"bytes":3000,"bad_status":2,"broken":1,"timeouts":0,"p50_ms":5.1,"p99_ms":9.9,"max_ms":12}
"""


def measured(variant: str, rate: float, **more: object) -> Measurement:
    """One number."""
    return Measurement(section="reads", scenario="list", variant=variant, rate=rate, **more)  # type: ignore[arg-type]


def test_a_line_is_the_median_of_the_rounds_and_the_sum_of_their_errors() -> None:
    line = summarize([measured("ours", rate, errors=1) for rate in (10, 1000, 30)])
    assert (line.rate, line.errors) == (30, 3)


def test_a_round_that_failed_does_not_count_as_long_as_another_succeeded() -> None:
    line = summarize([measured("ours", 0, failed="no port"), measured("ours", 30)])
    assert (line.rate, line.failed) == (30, "")


def test_a_table_tells_ratios_to_the_base_and_cpu_by_part() -> None:
    took = {"web": 0.5, "PostgreSQL": 0.25, "Redis": 0.1}
    ours = measured("ours", 300, cpu=took, facts={"requests": 100})
    assert table([ours, measured("theirs", 100)], SECTION, SHOWN).splitlines()[2:] == [
        "| Ours | 300 | × 3.0 | 0 | 5.00 / 2.50 / 1.00 / – |",
        "| Theirs | 100 | × 1.0 | 0 |  |",
    ]


def test_a_variant_that_failed_is_shown_with_its_reason() -> None:
    lines = table([measured("theirs", 0, failed="no\nport | at all")], SECTION, SHOWN).splitlines()
    assert lines[2] == "| Theirs | failed: no port / at all | | | |"


def test_without_its_base_a_table_shows_no_ratios() -> None:
    assert "×" not in table([measured("ours", 300)], SECTION, SHOWN)


def test_what_wrk_prints_is_read() -> None:
    outcome = wrk.parse(PRINTED)
    assert (outcome.rate, outcome.errors((200,)), outcome.p99_ms) == (200, 3, 9.9)


def test_a_wrk_that_prints_no_result_is_an_error() -> None:
    with pytest.raises(RuntimeError, match="no result"):
        wrk.parse("unable to connect")


def test_only_the_wanted_status_is_no_error() -> None:
    outcome = Outcome(requests=10, seconds=1, bytes=0, statuses={"200": 7, "503": 3}, broken=2)
    assert (outcome.errors((200,)), outcome.errors((200, 503)), outcome.rate_of((200,))) == (5, 2, 7)


@pytest.mark.parametrize(("share", "expected"), [(0.5, 50), (0.99, 99), (1.0, 100)])
def test_percentiles(share: float, expected: int) -> None:
    assert percentile(range(1, 101), share) == expected


@pytest.mark.parametrize(("value", "text"), [(1234.5, "1,234"), (12.34, "12.3"), (1.234, "1.23")])
def test_numbers_have_few_digits(value: float, text: str) -> None:
    assert number(value) == text


def test_a_process_and_what_it_started_are_accounted_for_together() -> None:
    busy = "import os; sum(range(4_000_000)); print(os.getpid(), flush=True); input()"
    begin = tree_seconds(os.getpid())
    command = [sys.executable, "-c", busy]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout
        assert child.stdout.readline()
        assert tree_memory(os.getpid()) > tree_memory(child.pid) > 0
        assert tree_seconds(os.getpid()) - begin >= tree_seconds(child.pid) > 0
        child.communicate("\n")
