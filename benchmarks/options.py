"""What a run is asked to do."""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from devstack.demo.stack import PROJECT

QUICK_PRODUCTS, QUICK_SECONDS = 3000, 0.3


@dataclass(frozen=True)
class Options:
    """How much is measured, and where things go.

    Attributes:
        size: products in the catalogue.
        rounds, seconds: every measurement is taken so often, for so long each time.
        sections, variants: what to measure; empty = all.
        quick: the short form: everything runs, and no number means anything.
        port: the first of the ports that are used; 0 = any that are free.
        folder: where the servers keep their data; results: the file; document: the page that is written from it.
    """

    size: int = 1_000_000
    rounds: int = 3
    seconds: float = 3
    sections: frozenset[str] = field(default_factory=frozenset)
    variants: frozenset[str] = field(default_factory=frozenset)
    quick: bool = False
    port: int = 9100
    folder: Path = PROJECT / ".devstack" / "bench"
    results: Path = PROJECT / "var" / "bench.json"
    document: Path | None = None

    @property
    def few_rounds(self) -> int:
        """Rounds of what takes long and differs little: two at most."""
        return min(self.rounds, 2)

    def wants(self, section: str) -> bool:
        """Whether a section is to be measured."""
        return not self.sections or section in self.sections


def read_options(arguments: Sequence[str] | None = None) -> Options:
    """Read the command line."""
    given = _parser().parse_args(arguments)
    default = Options()
    return Options(
        size=given.size or (QUICK_PRODUCTS if given.quick else default.size),
        rounds=given.rounds or (1 if given.quick else default.rounds),
        seconds=given.seconds or (QUICK_SECONDS if given.quick else default.seconds),
        sections=_words(given.only),
        variants=_words(given.variants),
        quick=given.quick,
        port=given.port,
        folder=given.folder,
        results=given.results,
        document=given.document,
    )


def _words(text: str) -> frozenset[str]:
    return frozenset(text.replace(",", " ").split())


def _parser() -> argparse.ArgumentParser:
    default = Options()
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description="Measure 1688sync beside others.")
    parser.add_argument("--size", type=int, help="products in the catalogue")
    parser.add_argument("--rounds", type=int, help="times each measurement is taken")
    parser.add_argument("--seconds", type=float, help="length of each measurement")
    parser.add_argument("--only", default="", help="sections to run, by name")
    parser.add_argument("--variants", default="", help="servers to measure, by name")
    parser.add_argument("--quick", action="store_true", help="the short form, which judges nothing")
    parser.add_argument("--port", type=int, default=default.port)
    parser.add_argument("--folder", type=Path, default=default.folder)
    parser.add_argument("--results", type=Path, default=default.results)
    parser.add_argument("--document", type=Path, help="write this page from the results")
    return parser
