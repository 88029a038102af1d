"""Where the words of a search stand in a text, as it is written.

Places are counted in characters (Unicode code points) of the text, so nothing of it is copied, escaped or marked up:
what is shown stays the reader's to build.
"""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import NamedTuple

from products.search.folding import blank_separated, fold, scripts, words
from products.search.pinyin import Unit, pair_readings, splits

Mark = tuple[int, int]

# What follows a letter and belongs to it: accents, and what joins parts of one picture.
_ATTACHED = frozenset({"Mn", "Me", "Cf"})
_TIMES = "*×"
_LETTERS = re.compile("[a-z]+")


class Folded(NamedTuple):
    """A folded text, and for each of its characters the place of the one in the text that it came from."""

    text: str
    places: list[int]


def marks(text: str, query: str) -> list[Mark]:
    """What of a text a search found: (start, length) in code points, in order, without overlaps.

    Args:
        query: what was searched for; each of its words is marked wherever it stands, and if it stands nowhere,
            wherever it is read so.
    """
    folded, wanted = placed(text), blank_separated(query)
    found = [span for word in wanted for span in _word_spans(folded, word)]
    if len(wanted) > 1 and all(map(_LETTERS.fullmatch, wanted)):
        found += _read_spans(folded, "".join(wanted))
    return [(start, end - start) for start, end in _merged(_completed(text, span) for span in found)]


def placed(text: str) -> Folded:
    """A text as search compares it, with where its characters came from."""
    folded, places = fold(text), list[int]()
    for place, written in enumerate(text):
        for char in fold(written):
            if len(places) < len(folded) and _becomes(char, folded[len(places)]):
                places.append(place)
    return Folded(folded, places)


def _becomes(alone: str, beside: str) -> bool:
    """Whether a character, folded alone, is this one beside its neighbours; hyphens within words become nothing."""
    return alone == beside or (beside == "x" and alone in _TIMES)


def _word_spans(folded: Folded, word: str) -> list[Mark]:
    """Where the word stands as it was written; else where its parts do, or what is read so."""
    parts = words(word)
    if found := _spans(folded, word) or _read_spans(folded, word):
        return found
    smaller = parts if len(parts) > 1 else scripts(word) or [part for part in parts if part != word]
    return [span for part in smaller for span in _word_spans(folded, part)]


def _spans(folded: Folded, word: str) -> list[Mark]:
    """Start and end of each place where the word stands, in the text as it is written."""
    starts = re.finditer(re.escape(word), folded.text)
    return [_written(folded, found.start(), found.end()) for found in starts]


def _read_spans(folded: Folded, word: str) -> list[Mark]:
    """The places whose characters are read as the word, which is pinyin or initials."""
    return [
        _written(folded, start, start + len(units))
        for units in splits(word)
        for start in range(len(folded.text) - len(units) + 1)
        if _is_read(units, folded.text[start : start + len(units)])
    ]


def _written(folded: Folded, start: int, end: int) -> Mark:
    return folded.places[start], folded.places[end - 1] + 1


def _is_read(units: Sequence[Unit], characters: str) -> bool:
    return all(
        any(_fits(unit, one) and _fits(following, other) for one, other in pair_readings(first, second))
        for (unit, following), (first, second) in zip(pairwise(units), pairwise(characters), strict=True)
    )


def _fits(unit: Unit, reading: str) -> bool:
    return reading == unit.text if unit.whole else reading.startswith(unit.text)


def _completed(text: str, span: Mark) -> Mark:
    start, end = span
    while end < len(text) and unicodedata.category(text[end]) in _ATTACHED:
        end += 1
    return start, end


def _merged(spans: Iterable[Mark]) -> list[Mark]:
    merged = list[Mark]()
    for start, end in sorted(spans):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged
