"""The judge: which offers a query should find, by looking at every text of every offer as it was written.

    python -m tests.products.search_quality.judge

It knows nothing of the search it judges. The command writes the judgments into `queries.jsonl`, to be read before they
are committed.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

HERE = Path(__file__).parent
OFFERS, QUERIES = HERE / "offers.ndjson", HERE / "queries.jsonl"
# How good a hit is: the text is its code, its title begins with it, its title has it, another text has it.
CODE, BEGINNING, TITLE, ELSEWHERE = 4, 3, 2, 1

Offer = dict[str, Any]


class Judged(NamedTuple):
    """One query. `wanted` has the grade of each offer it should find, `allowed` the offers that do not count."""

    kind: str
    query: str
    wanted: dict[str, int]
    allowed: frozenset[str]


def lines(path: Path) -> list[dict[str, Any]]:
    """The objects of a file with one on each line."""
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def judged() -> list[Judged]:
    """All queries with their committed judgments."""
    offers = {offer["id"]: offer for offer in lines(OFFERS)}
    return [_judged(line, offers) for line in lines(QUERIES)]


def found_by(finds: list[list[str]], offers: list[Offer]) -> list[str]:
    """Ids of the offers that bear one spelling of every word."""
    return [offer["id"] for offer in offers if _has_all(list(_texts(offer)), finds)]


def _judged(line: dict[str, Any], offers: dict[str, Offer]) -> Judged:
    finds = line.get("finds")
    wanted = {number: _grade(offers[number], finds) if finds else CODE for number in line["ids"]}
    allowed = found_by([line["may"]], list(offers.values())) if "may" in line else []
    return Judged(line["kind"], line["query"], wanted, frozenset(allowed) - set(wanted))


def _grade(offer: Offer, finds: list[list[str]]) -> int:
    title = offer["title"].casefold()
    if len(finds) == 1 and title.startswith(tuple(word.casefold() for word in finds[0])):
        return BEGINNING
    return TITLE if _has_all([offer["title"]], finds) else ELSEWHERE


def _has_all(texts: list[str], finds: list[list[str]]) -> bool:
    folded = [text.casefold() for text in texts]
    return all(any(word.casefold() in text for word in words for text in folded) for words in finds)


def _texts(offer: Offer) -> Iterator[str]:
    """Its title, its supplier and the values of its attributes."""
    yield offer["title"]
    yield offer.get("shop", "")
    for value in offer["attributes"].values():
        yield from value if isinstance(value, list) else [value]


def judge() -> list[dict[str, Any]]:
    """The lines of `queries.jsonl` with what the offers say now."""
    offers = lines(OFFERS)
    return [line | ({"ids": found_by(line["finds"], offers)} if "finds" in line else {}) for line in lines(QUERIES)]


if __name__ == "__main__":
    QUERIES.write_text("".join(json.dumps(line, ensure_ascii=False) + "\n" for line in judge()), encoding="utf-8")
