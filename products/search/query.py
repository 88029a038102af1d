"""What a text asks for, as SQL over `products_searchtext st`: which rows it finds, and how well each fits.

Pairs of characters find the rows in the index, the text itself then says whether they are right. The planner may not
choose the order of things here: it takes a common word for a rare one and the other way round, so what the index finds
is a step of its own (`MATERIALIZED`), read only as far as it is wanted.
"""

import re
from typing import Any, NamedTuple

from products.search.documents import CODE, TITLE, code_number
from products.search.folding import fold, pairs, words
from products.selectors.listing import Query

# How well a row fits, best first.
EXACT_CODE, TITLE_START, IN_TITLE, IN_ATTRIBUTES, ELSEWHERE = 5, 4, 3, 2, 1

_ID = r"([0-9]{6,30})"
# Offer links as people paste them (1688: `/offer/<id>.html`, mobile `.htm`, or `?offerId=<id>`).
_LINK = re.compile(
    rf"(?:https?://)?[\w.-]*\b1688\.com/(?:offer/{_ID}(?!\d)|\S*[?&]offerId={_ID}(?!\d))", re.ASCII | re.IGNORECASE
)
_LATIN = re.compile("[a-z0-9]")

_PAIRED = "(st.numbers @> %s::integer[] AND strpos(st.text, %s) > 0)"
_ANYWHERE = "strpos(st.text, %s) > 0"
_HEADING = f"split_part(st.text, '{TITLE}', 2)"


class Sought(NamedTuple):
    """What a text asks for.

    `found` is a condition on `st`. `first` is one for the few rows that come before all others. `rank` tells how well a
    row that was found fits, as one of the constants of this module. Each with its parameters.
    """

    found: Query
    first: Query
    rank: Query


def sought(text: str) -> Sought:
    """What somebody who types this asks for: every word, as it is folded, wherever it stands in a product's texts."""
    plain = _without_link(text)
    wanted = words(plain)
    phrase = fold(plain)
    return Sought(_all([_finding(word) for word in wanted]), _first(phrase), _rank(phrase, wanted))


def _without_link(text: str) -> str:
    """A pasted offer link is the offer id in it."""
    link = _LINK.match(text)
    return next(filter(None, link.groups())) if link else text


def _all(conditions: list[Query]) -> Query:
    sql = " AND ".join(condition.sql for condition in conditions) or "false"
    return Query(sql, [value for condition in conditions for value in condition.parameters])


def _finding(word: str) -> Query:
    if len(word) == 1:
        return Query(_ANYWHERE, [word])
    found = Query(_PAIRED, [_numbers(word), word])
    if not _LATIN.search(word):
        return found
    return Query(f"({found.sql} OR {_PAIRED})", [*found.parameters, [code_number(word)], CODE + word])


def _first(phrase: str) -> Query:
    start = TITLE + phrase
    return Query(f"({_PAIRED} OR {_PAIRED})", [[code_number(phrase)], f"{CODE}{phrase}{CODE}", _numbers(start), start])


def _rank(phrase: str, wanted: list[str]) -> Query:
    in_title = " AND ".join([f"strpos({_HEADING}, %s) > 0"] * len(wanted)) or "false"
    in_text = " AND ".join([_ANYWHERE] * len(wanted)) or "false"
    sql = f"""
        CASE WHEN strpos(st.text, %s) > 0 THEN {EXACT_CODE} WHEN starts_with(st.text, %s) THEN {TITLE_START}
        WHEN {in_title} THEN {IN_TITLE} WHEN {in_text} THEN {IN_ATTRIBUTES} ELSE {ELSEWHERE} END
    """
    parameters: list[Any] = [f"{CODE}{phrase}{CODE}", TITLE + phrase, *wanted, *wanted]
    return Query(sql, parameters)


def _numbers(text: str) -> list[int]:
    return sorted(pairs(text))
