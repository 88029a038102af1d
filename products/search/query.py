"""What a text asks for, as SQL over `products_searchtext st`: which rows it finds, and how well each fits.

Pairs of characters find the rows in the index, the text itself then says whether they are right. The planner may not
choose the order of things here: it takes a common word for a rare one and the other way round, so what the index finds
is a step of its own (`MATERIALIZED`), read only as far as it is wanted.
"""

import re
from collections.abc import Iterable
from itertools import pairwise
from typing import NamedTuple

from products.search.documents import ATTRIBUTE, CODE, TITLE, code_number
from products.search.folding import fold, pair, pairs, scripts, words
from products.search.vocabulary import Reading, beginning_with, understood
from products.selectors.listing import Query
from system.sql import fetch_one

# How well a row fits, best first. What is only read so comes after all that is written so.
EXACT_CODE, TITLE_START, IN_TITLE, IN_ATTRIBUTES, BY_SUPPLIER, READ_AT_START, READ_IN_TITLE, READ_ELSEWHERE = range(
    8, 0, -1
)
# Products of so many suppliers whose names have a word are found by it.
MOST_SHOPS = 1_000

_ID = r"([0-9]{6,30})"
# Offer links as people paste them (1688: `/offer/<id>.html`, mobile `.htm`, or `?offerId=<id>`).
_LINK = re.compile(
    rf"(?:https?://)?[\w.-]*\b1688\.com/(?:offer/{_ID}(?!\d)|\S*[?&]offerId={_ID}(?!\d))", re.ASCII | re.IGNORECASE
)
_LATIN = re.compile("[a-z0-9]")

_LETTERS = re.compile("[a-z]+")

_PAIRED = "st.numbers @> %s::integer[] AND strpos(st.text, %s) > 0"
_ANYWHERE = "strpos(st.text, %s) > 0"
_HEADING = f"split_part(st.text, '{TITLE}', 2)"
_SUPPLIED = f"""st.shop_id = ANY(ARRAY(
    SELECT sh.shop_id FROM products_searchshop sh
    WHERE sh.numbers @> %s::integer[] AND strpos(sh.text, %s) > 0 LIMIT {MOST_SHOPS}
))"""  # noqa: S608 - constants and numbers only; every value is a parameter, here and below


class Sought(NamedTuple):
    """What a text asks for.

    `found` is a condition on `st`. `first` is one for the few rows that come before all others. `rank` tells how well a
    row that was found fits, as one of the constants of this module. Each with its parameters.
    """

    found: Query
    first: Query
    rank: Query


def sought(text: str) -> Sought:
    """What somebody who types this asks for: every word, as it is folded, wherever it stands in a product's texts.

    Latin letters are pinyin as well; one query looks up which pairs of characters they can stand for. A brand and a
    thing that are written as one word, which no text has, may stand apart.
    """
    plain = _without_link(text)
    wanted, phrase = words(plain), fold(plain)
    spoken = phrase if len(wanted) > 1 and all(map(_LETTERS.fullmatch, wanted)) else ""
    readings = understood(dict.fromkeys([*wanted, spoken]))
    parted = _unknown(word for word in wanted if scripts(word))
    found = _found([_ways(word, readings.get(word, []), parted=word in parted) for word in wanted])
    if wanted and all(len(word) == 1 for word in wanted):
        found = _all([found, _beginning(wanted[0])])
    if spoken in readings:
        found = _any([found, *map(_read, readings[spoken])])
    patterns = [reading.pattern for ways in readings.values() for reading in ways]
    return Sought(found, _first(phrase), _rank(phrase, wanted, patterns))


def _without_link(text: str) -> str:
    """A pasted offer link is the offer id in it, whatever stands around it."""
    link = _LINK.search(text)
    return next(filter(None, link.groups())) if link else text


def _all(conditions: list[Query]) -> Query:
    return _joined(" AND ", conditions)


def _any(conditions: list[Query]) -> Query:
    return _joined(" OR ", conditions)


def _joined(operator: str, conditions: list[Query]) -> Query:
    sql = operator.join(f"({condition.sql})" for condition in conditions) or "false"
    return Query(sql, [value for condition in conditions for value in condition.parameters])


