"""Texts as search compares them: one spelling for all that a reader takes for the same.

Folding goes character by character, so the folded part of a text is a part of the folded text. That is why a phrase is
not converted as one, as OpenCC would: simplified by phrases, a part of a title could differ from the title.
"""

import re
import unicodedata
from array import array
from functools import cache

import opencc

# Raise it when anything here, in `documents` or in `pinyin` changes what is stored: everything is then indexed anew.
VERSION = 2

# Taiwan's and Hong Kong's own characters are not all in the general table.
_CONVERTERS = ("t2s", "tw2s", "hk2s")
# Taiwan writes 項鍊 and 拉鍊, but 鍛鍊 as well: the one character stands for two here, which are read alike.
_OWN = str.maketrans("炼砲鑚", "链炮钻")
# Marks on letters, and what nobody sees or types: blanks, controls, invisible joiners.
_DROPPED = ("Mn", "Me", "Zs", "Zl", "Zp", "Cc", "Cf")
# Hyphens beside a letter do not count (Type-C, TypeC), between digits they do (3-5); 20*30 and 20×30 are 20x30.
_HYPHENS, _TIMES = r"\-_'’·‐‑–", frozenset("*×")
_EDGES = "-_'’·‐‑–*×"
_ALNUM, _LETTER = r"[^\W_]", r"[^\W\d_]"
_JOINTS = re.compile(f"[{_HYPHENS}](?<={_ALNUM}.)(?={_ALNUM})(?:(?<={_LETTER}.)|(?={_LETTER}))")
# What parts words that somebody asks for: quotes, brackets and stops; signs where they do not stand within letters and
# digits (A/B, 3:1, 1,000), and a plus where it does not belong to some (A+, C++).
_STOPS, _SIGNS = r"[\"“”„‘«»()\[\]{}<>【】〔〕《》〈〉「」『』、。!?;]", "[&/|~=:,]"
_PARTS = re.compile(rf"{_STOPS}+|(?<![a-z0-9+])\++|(?<![a-z0-9]){_SIGNS}+|{_SIGNS}+(?![a-z0-9])")
_SCRIPTS = re.compile("[a-z0-9][a-z0-9.]+|[^a-z0-9.]{2,}")
_PRODUCTS = re.compile("(?<=[0-9])[*×](?=[0-9])")


@cache
def _converters() -> tuple[opencc.OpenCC, ...]:
    return tuple(opencc.OpenCC(name) for name in _CONVERTERS)


def _folded_once(text: str) -> str:
    for converter in _converters():
        text = converter.convert(text)
    text = text.translate(_OWN)
    marked = unicodedata.normalize("NFKD", text.casefold())
    return "".join(char for char in marked if unicodedata.category(char) not in _DROPPED)


class _Folds(dict[int, str]):
    """What characters become, worked out when they are first met."""

    def __missing__(self, code: int) -> str:
        before, after = "", chr(code)
        while before != after:
            before, after = after, _folded_once(after)
        return self.setdefault(code, after)


_FOLDS = _Folds()


def fold(text: str) -> str:
    """The text in small simplified half-width characters, without blanks, accents and hyphens within words."""
    if text.isascii() and text.isprintable():
        folded = text.lower().replace(" ", "")
        # Most codes.
        if folded.isalnum():
            return folded
    else:
        folded = text.translate(_FOLDS)
    folded = _JOINTS.sub("", folded)
    return folded if _TIMES.isdisjoint(folded) else _PRODUCTS.sub("x", folded)


def words(text: str) -> list[str]:
    """The folded words of what somebody asks for; all of them are to be found, wherever each stands.

    Quotes, brackets, stops and pictures part words as blanks do; a text of nothing but those is a word.
    """
    written = blank_separated(text)
    return list(dict.fromkeys(part for word in written for part in _parted(word))) or written


def blank_separated(text: str) -> list[str]:
    """The folded words as they were written. A text of nothing but hyphens is a word, beside others they are not."""
    folded = [fold(word) for word in text.split()]
    found = [trimmed for word in folded if (trimmed := word.strip(_EDGES))]
    return list(dict.fromkeys(found or filter(None, folded)))


def _parted(word: str) -> list[str]:
    """The parts of a folded word, none of what only parts words."""
    plain = "".join(" " if unicodedata.category(char) == "So" else char for char in word)
    parts = [part.strip(_EDGES) for part in _PARTS.sub(" ", plain).split()]
    return list(filter(None, parts))


def scripts(word: str) -> list[str]:
    """The parts of a folded word that has letters or digits beside other characters, such as a brand and a thing.

    Nothing if a part would be one character alone, such as in T恤.
    """
    found = _SCRIPTS.findall(word)
    return found if len(found) > 1 and sum(map(len, found)) == len(word) else []


def pair(two: str) -> int:
    """The number of two neighbouring characters, one for each two of the basic plane: the first in the upper half."""
    return next(iter(pairs(two)))


def pairs(text: str) -> set[int]:
    """The numbers of all neighbouring characters of a folded text, as signed 32-bit numbers."""
    return set(neighbours(text))


def neighbours(text: str) -> "array[int]":
    """The same, each as often as the two stand side by side.

    They are what the text's UTF-16, back to front, has in memory: read as numbers at even and at odd places.
    """
    units = text[::-1].encode("utf-16-le", "surrogatepass")
    even, odd = len(units) // 4 * 4, (len(units) - 2) // 4 * 4
    return array("i", units[:even] + units[2 : 2 + odd])
