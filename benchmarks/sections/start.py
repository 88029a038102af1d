"""How long a web server takes from its command to its first answer."""

import time

from benchmarks.accounting import tree_seconds
from benchmarks.bench import Bench
from benchmarks.failures import FAILURES, failure
from benchmarks.peers import BASE, VARIANTS
from benchmarks.results import Measurement
from benchmarks.section import Section, Shown

NAME = "start"
STARTS = 3
TAKING_PART = ("ours", BASE, "drf")


def run(bench: Bench) -> None:
    """Start each server a few times, in turns; what it needs of the disk is in memory by then."""
    servers = [variant.name for variant in bench.variants() if variant.name in TAKING_PART]
    for turn in range(1 if bench.options.quick else STARTS):
        for name in servers[: 1 if bench.options.quick else None]:
            _measure(bench, name, turn)


def _measure(bench: Bench, name: str, turn: int) -> None:
    begin = time.perf_counter()
    try:
        with bench.starting(VARIANTS[name]) as site:
            seconds = time.perf_counter() - begin
            took = tree_seconds(site.server.pid or 0)
            facts = {"start_seconds": seconds, "start_cpu": took}
            bench.keep(
                Measurement(
                    section=NAME,
                    scenario=NAME,
                    variant=name,
                    round=turn,
                    rate=1 / seconds,
                    count=1,
                    memory_mb=round(site.memory_mb(), 1),
                    facts=facts,
                )
            )
    except FAILURES as error:
        bench.keep(failure(NAME, NAME, name, turn, error))


SECTION = Section(
    name=NAME,
    title="Start",
    about=(
        "From the command to the first answer with a product, with one process a core, and the processor time of all"
        " its processes until then."
    ),
    run=run,
    tables=(Shown(scenario=NAME, title="Start of the web server"),),
    labels={name: VARIANTS[name].label for name in TAKING_PART},
    columns=("start", "start_cpu", "memory"),
)
