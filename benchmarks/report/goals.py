"""What the project promises of its speed, beside what a run shows of it."""

from collections.abc import Callable, Iterator
from typing import NamedTuple

from benchmarks.peers import BASE
from benchmarks.report.columns import cpu_ms, number
from benchmarks.results import Measurement, Summary, summarize
from benchmarks.sections import busy, connections, ingest, paging, reads, sockets, start

OURS = "ours"
FAST_ENOUGH_MS = 100
Read = Callable[[Summary], float | None]
HEAD = "| goal | at least / at most | aim | this run | |\n|---|--:|--:|--:|---|\n"


class Run:
    """The lines of a run by section, scenario and variant."""

    def __init__(self, measurements: list[Measurement]) -> None:
        kinds: dict[tuple[str, str, str], list[Measurement]] = {}
        for one in measurements:
            kinds.setdefault((one.section, one.scenario, one.variant), []).append(one)
        self._lines = {kind: summarize(found) for kind, found in kinds.items()}

    def line(self, section: str, scenario: str, variant: str) -> Summary | None:
        """A line of a table, unless it failed or was not measured."""
        found = self._lines.get((section, scenario, variant))
        return None if found is None or found.failed else found

    def figure(self, section: str, scenario: str, read: Read, variant: str = OURS) -> float | None:
        """What `read` says of a line, None where there is none."""
        found = self.line(section, scenario, variant)
        return read(found) if found else None

    def ratio(self, section: str, mine: str, theirs: str, other: str, *, variant: str = OURS) -> float | None:
        """How many times the rate of another one's scenario ours is."""
        return _ratio(self.figure(section, mine, rate, variant), self.figure(section, theirs, rate, other))

    def reads(self, scenario: str, other: str = BASE, theirs: str = "") -> float | None:
        """The same of reads, and of the same scenario."""
        return self.ratio(reads.NAME, scenario, theirs or scenario, other)

    def cost(self, page: str, other: str) -> float | None:
        """How many times the processor time of another kind of page one takes, of web and database together."""
        return _ratio(self.figure(paging.NAME, page, _cost), self.figure(paging.NAME, other, _cost))

    def ingest(self, way: str, scenario: str, other: str = ingest.BASE, theirs: str = ingest.FIRST) -> float | None:
        """How many times the products a second of another way one takes in."""
        return self.ratio(ingest.NAME, scenario, theirs, other, variant=way)

    def beside_a_sync(self) -> float | None:
        """How much of their rate reads keep while a sync runs."""
        return self.ratio(busy.NAME, busy.SYNCING, busy.QUIET, OURS)

    def fan_out(self) -> float | None:
        """The most events a second that reached a thousand sockets in time."""
        tried = [name for name, (count, _) in sockets.LOADS.items() if count == 1000]
        lines = [line for name in tried if (line := self.line(sockets.NAME, name, OURS))]
        return max((line.rate for line in lines if line.p99_ms < FAST_ENOUGH_MS), default=0.0) if lines else None


Figure = Callable[[Run], float | None]


class Goal(NamedTuple):
    """A promise: `measured` must be `bound` at least, or at most where `most` is set; `aim` is what we would like."""

    text: str
    bound: float
    aim: float | None
    measured: Figure
    unit: str
    most: bool


def least(text: str, bound: float, aim: float | None, measured: Figure, unit: str = "×") -> Goal:
    """A goal from below."""
    return Goal(text, bound, aim, measured, unit, most=False)


def most(text: str, bound: float, unit: str, measured: Figure) -> Goal:
    """A goal from above."""
    return Goal(text, bound, None, measured, unit, most=True)


def rate(line: Summary) -> float:
    """What happened in a second."""
    return line.rate


def _ratio(one: float | None, other: float | None) -> float | None:
    return one / other if one is not None and other else None


def _database(line: Summary) -> float | None:
    return cpu_ms(line, "PostgreSQL")


def _cost(line: Summary) -> float | None:
    return (cpu_ms(line, "web") or 0.0) + (_database(line) or 0.0)


def _pool(line: Summary) -> float:
    return line.facts["database_connections"] / line.facts["pool"]


def _of(section: str, scenario: str, read: Read) -> Figure:
    return lambda run: run.figure(section, scenario, read)


def _thousand(read: Read) -> Figure:
    return _of(reads.NAME, "list-1000", read)


def _many(read: Read) -> Figure:
    return _of(connections.NAME, connections.NAME, read)


def _page(page: str, other: str) -> Figure:
    return lambda run: run.cost(page, other)


