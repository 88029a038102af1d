"""One run: servers, data, the sections one after the other; what is measured is on disk after each."""

import sys
import time
from contextlib import closing

from benchmarks import machine
from benchmarks.bench import Bench
from benchmarks.options import Options
from benchmarks.results import Measurement, Results, save
from benchmarks.sections import SECTIONS
from benchmarks.world.installation import installation

# Of a reason that is told while it runs; the results file has all of it.
LINE = 300


def run(options: Options) -> Results:
    """Measure what the options ask for."""
    with installation(options.folder, options.size, throwaway=options.quick) as place:
        say(f"Filling the catalogue with {options.size:,} products ...")
        world = place.fill(options.size)
        results = Results(about=machine.about(options, place))
        with closing(Bench(options, place, world, keep=lambda one: _keep(results, one))) as bench:
            for section in SECTIONS:
                if options.wants(section.name):
                    say(f"\n{section.name}")
                    begin = time.monotonic()
                    section.run(bench)
                    results.seconds[section.name] = round(time.monotonic() - begin, 1)
                    save(results, options.results)
    return results


def _keep(results: Results, one: Measurement) -> None:
    results.measurements.append(one)
    speed = f"{one.rate:10,.1f}/s  p50 {one.p50_ms:8.1f}  p99 {one.p99_ms:8.1f}"
    told = f"FAILED: {' '.join(one.failed.split())[:LINE]}" if one.failed else speed
    errors = f"  {one.errors} errors" if one.errors else ""
    say(f"  {one.round + 1}  {one.variant:20} {one.scenario:14} {told}{errors}")


def say(text: str) -> None:
    """Tell whoever waits."""
    print(text, file=sys.stderr, flush=True)
