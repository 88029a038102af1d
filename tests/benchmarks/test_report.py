"""From numbers to the page."""

import os
import subprocess
import sys

import pytest

from benchmarks.accounting import tree_memory, tree_seconds
from benchmarks.bench import why_no_number
from benchmarks.client import wrk
from benchmarks.client.load import Load, Outcome
from benchmarks.client.percentiles import percentile
from benchmarks.report import goals
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
{"requests":300,"seconds":1.5,"bytes":3000,"bad_status":2,"broken":1,"timeouts":0,"p50_ms":5.1,"p95_ms":8.8,"p99_ms":9.9,"max_ms":12}
"""


def measured(variant: str, rate: float, **more: object) -> Measurement:
    """One number."""
    return Measurement(**{"section": "reads", "scenario": "list", "variant": variant, "rate": rate, **more})  # type: ignore[arg-type]


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


def test_a_repeated_request_is_compared_with_the_others_list_too() -> None:
    shown = Shown(scenario="same", title="Same", also_compared_with="list", also="to the list")
    same = [measured("ours", 900, scenario="same"), measured("theirs", 300, scenario="same")]
    lines = table([*same, measured("theirs", 100)], SECTION, shown).splitlines()
    assert (
        lines[0]
        == "| | requests/s | ratio | to the list | errors | CPU ms a request: web / PostgreSQL / Redis / driver |"
    )
    assert lines[2] == "| Ours | 900 | × 3.0 | × 9.0 | 0 |  |"


def test_a_goal_is_met_or_not_met_or_not_measured() -> None:
    lists = [measured("ours", 260, p99_ms=1501), measured("fastapi-sqlalchemy", 100), measured("gin", 250)]
    thousand = [measured("ours", 10, scenario="list-1000", p99_ms=1501)]
    lines = {line.split(" | ")[0]: line for line in goals.table(lists + thousand).splitlines()}
    assert lines["| List, every page another one, × FastAPI + SQLAlchemy"].endswith("| ≥ × 2.5 | × 5 | × 2.60 | met |")
    assert lines["| List, × Gin + pgx"].endswith("| ≥ × 1.3 | × 2 | × 1.04 | **not met** |")
    assert lines["| List, × Directus"].endswith("| ≥ × 3.5 | × 6 | not measured | – |")
    assert lines["| – p99 there"].endswith("| ≤ 1,500 ms |  | 1,501 ms | **not met** |")


def test_who_answers_only_errors_has_no_number_but_a_reason() -> None:
    load = Load(port=1, paths=["/"], headers={}, connections=1000, seconds=3)
    silent = Outcome(requests=0, seconds=3, bytes=0, statuses={})
    broken = Outcome(requests=9, seconds=3, bytes=0, statuses={"500": 9})
    assert why_no_number(silent, load) == "answered nothing in 3 s over 1,000 connections"
    assert why_no_number(broken, load) == "answered 9 times 500 in 3 s over 1,000 connections"
    assert why_no_number(Outcome(requests=1, seconds=3, bytes=0, statuses={"200": 1}), load) == ""


def test_what_wrk_prints_is_read() -> None:
    outcome = wrk.parse(PRINTED)
    assert (outcome.rate, outcome.errors((200,)), outcome.p95_ms, outcome.p99_ms) == (200, 3, 8.8, 9.9)


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
