"""The table of readings that search has: ordinary ones only, out of pypinyin's characters and phrases.

A character's own list has readings that are a thousand years old; its phrases tell which are in use. Search needs
neither the phrases nor the tones, so 60 KB do instead of a package that takes 300 ms to import.
"""

from collections import Counter, defaultdict
from pathlib import Path

from pypinyin.contrib.tone_convert import to_normal
from pypinyin.phrases_dict import phrases_dict
from pypinyin.pinyin_dict import pinyin_dict

from products.search import pinyin
from products.search.folding import fold

TARGET = Path(pinyin.__file__).with_name("readings.txt")
# A reading in fewer of a character's phrases than this share is passed over.
LEAST_SHARE = 0.08
_VOWELS = frozenset("aeiouv")
CHARACTERS = range(0x4E00, 0xA000)


def render() -> str:
    """A line for each syllable, with the folded characters that are read so."""
    characters: dict[str, list[str]] = defaultdict(list)
    phrases = _read_in_phrases()
    for character in filter(_is_folded, map(chr, CHARACTERS)):
        for syllable in _readings(character, phrases[character]):
            # Interjections such as ng are no syllables anybody types for a character.
            if not _VOWELS.isdisjoint(syllable):
                characters[syllable].append(character)
    return "".join(f"{syllable} {''.join(found)}\n" for syllable, found in sorted(characters.items()))


def _is_folded(character: str) -> bool:
    return ord(character) in pinyin_dict and fold(character) == character


def _readings(character: str, counts: Counter[str]) -> list[str]:
    if not counts:
        return [_plain(pinyin_dict[ord(character)].split(",")[0])]
    return [syllable for syllable, count in counts.items() if count >= LEAST_SHARE * counts.total()]


def _read_in_phrases() -> dict[str, Counter[str]]:
    """How often each folded character is read how."""
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for phrase, syllables in phrases_dict.items():
        if len(phrase) == len(syllables):
            for character, (syllable, *_) in zip(phrase, syllables, strict=True):
                counts[fold(character)][_plain(syllable)] += 1
    return counts


def _plain(syllable: str) -> str:
    """Without its tone, ü as it is typed."""
    return str(to_normal(syllable)).replace("ü", "v")
