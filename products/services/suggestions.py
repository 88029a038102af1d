"""Keeps what searches can be completed to: phrases of titles, categories and shops, learned anew on a schedule."""

import logging
import time
from array import array
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from django.db import transaction
from pypinyin import lazy_pinyin

from products.models import Suggestion
from products.search.folding import fold, pairs
from products.search.phrases import phrases
from system import wire
from system.sql import copy_rows, execute, fetch_all, fetch_one

logger = logging.getLogger(__name__)

# Phrases are learned from the titles that sell best and from the newest: reading a million takes minutes.
BEST_TITLES = NEWEST_TITLES = 10_000
MOST_PHRASES, MOST_SHOPS, MOST_CATEGORIES = 20_000, 50_000, 20_000
# A phrase stands in at least so many titles, and in more of a large sample.
LEAST_TITLES, TITLES_A_PHRASE = 2, 2_500
LONGEST_TEXT = 200
# Learning may take one part in so many of a processor's time, and begins once a minute at most.
REST_PARTS, LEAST_REST_SECONDS = 100, 60

_TYPES = {
    **{"kind": "text", "reference": "int8", "text": "text", "detail": "text"},
    **{"folded": "text", "spelled": "text", "initials": "text", "pairs": wire.INTEGERS, "weight": "int4"},
}
_COLUMNS = tuple(_TYPES)
_TITLES = """
    SELECT title FROM products_product WHERE id IN (
        (SELECT id FROM products_product WHERE deleted_at IS NULL ORDER BY sold_count DESC, id DESC LIMIT %s)
        UNION
        (SELECT id FROM products_product WHERE deleted_at IS NULL ORDER BY id DESC LIMIT %s)
    )
"""
_COUNTED = """
    SELECT t.id, t.name, {detail}, n.count FROM (
        SELECT {column} AS id, count(*) FROM products_product
        WHERE {column} IS NOT NULL AND deleted_at IS NULL GROUP BY {column} ORDER BY count DESC LIMIT %s
    ) AS n JOIN {table} t ON t.id = n.id WHERE t.name <> ''
"""
_CATEGORIES = _COUNTED.format(column="category_id", table="products_category", detail="t.path")
_SHOPS = _COUNTED.format(column="shop_id", table="products_shop", detail="t.location")

_NEW = "products_new_suggestion"
_CREATE = f"""
    DROP TABLE IF EXISTS pg_temp.{_NEW};
    CREATE TEMPORARY TABLE {_NEW} ON COMMIT DROP AS
    SELECT {", ".join(_COLUMNS)} FROM products_suggestion WITH NO DATA
"""  # noqa: S608 - constants only, here and below
_SAME = "n.kind = s.kind AND n.reference = s.reference AND n.text = s.text"
_REMOVE = f"DELETE FROM products_suggestion s WHERE NOT EXISTS (SELECT FROM {_NEW} n WHERE {_SAME})"  # noqa: S608
_STORE = f"""
    INSERT INTO products_suggestion AS s ({", ".join(_COLUMNS)}) SELECT {", ".join(_COLUMNS)} FROM {_NEW}
    ON CONFLICT (kind, reference, text) DO UPDATE
    SET ({", ".join(_COLUMNS[3:])}) = ({", ".join(f"excluded.{name}" for name in _COLUMNS[3:])})
    WHERE ({", ".join(f"s.{name}" for name in _COLUMNS[3:])})
        IS DISTINCT FROM ({", ".join(f"excluded.{name}" for name in _COLUMNS[3:])})
"""  # noqa: S608
_DUE = """
    SELECT EXISTS (SELECT FROM products_productchange) AND NOT EXISTS (
        SELECT FROM products_suggestionrefresh WHERE change_id = (SELECT max(id) FROM products_productchange)
            OR at > statement_timestamp() - make_interval(secs => greatest(%s, seconds * %s))
    )
"""
_DONE = """
    INSERT INTO products_suggestionrefresh (id, change_id, seconds, at)
    VALUES (1, %s, %s, clock_timestamp())
    ON CONFLICT (id) DO UPDATE SET (change_id, seconds, at) = (excluded.change_id, excluded.seconds, excluded.at)
"""
_TAKE_TURN = "SELECT pg_try_advisory_xact_lock(hashtext('products.suggestions'))"


class _Entry(NamedTuple):
    kind: str
    reference: int
    text: str
    detail: str
    weight: int


def refresh_if_due() -> bool:
    """Learn the suggestions anew if products have changed, and not too often; returns whether that was done."""
    due = fetch_one(_DUE, [LEAST_REST_SECONDS, REST_PARTS])
    return bool(due and due[0]) and refresh_suggestions() >= 0


@transaction.atomic
def refresh_suggestions() -> int:
    """Learn all suggestions anew and store what differs; returns how many there are.

    While another process does the same, -1 at once.
    """
    begun, turn = time.monotonic(), fetch_one(_TAKE_TURN)
    if not (turn and turn[0]):
        return -1
    newest = fetch_one("SELECT coalesce(max(id), 0) FROM products_productchange") or (0,)
    entries = {(entry.kind, entry.reference, entry.text): entry for entry in _learned()}
    execute(_CREATE)
    copy_rows(_NEW, _TYPES, map(_cells, entries.values()))
    removed, stored = execute(_REMOVE), execute(_STORE)
    execute(_DONE, [newest[0], time.monotonic() - begun])
    logger.info("Suggestions: %d, of which %d new or changed, %d removed", len(entries), stored, removed)
    return len(entries)


def _learned() -> Iterator[_Entry]:
    yield from _phrases()
    for kind, sql, most in (
        (Suggestion.Kind.CATEGORY, _CATEGORIES, MOST_CATEGORIES),
        (Suggestion.Kind.SHOP, _SHOPS, MOST_SHOPS),
    ):
        for reference, name, detail, weight in fetch_all(sql, [most]):
            yield _Entry(kind.value, reference, name[:LONGEST_TEXT], detail, weight)


def _phrases() -> Iterator[_Entry]:
    titles = [row[0] for row in fetch_all(_TITLES, [BEST_TITLES, NEWEST_TITLES])]
    least = max(LEAST_TITLES, len(titles) // TITLES_A_PHRASE)
    spellings = _commonest(phrases(titles, least).items())
    for text, count in sorted(spellings, key=lambda found: (-found[1], found[0]))[:MOST_PHRASES]:
        yield _Entry(Suggestion.Kind.PHRASE.value, 0, text[:LONGEST_TEXT], "", count)


def _commonest(found: Iterable[tuple[str, int]]) -> Iterable[tuple[str, int]]:
    """One spelling of each phrase, counted with the others."""
    counts, spellings = dict[str, int](), dict[str, tuple[int, str]]()
    for text, count in found:
        folded = fold(text)
        counts[folded] = counts.get(folded, 0) + count
        spellings[folded] = max(spellings.get(folded, (0, "")), (count, text))
    return [(spellings[folded][1], count) for folded, count in counts.items()]


def _cells(entry: _Entry) -> tuple[object, ...]:
    folded = fold(entry.text)
    syllables = lazy_pinyin(folded)
    spelled, initials = "".join(syllables), "".join(syllable[:1] for syllable in syllables)
    heard = (spelled, initials) if spelled != folded else ("", "")
    return (*entry[:4], folded, *heard, wire.integers(array("i", pairs(folded))), entry.weight)
