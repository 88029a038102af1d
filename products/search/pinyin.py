"""How Chinese characters are read, and what Latin letters can stand for when somebody types them instead."""

from collections.abc import Iterator, Sequence
from functools import cache
from itertools import islice, product
from pathlib import Path
from typing import NamedTuple

# Made by devstack.documents.readings.
_READINGS, _PAIRS = (Path(__file__).with_name(name) for name in ("readings.txt", "pair_readings.txt"))
# Two initials are in every other title.
LEAST_INITIALS = 3
# Splits of one text that are looked for; more are nonsense.
_MOST_SPLITS = 4
_MOST_UNITS = 16
_LOOKED_AT = 64
# Letters of a syllable, as in zhuang.
_LONGEST = 6


class Unit(NamedTuple):
    """One character as it is typed: itself, or its reading, or the beginning of its reading."""

    text: str
    whole: bool = True


@cache
def _table() -> tuple[dict[str, tuple[str, ...]], frozenset[str], frozenset[str]]:
    """The syllables of each character; all syllables; all of their beginnings."""
    characters: dict[str, tuple[str, ...]] = {}
    syllables = set[str]()
    for line in _READINGS.read_text(encoding="utf-8").splitlines():
        syllable, found = line.split(" ")
        syllables.add(syllable)
        for character in found:
            characters[character] = (*characters.get(character, ()), syllable)
    beginnings = {syllable[:end] for syllable in syllables for end in range(1, len(syllable))}
    return characters, frozenset(syllables), frozenset(beginnings)


def readings(character: str) -> tuple[str, ...]:
    """The ordinary readings of a folded character, without tones, ü as v; none of what is not Chinese."""
    return _table()[0].get(character, ())


@cache
def _pair_table() -> dict[str, list[tuple[str, str]]]:
    found: dict[str, list[tuple[str, str]]] = {}
    for line in _PAIRS.read_text(encoding="utf-8").splitlines():
        two, first, second = line.split(" ")
        found.setdefault(two, []).append((first, second))
    return found


def pair_readings(first: str, second: str) -> list[tuple[str, str]]:
    """How two neighbouring folded characters are typed: side by side 银行 is yin hang only, though 行 is xing as well.

    Letters and digits beside a Chinese character are typed as they are; of two others there is nothing to read.
    """
    if not (readings(first) or readings(second)):
        return []
    return _pair_table().get(first + second) or list(product(_spellings(first), _spellings(second)))


def _spellings(character: str) -> Sequence[str]:
    return readings(character) or ([character] if character.isascii() and character.isalnum() else [])


def splits(word: str) -> list[tuple[Unit, ...]]:
    """What a folded word may stand for beside itself: for each way to read it one unit a character, at least two.

    Whole syllables if it is made of them; else with the beginning of a last one; else three initials or more, each one
    letter; else as few syllables and initials as possible. Nothing unless it is Latin letters, with or without Chinese
    characters among them.
    """
    if not _is_typed(word):
        return []
    found = _first_found(word)
    return [units for units in found[:_MOST_SPLITS] if 1 < len(units) <= _MOST_UNITS]


def _is_typed(word: str) -> bool:
    letters = [character for character in word if "a" <= character <= "z"]
    return bool(letters) and len(word) <= _LONGEST * _MOST_UNITS and all(_is_letter(c) or readings(c) for c in word)


def _is_letter(character: str) -> bool:
    return "a" <= character <= "z"


def _first_found(word: str) -> list[tuple[Unit, ...]]:
    if found := _walks(word, whole=True):
        return found
    if _all_initials(word):
        return [tuple(Unit(letter, not _is_letter(letter)) for letter in word)]
    beginnings = _table()[2]
    begun = [
        (*walk, Unit(word[cut:], whole=False))
        for cut in range(len(word) - 1, 0, -1)
        if word[cut:] in beginnings
        for walk in _walks(word[:cut], whole=True)
    ]
    mixed = [walk for walk in _walks(word, whole=False) if any(unit.whole for unit in walk)]
    return sorted(begun, key=len) or mixed[:1]


def _all_initials(word: str) -> bool:
    beginnings = _table()[2]
    return len(word) >= LEAST_INITIALS and all(letter in beginnings or not _is_letter(letter) for letter in word)


def _walks(word: str, *, whole: bool) -> list[tuple[Unit, ...]]:
    """Ways to cut a word into characters and syllables, and initials unless `whole`, with the fewest of them first."""
    steps: dict[int, list[Unit]] = {len(word): []}
    for start in range(len(word) - 1, -1, -1):
        # Only what can be gone on from: dead ends would be walked again and again.
        units = [unit for unit in _units_at(word, start, whole=whole) if start + len(unit.text) in steps]
        if units:
            steps[start] = units
    return sorted(islice(_ways(steps, 0, len(word)), _LOOKED_AT), key=len)


def _ways(steps: dict[int, list[Unit]], start: int, end: int) -> Iterator[tuple[Unit, ...]]:
    if start == end:
        yield ()
    for unit in steps.get(start, ()):
        yield from ((unit, *rest) for rest in _ways(steps, start + len(unit.text), end))


def _units_at(word: str, start: int, *, whole: bool) -> list[Unit]:
    if not _is_letter(word[start]):
        return [Unit(word[start])]
    _, syllables, beginnings = _table()
    ends = range(min(len(word), start + _LONGEST), start, -1)
    units = [Unit(word[start:end]) for end in ends if word[start:end] in syllables]
    if not whole and word[start] in beginnings:
        units.append(Unit(word[start], whole=False))
    return units
