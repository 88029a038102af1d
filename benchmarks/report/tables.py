"""Tables out of measurements."""

from benchmarks.report.columns import COLUMNS
from benchmarks.results import Measurement, Summary, summarize
from benchmarks.section import Section, Shown

# A reason may be a whole log.
REASON_CHARACTERS = 160


def summaries(measurements: list[Measurement], section: Section, scenario: str) -> list[Summary]:
    """A line for each variant that took part, in the section's order."""
    mine = [one for one in measurements if (one.section, one.scenario) == (section.name, scenario)]
    rounds = {name: [one for one in mine if one.variant == name] for name in section.labels}
    return [summarize(found) for found in rounds.values() if found]


def base_of(measurements: list[Measurement], section: Section, shown: Shown) -> Summary | None:
    """The line that the others are compared with."""
    lines = summaries(measurements, section, shown.compared_with or shown.scenario)
    return next((line for line in lines if line.variant == section.base), None)


def table(measurements: list[Measurement], section: Section, shown: Shown) -> str:
    """A Markdown table, "" when nothing of it was measured."""
    lines = summaries(measurements, section, shown.scenario)
    if not lines:
        return ""
    base = base_of(measurements, section, shown)
    columns = [COLUMNS[name] for name in section.columns]
    head = f"| | {' | '.join(column.heading for column in columns)} |\n|---|{'--:|' * len(columns)}\n"
    return head + "".join(_line(section, line, base) for line in lines)


def _line(section: Section, line: Summary, base: Summary | None) -> str:
    label = section.labels[line.variant]
    if line.failed:
        reason = " ".join(line.failed.split()).replace("|", "/")[:REASON_CHARACTERS]
        return f"| {label} | failed: {reason} |{' |' * (len(section.columns) - 1)}\n"
    cells = [COLUMNS[name].cell(line, base) for name in section.columns]
    return f"| {label} | {' | '.join(cells)} |\n"
