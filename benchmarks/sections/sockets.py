"""Live events to many WebSockets at once."""

import json
import subprocess
import sys

from benchmarks.bench import Bench, Site
from benchmarks.failures import FAILURES, failure
from benchmarks.peers import VARIANTS
from benchmarks.results import Measurement
from benchmarks.section import Section, Shown
from devstack.demo.stack import PROJECT

NAME = "sockets"
VARIANT = "ours"
# Sockets and events a second.
LOADS = {"1000x40": (1000, 40), "1000x100": (1000, 100), "2000x40": (2000, 40)}
QUICK_SOCKETS = 20


def run(bench: Bench) -> None:
    """Measure each load in every round; one process holds all the sockets."""
    for turn in range(bench.options.few_rounds):
        scenario = next(iter(LOADS))
        try:
            with bench.serving(VARIANTS[VARIANT]) as site:
                loads = list(LOADS.items())[: 1 if bench.options.quick else None]
                for scenario, (sockets, rate) in loads:
                    bench.keep(_measured(site, scenario, turn, sockets, rate))
        except FAILURES as error:
            bench.keep(failure(NAME, scenario, VARIANT, turn, error))


def _measured(site: Site, scenario: str, turn: int, sockets: int, rate: int) -> Measurement:
    bench = site.bench
    sockets = QUICK_SOCKETS if bench.options.quick else sockets
    arguments = [f"--base-url=http://127.0.0.1:{site.port}", f"--sockets={sockets}", f"--rate={rate}", "--json"]
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.broadcast", *arguments, f"--seconds={max(1, round(bench.options.seconds))}"],
        env={**bench.installation.environment(), "TOKEN": bench.world.tokens["viewer"]},
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(done.stderr.strip()[-500:])
    found = json.loads(done.stdout.splitlines()[-1])
    return Measurement(
        section=NAME,
        scenario=scenario,
        variant=VARIANT,
        round=turn,
        rate=found["rate"],
        p50_ms=found["p50_ms"],
        p99_ms=found["p99_ms"],
        errors=sockets - found["sockets"],
        memory_mb=round(site.memory_mb(), 1),
        facts={"sockets": found["sockets"], "arrived_percent": found["share"] * 100},
    )


SECTION = Section(
    name=NAME,
    title="Live events over WebSockets",
    about=(
        "Events of a sync published at a fixed rate to so many watching sockets; times are from publishing to arrival,"
        " over all frames. The listeners share the cores with the server. A slow reader is told what it missed."
    ),
    run=run,
    tables=tuple(
        Shown(scenario=name, title=f"{sockets:,} sockets, {rate} events a second")
        for name, (sockets, rate) in LOADS.items()
    ),
    labels={VARIANT: VARIANTS[VARIANT].label},
    columns=("events", "sockets", "arrived", "p50", "p99", "errors", "memory"),
)
