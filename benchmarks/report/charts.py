"""Bar charts of a section's scenarios, as SVG that needs neither scripts nor fonts of its own."""

import sys
from pathlib import Path
from typing import Any

import pygal
from pygal.style import CleanStyle

from benchmarks.report.tables import summaries
from benchmarks.results import Measurement
from benchmarks.section import Section

# It looks for plug-ins with a finder of a kind that Python has given up, at every import of the whole process.
sys.meta_path[:] = [finder for finder in sys.meta_path if type(finder).__name__ != "PluginImportFixer"]

FONTS = "Noto Sans, Noto Sans CJK SC, Microsoft YaHei, PingFang SC, sans-serif"
STYLE = CleanStyle(
    font_family=FONTS,
    background="white",
    plot_background="white",
    colors=("#0b6e4f", "#5fad56", "#8d99ae", "#d4a373", "#b56576", "#577590"),
)
PIXELS_A_BAR, PIXELS_AROUND = 14, 130


def chart(measurements: list[Measurement], section: Section, unit: str) -> Any:
    """A group of bars for each scenario of `section.chart`, a bar for each variant."""
    titles = {shown.scenario: shown.title for shown in section.tables}
    lines = {name: {line.variant: line for line in summaries(measurements, section, name)} for name in section.chart}
    present = [variant for variant in section.labels if any(variant in found for found in lines.values())]
    bars = pygal.HorizontalBar(
        style=STYLE,
        js=[],
        no_prefix=True,
        disable_xml_declaration=True,
        print_values=True,
        value_formatter=lambda value: f"{value:,.0f}",
        legend_at_bottom=True,
        legend_at_bottom_columns=3,
        truncate_label=-1,
        truncate_legend=-1,
        title=f"{section.title}: {unit}",
        width=1000,
        height=PIXELS_AROUND + PIXELS_A_BAR * len(present) * len(section.chart) + 20 * len(section.chart),
    )
    # The first is drawn lowest.
    order = list(reversed(section.chart))
    bars.x_labels = [titles[name] for name in order]
    for variant in present:
        values = [lines[name][variant].rate if variant in lines[name] else None for name in order]
        bars.add(section.labels[variant], values)
    return bars


def write(measurements: list[Measurement], section: Section, unit: str, target: Path) -> bool:
    """Draw a section's chart; returns whether there was anything to draw."""
    if not any(summaries(measurements, section, name) for name in section.chart):
        return False
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(chart(measurements, section, unit).render(is_unicode=True), encoding="utf-8")
    return True