def _beginning(character: str) -> Query:
    """Titles with a character, and products that have it as an attribute: nothing else is looked up by one alone."""
    numbers = [*beginning_with(character), *_numbers(ATTRIBUTE + character)]
    return Query("st.numbers && %s::integer[]", [numbers])


def _unknown(words: Iterable[str]) -> list[str]:
    """Those of several scripts that no text has as they are: looked up by where the scripts meet."""
    has = f"EXISTS (SELECT FROM products_searchtext st WHERE {_PAIRED})"
    asked = list(words)
    if not asked:
        return []
    meetings = [[pair(one[-1] + other[0]) for one, other in pairwise(scripts(word))] for word in asked]
    values = [value for asked_for in zip(meetings, asked, strict=True) for value in asked_for]
    row = fetch_one(f"SELECT {', '.join([has] * len(asked))}", values)
    return [word for word, known in zip(asked, row or (), strict=True) if not known]


def _ways(word: str, readings: list[Reading], *, parted: bool) -> list[Query]:
    """How a product can have a word: first by its texts, then by its supplier, as a code, in parts, as it is read."""
    numbers = _numbers(word)
    if not numbers:
        return [Query(_ANYWHERE, [word])]
    ways = [Query(_PAIRED, [numbers, word]), Query(_SUPPLIED, [numbers, word])]
    if _LATIN.search(word):
        ways.append(Query(_PAIRED, [[code_number(word)], CODE + word]))
    if parted:
        ways.append(_all([Query(_PAIRED, [_numbers(part), part]) for part in scripts(word)]))
    return [*ways, *map(_read, readings)]


def _found(words: list[list[Query]]) -> Query:
    """Products that have every word in one of its ways.

    Of several words those that have all of them in their texts are asked for at once: the index then intersects what it
    has, where the planner would look at all products that have one of them.
    """
    every = _all(list(map(_any, words)))
    others = [way for ways in words for way in ways[1:]]
    if len(words) == 1 or not others:
        return every
    return _any([_all([ways[0] for ways in words]), _all([_any(others), every])])


def _read(reading: Reading) -> Query:
    pairs = " AND ".join(["st.numbers && %s::integer[]"] * len(reading.pairs))
    return Query(f"{pairs} AND st.text ~ %s", [*reading.pairs, reading.pattern])


def _first(phrase: str) -> Query:
    code, start = f"{CODE}{phrase}{CODE}", TITLE + phrase
    return _any([Query(_PAIRED, [[code_number(phrase)], code]), Query(_PAIRED, [_numbers(start), start])])


def _rank(phrase: str, wanted: list[str], patterns: list[str]) -> Query:
    code = Query("strpos(st.text, %s) > 0", [f"{CODE}{phrase}{CODE}"]) if _LATIN.search(phrase) else Query("false", [])
    # The title is what stands before the first mark of codes; a word is in it if it is found before that.
    in_title = [f"strpos(st.text, %s) BETWEEN 1 AND strpos(st.text, '{TITLE}{CODE}')"] * len(wanted)
    in_text = [_ANYWHERE] * len(wanted)
    read = _read_rank(patterns) if patterns else Query("", [])
    sql = f"""
        CASE WHEN {code.sql} THEN {EXACT_CODE} WHEN starts_with(st.text, %s) THEN {TITLE_START}
        WHEN {" AND ".join(in_title) or "false"} THEN {IN_TITLE}
        WHEN {" AND ".join(in_text) or "false"} THEN {IN_ATTRIBUTES} {read.sql} ELSE {BY_SUPPLIER} END
    """
    return Query(sql, [*code.parameters, TITLE + phrase, *wanted, *wanted, *read.parameters])


def _read_rank(patterns: list[str]) -> Query:
    read = "|".join(patterns)
    sql = f"""
        WHEN st.text ~ %s THEN {READ_AT_START} WHEN {_HEADING} ~ %s THEN {READ_IN_TITLE}
        WHEN st.text ~ %s THEN {READ_ELSEWHERE}
    """
    return Query(sql, [f"^{TITLE}(?:{read})", read, read])


def _numbers(text: str) -> list[int]:
    return sorted(pairs(text))
