"""Where the words of a search stand in a text, as it is written.

Places are counted in characters (Unicode code points) of the text, so nothing of it is copied, escaped or marked up:
what is shown stays the reader's to build.
"""

import unicodedata
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from products.search.folding import fold, words

Mark = tuple[int, int]

# What follows a letter and belongs to it: accents, and what joins parts of one picture.
_ATTACHED = frozenset({"Mn", "Me", "Cf"})
_TIMES = "*×"


class Folded(NamedTuple):
    """A folded text, and for each of its characters the place of the one in the text that it came from."""

    text: str
    places: list[int]


def marks(text: str, query: str) -> list[Mark]:
    """What of a text a search found: (start, length) in code points, in order, without overlaps.

    Args:
        query: what was searched for; each of its words is marked wherever it stands.
    """
    folded = placed(text)
    found = [span for word in words(query) for span in _spans(folded, word)]
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


def _spans(folded: Folded, word: str) -> Iterator[Mark]:
    """Start and end of each place where the word stands, in the text as it is written."""
    at = folded.text.find(word)
    while at >= 0:
        end = at + len(word)
        yield folded.places[at], folded.places[end - 1] + 1
        at = folded.text.find(word, end)


def _completed(text: str, span: Mark) -> Mark:
    start, end = span
    while end < len(text) and unicodedata.category(text[end]) in _ATTACHED:
        end += 1
    return start, end


def _merged(spans: Iterator[Mark] | Sequence[Mark]) -> list[Mark]:
    merged = list[Mark]()
    for start, end in sorted(spans):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged
