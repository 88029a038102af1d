"""Reads while a sync runs: the same requests with and without workers at work on the same catalogue."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import msgspec

from benchmarks.bench import Bench, Site
from benchmarks.failures import FAILURES, failure
from benchmarks.ingest.feed import feed_options, write_feed
from benchmarks.ingest.workers import workers
from benchmarks.peers import VARIANTS
from benchmarks.section import Section, Shown
from benchmarks.sections.reads import list_paths
from devstack.demo.stack import PATIENT_DATABASE, PROJECT
from devstack.postgres import DATABASE_NAME

NAME = "busy"
VARIANT = "ours"
QUIET, SYNCING = "quiet", "syncing"
MOST, QUICK_MOST = 100_000, 100
PROCESSES = 2


def run(bench: Bench) -> None:
    """Measure lists without and with a sync in every round."""
    for turn in range(bench.options.few_rounds):
        scenario = QUIET
        try:
            with bench.serving(VARIANTS[VARIANT]) as site:
                paths = list_paths(bench.world)
                load = site.load(paths[: len(paths) // 2], 64)
                bench.keep(site.measure(load, section=NAME, scenario=QUIET, turn=turn))
                scenario = SYNCING
                load = site.load(paths[len(paths) // 2 :], 64)
                with _syncing(site, turn) as synced:
                    measured = site.measure(load, section=NAME, scenario=SYNCING, turn=turn)
                bench.keep(msgspec.structs.replace(measured, facts={**measured.facts, "synced": synced[0]}))
        except FAILURES as error:
            bench.keep(failure(NAME, scenario, VARIANT, turn, error))


@contextmanager
def _syncing(site: Site, turn: int) -> Iterator[list[float]]:
    """A sync in which one product in twenty has changed; afterwards the list holds its products a second."""
    bench, synced = site.bench, [0.0]
    path = bench.installation.folder / "busy.ndjson"
    size, quick = bench.options.size, bench.options.quick
    processes = 1 if quick else PROCESSES
    # Another edition than that of any run before.
    edition = int(time.time()) % 10_000 + turn
    write_feed(path, min(size, QUICK_MOST if quick else MOST), catalogue=size, edition=edition)
    with workers(bench.installation, DATABASE_NAME, processes):
        job = _start(bench, {"kind": "feed", "options": feed_options(path), "workers": processes})
        try:
            yield synced
        finally:
            synced[0] = _stop(job)


def _start(bench: Bench, orders: dict[str, Any]) -> "subprocess.Popen[bytes]":
    """A running sync; it is stopped by the end of its standard input."""
    job = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.ingest.job"],
        env={**bench.installation.environment(), **PATIENT_DATABASE},
        cwd=PROJECT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert job.stdin  # noqa: S101 (we asked for a pipe)
    job.stdin.write(msgspec.json.encode({**orders, "until_told": True}) + b"\n")
    job.stdin.flush()
    assert job.stdout  # noqa: S101
    # Its first line says that the first batch is written.
    job.stdout.readline()
    return job


def _stop(job: "subprocess.Popen[bytes]") -> float:
    """Stop the sync; returns how many products a second it did while it ran."""
    printed, _ = job.communicate()
    done = json.loads(printed.splitlines()[-1])
    return float(done["rate"])


SECTION = Section(
    name=NAME,
    title="Reads while a sync runs",
    about=(
        "Lists of 20 over 64 connections, first alone, then while two worker processes sync products of the same"
        " catalogue of which one in twenty has changed. All of it shares the cores."
    ),
    run=run,
    tables=(
        Shown(scenario=QUIET, title="No sync"),
        Shown(scenario=SYNCING, title="While a sync runs", compared_with=QUIET),
    ),
    labels={VARIANT: VARIANTS[VARIANT].label},
    columns=("rate", "ratio", "p50", "p99", "errors", "memory", "cpu", "synced"),
    base=VARIANT,
)
