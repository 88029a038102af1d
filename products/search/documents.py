"""What search keeps of a product: the folded text that is compared, and the numbers under which it is found.

The text is the title between line feeds, then codes and attributes, each between marks that no folded text has, so that
nothing is found across two of them. Its numbers are its neighbouring characters (`folding.pairs`), and one for each
code and each leading part of a code: digits of codes, kept in pairs, would be in every product.
"""

import re
from array import array
from collections.abc import Iterable, Mapping
from functools import lru_cache
from itertools import islice
from typing import Any, NamedTuple
from zlib import crc32

from products.search.folding import fold, neighbours

TITLE, CODE, ATTRIBUTE = "\n", "\t", "\v"
# More of one product is not searched: names of hundreds of variants say little new.
MOST_ATTRIBUTES, MOST_CODES = 200, 600
# Of a long text as an attribute the beginning is searched.
LONGEST_ATTRIBUTE = 200
SIGN = 2**31

_MARKS = re.compile(r"[\W_]+")
_LAST_MARK = re.compile(r"(.*[^\W_])[\W_]")


class Document(NamedTuple):
    """The searched text of a product and its numbers, some of them twice; `title` are those of the title alone."""

    text: str
    numbers: "array[int]"
    title: "array[int]"


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
    read = neighbours(heading)
    borne = {code: fold(code) for code in islice(codes, MOST_CODES)}
    kept = [_attribute(value) for value in islice(_values(attributes, specs), MOST_ATTRIBUTES)]
    numbers = array("i", b"".join([read, *[found for _, found in kept]]))
    numbers.extend(map(code_number, borne.values()))
    for leading in {_leading(code): None for code in borne if not code.isalnum()}:
        numbers.extend(_leading_numbers(leading))
    values = ATTRIBUTE.join([text for text, _ in kept])
    return Document(f"{heading}{CODE}{CODE.join([*borne.values(), ATTRIBUTE])}{values}", numbers, read)


def code_number(folded: str) -> int:
    """The number of a folded code, or of the leading part of one."""
    return crc32(folded.encode("utf-8", "surrogatepass")) - SIGN


def _leading(code: str) -> str:
    """What stands before a code's last hyphen or other mark, but for marks that it begins with; it may be nothing."""
    before, _, behind = code.rpartition("-")
    if behind.isalnum() and before[-1:].isalnum():
        return before
    found = _LAST_MARK.match(code)
    return found[1] if found else ""


@lru_cache(maxsize=10_000)
def _leading_numbers(leading: str) -> tuple[int, ...]:
    """Of all that stands before one of a code's hyphens or other marks, but for mere numbers; variants share it."""
    parts = [leading, *(leading[: mark.start()] for mark in _MARKS.finditer(leading))] if leading else []
    return tuple(code_number(fold(part)) for part in parts if not part.isdigit())


def _values(attributes: Mapping[str, Any], specs: Iterable[Mapping[str, Any]]) -> Iterable[str]:
    """Each text once, in the order in which they are met."""
    found: dict[str, None] = {}
    for named in (attributes, *specs):
        for value in named.values():
            if isinstance(value, str):
                found[value] = None
            elif isinstance(value, list):
                found.update(dict.fromkeys([each for each in value if isinstance(each, str)]))
    return found


@lru_cache(maxsize=50_000)
def _attribute(value: str) -> tuple[str, "array[int]"]:
    """Few values are on most products, so they are worked out once."""
    folded = fold(value[:LONGEST_ATTRIBUTE])
    return folded, neighbours(folded if len(folded) > 1 else ATTRIBUTE + folded)
