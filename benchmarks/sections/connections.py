"""Many connections at once: every one of them is answered, and the server still says how it is."""

import msgspec

from benchmarks.bench import Bench, Site
from benchmarks.failures import FAILURES, failure
from benchmarks.peers import VARIANTS
from benchmarks.results import Measurement
from benchmarks.section import Section, Shown
from benchmarks.sections.reads import list_paths
from benchmarks.watching import Watch

NAME = "connections"
VARIANT = "ours"
MANY = 5000
# A minute, where other measurements take three seconds.
LONGER = 20
# A server may say that it has enough to do.
GOOD = (200, 429, 503)
# What a web server may open at most, of a process and beside them: docs/operations.md, section Processes.
POOL_OF_A_PROCESS, POOL_BESIDE = 3, 2


def run(bench: Bench) -> None:
    """Measure once: it takes long."""
    try:
        with bench.serving(VARIANTS[VARIANT]) as site:
            bench.keep(_measured(site))
    except FAILURES as error:
        bench.keep(failure(NAME, NAME, VARIANT, 0, error))


def _measured(site: Site) -> Measurement:
    load = site.load(list_paths(site.bench.world), MANY, good=GOOD)
    longer = 1 if site.bench.options.quick else LONGER
    load = msgspec.structs.replace(load, seconds=load.seconds * longer)
    with Watch(site) as watch:
        measured = site.measure(load, section=NAME, scenario=NAME, turn=0, every_status=True)
    return msgspec.structs.replace(
        measured,
        memory_mb=round(max(watch.memory_mb, measured.memory_mb), 1),
        errors=measured.errors + watch.health_failures,
        facts={**measured.facts, **watch.facts, "pool": POOL_OF_A_PROCESS * site.bench.processes + POOL_BESIDE},
    )


SECTION = Section(
    name=NAME,
    title="Five thousand connections",
    about=(
        "Lists of 20 over 5,000 connections for a minute, while `/health` is asked twice a second over connections of"
        " its own. An answer of 503 or 429 tells the caller to come back: it is no error, but not counted as a request"
        " served either."
    ),
    run=run,
    tables=(Shown(scenario=NAME, title="5,000 connections"),),
    labels={VARIANT: VARIANTS[VARIANT].label},
    columns=("rate", "p50", "p99", "errors", "timeouts", "statuses", "health", "memory", "cpu", "connections"),
)
