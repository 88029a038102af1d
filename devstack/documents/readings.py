"""The tables of readings that search has: ordinary ones only, out of pypinyin's characters and phrases.

A character's own list has readings that are a thousand years old; its phrases tell which are in use, and how two
characters are read side by side. Search needs neither the phrases nor the tones, so 170 KB do instead of a package that
takes 300 ms to import.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator
from itertools import pairwise, product
from pathlib import Path

from pypinyin.contrib.tone_convert import to_normal
from pypinyin.phrases_dict import phrases_dict
from pypinyin.pinyin_dict import pinyin_dict

from products.search import pinyin
from products.search.folding import fold

CHARACTERS_FILE = Path(pinyin.__file__).with_name("readings.txt")
PAIRS_FILE = Path(pinyin.__file__).with_name("pair_readings.txt")
# A reading in fewer of a character's phrases than this share is passed over.
LEAST_SHARE = 0.08
_VOWELS = frozenset("aeiouv")
CHARACTERS = range(0x4E00, 0xA000)


def write() -> None:
    """Write both tables."""
    CHARACTERS_FILE.write_text(characters(), encoding="utf-8")
    PAIRS_FILE.write_text(pairs(), encoding="utf-8")


def characters() -> str:
    """A line for each syllable, with the folded characters that are read so."""
    found: dict[str, list[str]] = defaultdict(list)
    for character, syllables in _ordinary().items():
        for syllable in syllables:
            found[syllable].append(character)
    return "".join(f"{syllable} {''.join(chars)}\n" for syllable, chars in sorted(found.items()))


def pairs() -> str:
    """A line for each two characters that are read in fewer ways than each of them alone: both, and one such way."""
    ordinary = _ordinary()
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for phrase in _phrases():
        for (first, one), (second, other) in pairwise(phrase):
            counts[first + second][f"{one} {other}"] += 1
    lines = []
    for two, ways in sorted(counts.items()):
        possible = {" ".join(both) for both in product(*(ordinary.get(character, ()) for character in two))}
        kept = sorted(possible.intersection(_usual(ways)))
        if 0 < len(kept) < len(possible):
            lines += [f"{two} {way}\n" for way in kept]
    return "".join(lines)


def _ordinary() -> dict[str, list[str]]:
    """The syllables of each folded character. Interjections such as ng are nothing anybody types for a character."""
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for phrase in _phrases():
        for character, syllable in phrase:
            counts[character][syllable] += 1
    first = {c: Counter([_plain(pinyin_dict[ord(c)].split(",")[0])]) for c in filter(_is_folded, map(chr, CHARACTERS))}
    return {
        character: [syllable for syllable in _usual(counts.get(character, only)) if not _VOWELS.isdisjoint(syllable)]
        for character, only in first.items()
    }


def _is_folded(character: str) -> bool:
    return ord(character) in pinyin_dict and fold(character) == character


def _usual(counts: Counter[str]) -> list[str]:
    return [reading for reading, count in counts.items() if count >= LEAST_SHARE * counts.total()]


def _phrases() -> Iterator[list[tuple[str, str]]]:
    """The folded characters and syllables of each phrase."""
    for phrase, syllables in phrases_dict.items():
        if len(phrase) == len(syllables):
            yield [(fold(char), _plain(syllable)) for char, (syllable, *_) in zip(phrase, syllables, strict=True)]


def _plain(syllable: str) -> str:
    """Without its tone, ü as it is typed."""
    return str(to_normal(syllable)).replace("ü", "v")
