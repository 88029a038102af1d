"""Which characters stand side by side in titles, and how they are read: what turns pinyin into pairs to look for.

Reading every title in pinyin as well would double the index; the pairs of all titles are few, and soon known.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

from django.db import transaction

from products.search.folding import pair
from products.search.pinyin import Unit, pair_readings, readings, splits
from system.sql import array, copy_rows, fetch_all, fetch_one

# So many numbers a process keeps in mind, which is some 10 MB.
_MOST_KNOWN = 100_000
_FIRST = "SELECT {place} AS place, number FROM products_searchpair WHERE initials = ANY(%s) AND reading LIKE ANY(%s)"
_COLUMNS = {"number": "int4", "reading": "text", "initials": "text"}
_BEGINNING = "SELECT DISTINCT number FROM products_searchpair WHERE number BETWEEN %s AND %s LIMIT 3000"
_KNOWN = "SELECT DISTINCT number FROM products_searchpair WHERE number = ANY(%s::integer[])"

# So many pairs are looked for where one unit meets the next: each costs time at every product that is looked at.
_MOST_PAIRS = 40
# The database knows which numbers most products have.
_MOST_COMMON = """
    SELECT most_common_elems::text::integer[] FROM pg_stats
    WHERE schemaname = current_schema() AND tablename = 'products_searchtext' AND attname = 'numbers'
"""

# What this process has seen committed; nothing is ever taken out of the table.
_known: set[int] = set()


class Reading(NamedTuple):
    """One way to understand a typed word: of each of `pairs` a row must have one; `pattern` says where they stand."""

    pairs: list[list[int]]
    pattern: str


def forget() -> None:
    """Know nothing, as a new process does."""
    _known.clear()


def learn(titles: set[int]) -> None:
    """Remember the pairs of folded titles, by their numbers, as the caller's transaction ends."""
    met = titles - _known
    if not met:
        return
    _store(met.difference(row[0] for row in fetch_all(_KNOWN, [array(met)])))
    transaction.on_commit(lambda: _remember(met))


def _store(numbers: set[int]) -> None:
    rows = (row for number in sorted(numbers) for row in _rows(number))
    if numbers:
        copy_rows("products_searchpair", _COLUMNS, rows)


def _remember(numbers: set[int]) -> None:
    if len(_known) > _MOST_KNOWN:
        _known.clear()
    _known.update(numbers)


def _rows(number: int) -> Iterator[tuple[int, str, str]]:
    """One row at least, also for what nobody reads: pairs are looked for by their characters too."""
    for one, other in pair_readings(*characters(number)) or [("", "")]:
        yield number, f"{one} {other}".strip(), one[:1] + other[:1]


def characters(number: int) -> tuple[str, str]:
    """The two characters of a pair's number (`folding.pair`)."""
    return chr(number >> 16 & 0xFFFF), chr(number & 0xFFFF)


def understood(words: Iterable[str]) -> dict[str, list[Reading]]:
    """The ways to read each of these folded words as pinyin that lead to pairs which titles have."""
    typed = {word: splits(word) for word in words}
    wanted = dict.fromkeys(two for found in typed.values() for units in found for two in pairwise(units))
    if not wanted:
        return {}
    places = dict(zip(wanted, range(len(wanted)), strict=True))
    found: dict[int, set[int]] = {place: set() for place in places.values()}
    sql = " UNION ALL ".join(_FIRST.format(place=place) for place in places.values())
    for place, number in fetch_all(sql, [value for two in places for value in _patterns(*two)]):
        found[place].add(number)
    chains = {
        word: [_chain(units, [found[places[two]] for two in pairwise(units)]) for units in ways]
        for word, ways in typed.items()
    }
    return {word: kept for word, ways in chains.items() if (kept := [way for way in ways if way])}


def beginning_with(character: str) -> list[int]:
    """Pairs of titles that begin with a character of the basic plane: the commonest, if there are many."""
    rows = fetch_all(_BEGINNING, [pair(f"{character}\0"), pair(f"{character}\uffff")])
    (found,) = _commonest([{characters(row[0]) for row in rows}])
    return sorted(pair(first + second) for first, second in found)


def learn_anew() -> None:
    """Read all known pairs again, after the tables of readings have changed; they stay known to everybody meanwhile."""
    numbers = [row[0] for row in fetch_all("DELETE FROM products_searchpair RETURNING number")]
    _store(set(numbers))


def _patterns(one: Unit, other: Unit) -> tuple[list[str], list[str]]:
    """The initials of two units and what their readings look like."""
    both = [(first, second) for first in _typed(one) for second in _typed(other)]
    initials = {first[0] + second[0] for first, second in both}
    return sorted(initials), [f"{first} {second}" for first, second in both]


def _typed(unit: Unit) -> Sequence[str]:
    if unit.text.isascii():
        return [unit.text if unit.whole else f"{unit.text}%"]
    return readings(unit.text)


def _chain(units: Sequence[Unit], found: Sequence[set[int]]) -> Reading | None:
    """Only pairs that are part of a whole chain: each begins with a character that one before it ends with."""
    steps = [{characters(number) for number in numbers} for numbers in found]
    steps = [{two for two in step if _stands_for(units[place : place + 2], two)} for place, step in enumerate(steps)]
    steps = _linked(_commonest(_linked(steps)))
    if not all(steps):
        return None
    classes = [{first for first, _ in steps[0]}, *({second for _, second in step} for step in steps)]
    pattern = "".join(f"[{''.join(sorted(found))}]" for found in classes)
    return Reading([sorted(pair(first + second) for first, second in step) for step in steps], pattern)


def _linked(steps: Sequence[set[tuple[str, str]]]) -> list[set[tuple[str, str]]]:
    linked = list(steps)
    for place in range(1, len(linked)):
        ends = {second for _, second in linked[place - 1]}
        linked[place] = {two for two in linked[place] if two[0] in ends}
    for place in range(len(linked) - 2, -1, -1):
        starts = {first for first, _ in linked[place + 1]}
        linked[place] = {two for two in linked[place] if two[1] in starts}
    return linked


def _commonest(steps: Sequence[set[tuple[str, str]]]) -> list[set[tuple[str, str]]]:
    """The pairs that most products have; where the database does not know, any."""
    if all(len(step) <= _MOST_PAIRS for step in steps):
        return list(steps)
    row = fetch_one(_MOST_COMMON)
    places = {number: place for place, number in enumerate((row and row[0]) or ())}
    last = len(places)

    def rareness(two: tuple[str, str]) -> int:
        return places.get(pair("".join(two)), last)

    return [set(sorted(step, key=rareness)[:_MOST_PAIRS]) for step in steps]


def _stands_for(units: Sequence[Unit], two: tuple[str, str]) -> bool:
    """Characters that were typed themselves must be these."""
    return all(unit.text.isascii() or unit.text == character for unit, character in zip(units, two, strict=True))
