"""Tables out of measurements."""

from collections.abc import Iterator
from functools import partial

from benchmarks.report.columns import COLUMNS, Column, ratio
from benchmarks.results import Measurement, Summary, summarize
from benchmarks.section import Section, Shown

# A reason may be a whole log.
REASON_CHARACTERS = 160


def summaries(measurements: list[Measurement], section: Section, scenario: str) -> list[Summary]:
    """A line for each variant that took part, in the section's order."""
    mine = [one for one in measurements if (one.section, one.scenario) == (section.name, scenario)]
    rounds = {name: [one for one in mine if one.variant == name] for name in section.labels}
    return [summarize(found) for found in rounds.values() if found]


def base_of(measurements: list[Measurement], section: Section, scenario: str) -> Summary | None:
    """The line that the others are compared with."""
    lines = summaries(measurements, section, scenario)
    return next((line for line in lines if line.variant == section.base), None)


def table(measurements: list[Measurement], section: Section, shown: Shown) -> str:
    """A Markdown table, "" when nothing of it was measured."""
    lines = summaries(measurements, section, shown.scenario)
    if not lines:
        return ""
    base = base_of(measurements, section, shown.compared_with or shown.scenario)
    columns = list(_columns(measurements, section, shown))
    head = f"| | {' | '.join(column.heading for column in columns)} |\n|---|{'--:|' * len(columns)}\n"
    return head + "".join(f"| {section.labels[line.variant]} | {_cells(line, base, columns)} |\n" for line in lines)


def _columns(measurements: list[Measurement], section: Section, shown: Shown) -> Iterator[Column]:
    for name in section.columns:
        yield COLUMNS[name]
        if name == "ratio" and shown.also_compared_with:
            other = base_of(measurements, section, shown.also_compared_with)
            yield Column(shown.also, partial(_to, other))


def _to(other: Summary | None, line: Summary, _base: Summary | None) -> str:
    return ratio(line, other)


def _cells(line: Summary, base: Summary | None, columns: list[Column]) -> str:
    if line.failed:
        reason = " ".join(line.failed.split()).replace("|", "/")[:REASON_CHARACTERS]
        return f"failed: {reason} |{' |' * (len(columns) - 2)}"
    return " | ".join(column.cell(line, base) for column in columns)
