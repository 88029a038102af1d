"""How good a ranking is, by kind of query."""

import math
from collections.abc import Iterable, Mapping, Sequence
from statistics import fmean
from typing import NamedTuple

from tests.products.search_quality.judge import Judged


class Quality(NamedTuple):
    """Measures between 0 and 1, averaged over queries.

    Attributes:
        recall: how much of what was wanted is found.
        precision: how much of what is found was wanted; 1 if nothing is found.
        mrr: 1 / place of the first hit that was wanted.
        ndcg: how near the order is to the best one, where better hits stand first.
    """

    recall: float
    precision: float
    mrr: float
    ndcg: float


def quality(judged: Judged, answer: Sequence[str]) -> Quality:
    """How good one answer is: ids of offers, the best first."""
    counted = [number for number in answer if number not in judged.allowed]
    hits = [judged.wanted.get(number, 0) for number in counted]
    good = sum(hit > 0 for hit in hits)
    if not judged.wanted:
        return Quality(1, float(not counted), float(not counted), float(not counted))
    first = next((1 / place for place, hit in enumerate(hits, 1) if hit), 0.0)
    best = sorted(judged.wanted.values(), reverse=True)
    return Quality(good / len(best), good / len(hits) if hits else 1.0, first, _gain(hits) / _gain(best))


def by_kind(measured: Iterable[tuple[Judged, Quality]]) -> dict[str, Quality]:
    """The averages of each kind, and of all as "all"."""
    kinds: dict[str, list[Quality]] = {}
    for judged, found in measured:
        for kind in (judged.kind, "all"):
            kinds.setdefault(kind, []).append(found)
    everything = kinds.pop("all")
    return {kind: _mean(found) for kind, found in [*kinds.items(), ("all", everything)]}


def table(kinds: Mapping[str, Quality], counts: Mapping[str, int]) -> str:
    """The averages as people read them."""
    head = f"{'kind':<14}{'queries':>8}" + "".join(f"{name:>11}" for name in Quality._fields)
    rows = [
        f"{kind:<14}{counts[kind]:>8}" + "".join(f"{value:>11.4f}" for value in values)
        for kind, values in kinds.items()
    ]
    return "\n".join([head, *rows])


def _mean(found: Sequence[Quality]) -> Quality:
    return Quality(*(fmean(values) for values in zip(*found, strict=True)))


def _gain(hits: Sequence[int]) -> float:
    return sum(hit / math.log2(place + 1) for place, hit in enumerate(hits, 1))
