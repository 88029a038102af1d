"""What a part of a run is: what it measures, and how its numbers are shown."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from benchmarks.bench import Bench


@dataclass(frozen=True, kw_only=True)
class Shown:
    """A table of the document: one scenario, a line a variant.

    Attributes:
        scenario: its name in the results.
        title: the heading.
        compared_with: the scenario whose base is the base here, where the base has nothing of the kind.
        also_compared_with: another scenario whose base gets a column of ratios of its own, with `also` as its heading.
    """

    scenario: str
    title: str
    compared_with: str = ""
    also_compared_with: str = ""
    also: str = ""


@dataclass(frozen=True, kw_only=True)
class Section:
    """A part of a run.

    Attributes:
        name: how it is asked for; `title` and `about`: heading and text in the document.
        run: measures; hands every measurement to `bench.keep`.
        tables: what is shown, in this order.
        labels: names of the variants in tables, in this order.
        base: the variant all ratios are ratios to; "" = no ratios.
        columns: names of columns, see `benchmarks.report.columns`.
    """

    name: str
    title: str
    about: str
    run: "Callable[[Bench], None]"
    tables: tuple[Shown, ...]
    labels: Mapping[str, str]
    columns: tuple[str, ...]
    base: str = ""
    chart: tuple[str, ...] = field(default=())
