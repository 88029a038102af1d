"""What search keeps of a product: the folded text that is compared, and the numbers under which it is found.

The text is the title between line feeds, then codes and attributes, each between marks that no folded text has, so that
nothing is found across two of them. Its numbers are its neighbouring characters (`folding.pairs`), and one for each
code and each leading part of a code: digits of codes, kept in pairs, would be in every product.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from itertools import islice
from typing import Any, NamedTuple
from zlib import crc32

from products.search.folding import fold, pairs

TITLE, CODE, ATTRIBUTE = "\n", "\t", "\v"
# More of one product is not searched: names of hundreds of variants say little new.
MOST_ATTRIBUTES, MOST_CODES = 200, 600
# Of a long text as an attribute the beginning is searched.
LONGEST_ATTRIBUTE = 200
SIGN = 2**31

_MARKS = re.compile(r"[\W_]+")
_LAST_MARK = re.compile(r"(.*[^\W_])[\W_]")


class Document(NamedTuple):
    """The searched text of a product and its numbers."""

    text: str
    numbers: set[int]

    @property
    def heading(self) -> str:
        """The folded title between its marks."""
        return self.text[: self.text.index(TITLE, 1) + 1]


def document(
    title: str, codes: Iterable[str], attributes: Mapping[str, Any], specs: Iterable[Mapping[str, Any]]
) -> Document:
    """What is kept of a product.

    Args:
        codes: its SKU, its id at the source, the codes of its SKUs.
        attributes: texts or lists of texts by name; only the values are searched.
        specs: the properties of its SKUs, likewise.
    """
    heading = f"{TITLE}{fold(title)}{TITLE}"
    numbers = pairs(heading)
    borne = {code: _folded_code(code) for code in islice(codes, MOST_CODES)}
    for code, folded in borne.items():
        numbers.add(code_number(folded))
        if not code.isalnum() and (leading := _LAST_MARK.match(code)):
            numbers.update(_leading_numbers(leading[1]))
    kept = [_attribute(value) for value in islice(dict.fromkeys(_values([attributes, *specs])), MOST_ATTRIBUTES)]
    numbers.update(*(found for _, found in kept))
    texts = [heading, CODE, *(f"{folded}{CODE}" for folded in borne.values()), ATTRIBUTE]
    return Document("".join(texts) + ATTRIBUTE.join(text for text, _ in kept), numbers)


def code_number(folded: str) -> int:
    """The number of a folded code, or of the leading part of one."""
    return crc32(folded.encode("utf-8", "surrogatepass")) - SIGN


def _folded_code(code: str) -> str:
    """As `fold` has it; most codes are letters and digits, where half a microsecond is enough."""
    return code.lower() if code.isascii() and code.isalnum() else fold(code)


@lru_cache(maxsize=10_000)
def _leading_numbers(leading: str) -> tuple[int, ...]:
    """Of all that stands before one of a code's hyphens or other marks, but for mere numbers; variants share it."""
    parts = [leading, *(leading[: mark.start()] for mark in _MARKS.finditer(leading))]
    return tuple(code_number(fold(part)) for part in parts if not part.isdigit())


def _values(properties: Iterable[Mapping[str, Any]]) -> Iterator[str]:
    for named in properties:
        for value in named.values():
            if isinstance(value, str):
                yield value
            elif isinstance(value, list):
                yield from (each for each in value if isinstance(each, str))


@lru_cache(maxsize=50_000)
def _attribute(value: str) -> tuple[str, frozenset[int]]:
    """Few values are on most products, so they are worked out once."""
    folded = fold(value[:LONGEST_ATTRIBUTE])
    return folded, frozenset(pairs(folded if len(folded) > 1 else ATTRIBUTE + folded))
