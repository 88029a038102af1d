"""What is searched for: so many different texts that no answer is kept from before."""

from collections.abc import Iterable
from itertools import permutations, product
from random import Random

from benchmarks.world.products import MISSING_WORD, PAGE_SIZES, RARE_WORD, trades

PAGES = range(1, 11)
MOST = 5000


def two_characters() -> list[str]:
    """Queries for words of two characters that many titles have, with the page and its size."""
    words = {word for trade in trades() for word in (*trade.features, *trade.styles) if len(word) == 2}
    return _shuffled(
        f"q={word}&page={page}&page_size={size}" for word, page, size in product(sorted(words), PAGES, PAGE_SIZES)
    )


def rare() -> list[str]:
    """Queries for a run of four words that few titles have."""
    runs = [f"q={RARE_WORD}"]
    for trade in trades():
        chosen = Random(1688).sample(list(permutations(trade.features, 3)), 60)
        runs += [f"q={style} {' '.join(features)}" for style, features in product(trade.styles, chosen)]
    return _shuffled(runs)


def missing() -> list[str]:
    """Queries for what no title has."""
    return _shuffled(f"q={MISSING_WORD}{number}" for number in range(MOST))


def _shuffled(queries: Iterable[str]) -> list[str]:
    found = list(queries)
    Random(1688).shuffle(found)
    return found[:MOST]
