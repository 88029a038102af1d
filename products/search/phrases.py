"""What people write again and again in titles: words and combinations of words, found without a dictionary.

A phrase is a row of units (a Chinese character, or a word of letters and digits) that stands in many titles, holds
together more than chance would have it, and is not nearly always part of the same longer row.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

LONGEST = 6
# How much oftener than by chance the parts of a phrase stand beside each other, at least.
COHESION = 8.0
# A row whose commonest extension has this share of its titles is only a part of that.
PART = 0.7

_UNIT = re.compile(r"[a-z0-9]+|[\u3400-\u9fff]", re.IGNORECASE)
_RUN = re.compile(r"(?:[a-z0-9]|[\u3400-\u9fff])+", re.IGNORECASE)

Row = tuple[str, ...]
Counts = Counter[Row]


def phrases(titles: Iterable[str], least: int) -> dict[str, int]:
    """The phrases of some titles, spelled as their units are, and in how many titles each stands.

    Args:
        least: in how many at least.
    """
    documents = [list(_runs(title)) for title in titles]
    levels = _levels(documents, least)
    units = sum(levels[0].values())
    extended = _extended(levels)
    return {
        "".join(row): count
        for level in levels[1:LONGEST]
        for row, count in level.items()
        if extended[row] < PART * count and _cohesion(row, count, levels, units) >= COHESION
    }


def _runs(title: str) -> Iterator[Row]:
    for run in _RUN.findall(title):
        yield tuple(_UNIT.findall(run))


def _levels(documents: Sequence[Sequence[Row]], least: int) -> list[Counts]:
    """Rows by length, from single units on; a row is counted only if both its parts are frequent, so few are kept."""
    levels: list[Counts] = [Counter((unit,) for runs in documents for run in runs for unit in run)]
    while len(levels) <= LONGEST:
        counted: Counts = Counter()
        for runs in documents:
            counted.update({row for run in runs for row in _frequent(run, len(levels) + 1, levels[-1], least)})
        levels.append(Counter({row: count for row, count in counted.items() if count >= least}))
    return levels


def _frequent(run: Row, length: int, shorter: Counts, least: int) -> Iterator[Row]:
    for start in range(len(run) - length + 1):
        row = run[start : start + length]
        if shorter[row[:-1]] >= least and shorter[row[1:]] >= least:
            yield row


def _extended(levels: Sequence[Counts]) -> Counts:
    """How often the commonest row one unit longer stands in the titles."""
    found: Counts = Counter()
    for level in levels[2:]:
        for row, count in level.items():
            for part in (row[:-1], row[1:]):
                found[part] = max(found[part], count)
    return found


def _cohesion(row: Row, count: int, levels: Sequence[Counts], units: int) -> float:
    """How much oftener it stands there than its parts would meet by chance, wherever it is cut."""
    cuts = range(1, len(row))
    return min(count * units / (levels[cut - 1][row[:cut]] * levels[len(row) - cut - 1][row[cut:]]) for cut in cuts)
