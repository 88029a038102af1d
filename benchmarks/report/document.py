"""docs/performance.md, written whole from one results file.

python -m benchmarks.report.document var/bench.json docs/performance.md
"""

import sys
from pathlib import Path

from benchmarks.peers import VARIANTS
from benchmarks.report import charts, goals
from benchmarks.report.columns import COLUMNS
from benchmarks.report.tables import table
from benchmarks.results import Results, load
from benchmarks.section import Section
from benchmarks.sections import SECTIONS

IMAGES = "images"
INTRODUCTION = """# Performance: measured beside others

Everything below comes from one run of `make bench` on one machine, so its numbers can be compared with each other and
with nothing else: on another machine, or on another day, only the ratios mean something. Every variant of a table was
measured in the same run, in rounds that take turns; a cell is the median of the rounds, errors are their sum. Server,
database, Redis and load generator share the machine's cores.
"""
GOALS = """## Goals, and what this run shows

What the project promises, each beside what was measured in this run; "×" are ratios within it. The sections below say
how each is measured.

"""
REPEAT = """## Repeat it

`make bench` measures everything and writes this page. For a million products it takes about 35 minutes, most of the
first run for filling the catalogue, and 6 GB of disk; the filled database is kept in `.devstack/` for the next run.
With `SIZE=200000 ROUNDS=2` it takes about 20 minutes, with `SECONDS=2` beside them a quarter less.

* `SIZE=10000`, `SIZE=100000` or `SIZE=10000000`: another catalogue. Ten million products take ten times the disk and
  the time to load; what is measured afterwards takes as long as before.
* `ROUNDS=5`, `SECONDS=10`: more and longer measurements. `ONLY=reads`, `ONLY="reads ingest"`: some sections, of
  {sections}. `ARGS='--variants "ours gin"'`: some servers.
* `make bench-quick` is a short form of all of it, whose numbers mean nothing; the tests run it, too.
* `.venv/bin/python -m benchmarks --help` lists the rest; `.venv/bin/python -m benchmarks.report.document var/bench.json
  docs/performance.md` writes this page anew from the results of the last run.

Load comes from wrk where that is installed (Debian: `apt-get install wrk`), else from a generator in
`benchmarks/client/`. dlt gets a virtual environment of its own. Directus comes from the npm registry into `.devstack/`
where Node.js with its headers and a C++ compiler are installed (Debian: `nodejs`, `npm`, `libnode-dev`, `g++`); that
takes some minutes once. Gin is measured where Debian's `golang-go`, `golang-github-gin-gonic-gin-dev` and
`golang-github-jackc-pgx-v4-dev` are installed. Who cannot be measured is named with the reason.

`benchmarks/peers/` holds who is measured, `benchmarks/sections/` what is measured; either begins with the list to
add to. Single parts are measured by smaller programs in `benchmarks/`, which print what they find.
"""
NOTHING = """## No run is kept here yet

`make bench` writes its tables and charts below.
"""


def render(results: Results, images: Path | None = None) -> str:
    """The page; charts are drawn into `images` when that is given."""
    if not results.measurements:
        return f"{INTRODUCTION}\n{_repeat()}\n{NOTHING}"
    about = "".join(f"| {name} | {value} |\n" for name, value in results.about.items())
    parts = [INTRODUCTION, GOALS + goals.table(results.measurements), _repeat()]
    parts += [f"## This run\n\n| | |\n|---|---|\n{about}", _servers(results)]
    parts += [text for section in SECTIONS if (text := _section(results, section, images))]
    return "\n".join(parts)


def _repeat() -> str:
    return REPEAT.format(sections=", ".join(f"`{section.name}`" for section in SECTIONS))


def _servers(results: Results) -> str:
    present = {one.variant for one in results.measurements}
    lines = [f"| {one.label} | {one.about} |\n" for one in VARIANTS.values() if one.name in present]
    return f"## The servers\n\n| | |\n|---|---|\n{''.join(lines)}" if lines else ""


def _section(results: Results, section: Section, images: Path | None) -> str:
    tables = [(shown.title, table(results.measurements, section, shown)) for shown in section.tables]
    told = [f"### {title}\n\n{text}" for title, text in tables if text]
    if not told:
        return ""
    unit = COLUMNS[section.columns[0]].heading
    drawn = images and charts.write(results.measurements, section, unit, images / f"bench-{section.name}.svg")
    picture = [f"![{section.title}: {unit}]({IMAGES}/bench-{section.name}.svg)\n"] if drawn else []
    ratios = f" Ratios are to {section.labels[section.base]}." if section.base else ""
    return "\n".join([f"## {section.title}\n\n{section.about}{ratios}\n", *picture, *told])


def write(results: Results, target: Path) -> None:
    """Write the page and its charts."""
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(render(results, target.parent / IMAGES), encoding="utf-8")


def main(arguments: list[str]) -> int:
    """Write the page from a results file."""
    source, target = map(Path, arguments)
    write(load(source), target)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
