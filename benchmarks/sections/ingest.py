"""Ingest: the same products into the same tables, by us and by others."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.accounting import tree_seconds
from benchmarks.bench import Bench
from benchmarks.failures import FAILURES, failure
from benchmarks.ingest import copying
from benchmarks.ingest.feed import feed_options, write_feed
from benchmarks.ingest.ours import Pass, Sync, syncing
from benchmarks.ingest.workers import workers
from benchmarks.results import Measurement
from benchmarks.section import Section, Shown
from devstack.demo.stack import PROJECT
from devstack.gateway.client import running_gateway

NAME = "ingest"
BASE = "copy"
# How many products each way gets in a full run; rates of the slow ones do not change with more.
MOST, DLT_MOST, NAIVE_MOST, GATEWAY_MOST = 50_000, 10_000, 1_000, 10_000
DLT_PYTHON = PROJECT / ".devstack" / "bench-venv" / "bin" / "python"
QUICK_MOST, LATER = 40, 60
FIRST, UNCHANGED, CHANGED = "first", "unchanged", "changed"


@dataclass(frozen=True)
class Place:
    """Where one way works: an empty database, the feed, and how many products the feed has."""

    bench: Bench
    database: str
    folder: Path

    def size(self, most: int) -> int:
        """How many products a way gets that takes at most so many."""
        return min(self.bench.options.size, QUICK_MOST if self.bench.options.quick else most)

    def feed(self, size: int, name: str = "feed") -> Path:
        """A fresh file of so many products."""
        path = self.folder / f"{name}.ndjson"
        write_feed(path, size)
        return path

    @property
    def url(self) -> str:
        """The database."""
        return self.bench.installation.database_url(self.database)


# Scenario, and what came of it.
Passes = Iterator[tuple[str, Pass]]


@dataclass(frozen=True)
class Way:
    """A way of getting products in.

    Attributes:
        missing: why it cannot be measured here.
        quick: takes part in short runs.
        once: is slow, so one round must do.
    """

    label: str
    run: Callable[[Place], Passes]
    missing: Callable[[], str | None] = lambda: None
    quick: bool = False
    once: bool = False


def _copy(place: Place, *, whole: bool = True) -> Passes:
    installation = place.bench.installation
    size = place.size(MOST)
    files = copying.export(installation.database_url(), size, place.folder / "rows")
    before = tree_seconds(installation.postgres.pid or 0)
    wanted = [file for file in files if whole or file.name in (copying.PRODUCT, copying.SKU)]
    seconds = copying.load(place.url, wanted)
    took = tree_seconds(installation.postgres.pid or 0) - before
    yield FIRST, Pass(size, seconds, 0, took, 0, 0)


def _ours(processes: int) -> Callable[[Place], Passes]:
    def run(place: Place) -> Passes:
        size = place.size(MOST)
        path = place.feed(size)
        orders = {"kind": "feed", "options": feed_options(path), "workers": processes}
        with _working(place, processes) as sync:
            yield FIRST, sync(orders)
            yield UNCHANGED, sync(orders)
            write_feed(path, size, edition=LATER)
            yield CHANGED, sync(orders)

    return run


def _gateway(place: Place) -> Passes:
    """Signed calls over HTTP to the simulated gateway, which runs on the same cores."""
    size = place.size(GATEWAY_MOST)
    processes = place.bench.processes
    with running_gateway(products=size) as gateway, _working(place, processes) as sync:
        names = ("app_key", "app_secret", "access_token", "refresh_token")
        orders = {
            "kind": "alibaba1688",
            "options": {"gateway_url": gateway.url},
            "credentials": {name: getattr(gateway, name) for name in names},
            "workers": processes,
        }
        for scenario in (FIRST, UNCHANGED):
            yield scenario, sync(orders)


@contextmanager
def _working(place: Place, processes: int) -> Iterator[Sync]:
    installation = place.bench.installation
    with (
        workers(installation, place.database, processes) as worker,
        syncing(installation, place.database, worker) as sync,
    ):
        yield sync


def _programs(place: Place, most: int, command: Callable[[Path], list[str]], environment: dict[str, str]) -> Passes:
    """A program that prints the seconds of two passes."""
    size = place.size(most)
    path = place.feed(size)
    done = subprocess.run(command(path), env=environment, cwd=PROJECT, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(done.stderr.strip()[-500:])
    taken: list[float] = json.loads(done.stdout.splitlines()[-1])
    for scenario, seconds in zip((FIRST, UNCHANGED), taken, strict=True):
        yield scenario, Pass(size, seconds, 0, 0, 0, 0)


def _naive(place: Place) -> Passes:
    environment = place.bench.installation.environment(place.database)
    command = [sys.executable, "-m", "benchmarks.ingest.naive"]
    return _programs(place, NAIVE_MOST, lambda path: [*command, str(path)], environment)


def _dlt(place: Place) -> Passes:
    program = str(PROJECT / "benchmarks" / "ingest" / "dlt_merge.py")
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(place.folder), "RUNTIME__DLTHUB_TELEMETRY": "false"}
    return _programs(place, DLT_MOST, lambda path: [str(DLT_PYTHON), program, place.url, str(path)], environment)


def _without_dlt() -> str | None:
    return None if DLT_PYTHON.exists() else "dlt is not installed; `make bench` does that"


WAYS = {
    BASE: Way("COPY of ready rows: the limit", _copy, quick=True),
    "copy-products": Way("COPY of products and SKUs alone", lambda place: _copy(place, whole=False)),
    "ours": Way("1688sync, one process", _ours(1), quick=True),
    "ours-two": Way("1688sync, two processes", _ours(2)),
    "ours-gateway": Way("1688sync, one process a core, calls of the simulated gateway", _gateway),
    "dlt": Way("dlt, merge", _dlt, _without_dlt, once=True),
    "naive": Way("update_or_create", _naive, quick=True, once=True),
}


def run(bench: Bench) -> None:
    """Every way into an empty database, in every round; none of them sees what another one left."""
    empty = bench.installation.empty_database()
    wanted = {name: way for name, way in WAYS.items() if way.quick or not bench.options.quick}
    for turn in range(bench.options.few_rounds):
        for name, way in wanted.items():
            if not (turn and way.once):
                _measure(bench, name, way, turn, empty)


def _measure(bench: Bench, name: str, way: Way, turn: int, empty: str) -> None:
    scenario = FIRST
    if reason := way.missing():
        bench.keep(Measurement(section=NAME, scenario=FIRST, variant=name, round=turn, failed=reason))
        return
    try:
        with _place(bench, name, empty) as place:
            for scenario, took in way.run(place):
                bench.keep(_measurement(name, scenario, turn, took))
    except FAILURES as error:
        bench.keep(failure(NAME, scenario, name, turn, error))


@contextmanager
def _place(bench: Bench, name: str, empty: str) -> Iterator[Place]:
    bench.installation.forget_cached()
    database = bench.installation.fresh_database(f"bench_{name.replace('-', '_')}", empty)
    try:
        yield Place(bench, database, bench.installation.folder)
    finally:
        bench.installation.drop_database(database)


def _measurement(name: str, scenario: str, turn: int, took: Pass) -> Measurement:
    facts = {
        "worker_us": took.worker_seconds * 1e6 / took.products,
        "database_us": took.database_seconds * 1e6 / took.products,
        "wal_bytes": took.wal_bytes / took.products,
        "products": took.products,
    }
    return Measurement(
        section=NAME,
        scenario=scenario,
        variant=name,
        round=turn,
        rate=took.products / took.seconds,
        count=took.products,
        memory_mb=round(took.peak_mb, 1),
        cpu={"workers": took.worker_seconds, "PostgreSQL": took.database_seconds},
        facts={name: value for name, value in facts.items() if value},
    )


SECTION = Section(
    name=NAME,
    title="Ingest",
    about=(
        "The same made-up products, each with three SKUs, into a database of its own with all tables and indexes; ours"
        " writes products, SKUs, categories, shops, the change feed, the search index and the record of the run. COPY"
        " of ready rows writes the rows that ours leaves behind, without reading, checking or comparing anything."
        " Memory is that of all worker processes at its highest."
    ),
    run=run,
    tables=(
        Shown(scenario=FIRST, title="First load"),
        Shown(scenario=UNCHANGED, title="The same products again", compared_with=FIRST),
        Shown(scenario=CHANGED, title="The same products again, one in twenty changed", compared_with=FIRST),
    ),
    labels={name: way.label for name, way in WAYS.items()},
    columns=("products", "ratio", "engine", "server", "wal", "memory", "count"),
    base=BASE,
    chart=(FIRST, UNCHANGED, CHANGED),
)