GOALS = (
    least("List, every page another one, × FastAPI + SQLAlchemy", 2.5, 5, lambda run: run.reads("list")),
    least("The same over 1,000 connections", 3, 5, lambda run: run.reads("list-1000")),
    most("– errors there", 0, "", _thousand(lambda line: line.errors)),
    most("– p99 there", 1500, "ms", _thousand(lambda line: line.p99_ms)),
    most("– memory of the web processes there", 400, "MB", _thousand(lambda line: line.memory_mb)),
    least(
        "Unchanged list, × their list of other pages",
        7,
        15,
        lambda run: run.reads("list-same", theirs="list"),
    ),
    least("304, × their list of other pages", 10, 20, lambda run: run.reads("list-304", theirs="list")),
    least("Detail, × FastAPI + SQLAlchemy", 2, 3, lambda run: run.reads("detail")),
    least("List, × Directus", 3.5, 6, lambda run: run.reads("list", "directus")),
    least("List, × Gin + pgx", 1.3, 2, lambda run: run.reads("list", "gin")),
    least("Search for two characters, × ILIKE of FastAPI", 3, None, lambda run: run.reads("search-two")),
    least("Search for a rare text, × ILIKE of FastAPI", 3, None, lambda run: run.reads("search-rare")),
    least("Search for what is not there, × ILIKE of FastAPI", 3, None, lambda run: run.reads("search-miss")),
    most("Search for two characters, p95", 50, "ms", _of(reads.NAME, "search-alone", lambda line: line.p95_ms)),
    most("Page 1,000, processor time × page 1", 3, "×", _page(paging.THOUSANDTH, paging.FIRST)),
    most("By cursor, × page 1", 3, "×", _page(paging.CURSOR, paging.FIRST)),
    most("Page 1, × page 1 of 10,000 products", 2, "×", _page(paging.FIRST, paging.SMALL_FIRST)),
    most("By cursor, × the same in 10,000 products", 2, "×", _page(paging.CURSOR, paging.SMALL_CURSOR)),
    most("Deepest page by number, time of PostgreSQL", 10, "ms", _of(paging.NAME, paging.DEEPEST, _database)),
    most("5,000 connections: errors", 0, "", _many(lambda line: line.errors)),
    most("– slowest `/health` there", 1000, "ms", _many(lambda line: line.facts["health_max_ms"])),
    most("– memory of the web processes there", 400, "MB", _many(lambda line: line.memory_mb)),
    most("– connections to PostgreSQL there, × the pool", 1, "×", _many(_pool)),
    least("First load, one process, × plain COPY", 0.45, 0.6, lambda run: run.ingest("ours", ingest.FIRST)),
    least("First load, two processes, × plain COPY", 0.7, 0.9, lambda run: run.ingest("ours-two", ingest.FIRST)),
    least("Unchanged, one process, × plain COPY", 1.5, 4, lambda run: run.ingest("ours", ingest.UNCHANGED)),
    least("Unchanged, two processes, × plain COPY", 1.5, 4, lambda run: run.ingest("ours-two", ingest.UNCHANGED)),
    least("First load, × dlt", 8, 12, lambda run: run.ingest("ours", ingest.FIRST, "dlt")),
    least("Unchanged, × dlt", 20, 40, lambda run: run.ingest("ours", ingest.UNCHANGED, "dlt", ingest.UNCHANGED)),
    least("Events to 1,000 sockets at p99 < 100 ms", 40, 100, lambda run: run.fan_out(), "a second"),
    least("Reads while a sync runs, × without", 0.7, None, lambda run: run.beside_a_sync()),
    most("Start of the web server", 2, "s", _of(start.NAME, start.NAME, lambda line: line.facts["start_seconds"])),
)


def table(measurements: list[Measurement]) -> str:
    """A Markdown table of all goals."""
    run = Run(measurements)
    return HEAD + "".join(f"| {' | '.join(_cells(goal, goal.measured(run)))} |\n" for goal in GOALS)


def _cells(goal: Goal, measured: float | None) -> Iterator[str]:
    yield goal.text
    yield f"{'≤' if goal.most else '≥'} {_told(goal, goal.bound)}"
    yield "" if goal.aim is None else _told(goal, goal.aim)
    if measured is None:
        yield from ("not measured", "–")
    else:
        yield from (_told(goal, measured), "met" if _holds(goal, measured) else "**not met**")


def _holds(goal: Goal, measured: float) -> bool:
    return measured <= goal.bound if goal.most else measured >= goal.bound


def _told(goal: Goal, value: float) -> str:
    shown = f"{value:,g}" if value in (round(value), goal.bound, goal.aim) else number(value)
    return f"× {shown}" if goal.unit == "×" else f"{shown} {goal.unit}".strip()
