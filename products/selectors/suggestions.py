"""What somebody who types may want to search for: phrases of titles, categories, shops and codes.

All but codes comes from a table of its own that a schedule keeps (`products.services.suggestions`), by its indexes.
"""

import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

from products.search.folding import fold, pairs
from products.selectors.listing import skus_of
from system.sql import rows

KINDS = ("phrase", "category", "shop", "code")
MOST = 10
# So many of a kind at most, so that none crowds out the others; phrases take what is left.
_SHARES = {"category": 3, "shop": 3, "code": 3}
# So many are compared of those that begin alike, or have it in the middle.
_LOOKED_AT = 50

_LATIN = re.compile(r"[a-z]+")
_CODE = re.compile(r"[\w./-]*[0-9][\w./-]*")
_CODE_LENGTH = 3
# No character comes behind it.
_LAST = "\U0010ffff"

_SHOWN = "s.kind, s.text, s.detail, nullif(s.reference, 0) AS id, s.folded, s.weight AS count"
_BEGINNING = f"""
    (SELECT {_SHOWN}, {{rank}} AS rank FROM products_suggestion s
     WHERE s.{{column}} >= %s AND s.{{column}} < %s {{known}} ORDER BY s.weight DESC, s.id LIMIT {_LOOKED_AT})
"""  # noqa: S608 - constants only, here and below
_INSIDE = f"""
    (SELECT {_SHOWN}, 1 AS rank FROM products_suggestion s
     WHERE s.pairs @> %s::integer[] AND strpos(s.folded, %s) > 1 ORDER BY s.weight DESC, s.id LIMIT {_LOOKED_AT})
"""  # noqa: S608
_CODES = """
    (SELECT 'code' AS kind, p.sku AS text, p.title AS detail, p.id, p.sku AS folded, 1 AS count, 4 AS rank
     FROM products_product p
     WHERE p.sku >= %s AND p.sku < %s AND starts_with(p.sku, %s) AND p.deleted_at IS NULL ORDER BY p.sku LIMIT 3)
"""


def suggestions(text: str, limit: int = MOST) -> list[dict[str, Any]]:
    """What the text can be completed to, the best first: {kind, text, detail, id, count}.

    What begins with the text comes before what has it in the middle, and what sounds like it after what is written
    so; the commonest first.

    Args:
        text: what was typed so far: characters, pinyin, initials, or the beginning of a SKU or offer id.
        limit: MOST at most.
    """
    parts = list(_parts(text))
    if not parts:
        return []
    union = " UNION ALL ".join(sql for sql, _ in parts)
    sql = f"SELECT * FROM ({union}) AS found ORDER BY rank DESC, count DESC, text"  # noqa: S608
    found = rows(sql, [each for _, given in parts for each in given])
    return [_shown(row) for row in _chosen(found, fold(text), limit)]


def _parts(text: str) -> Iterator[tuple[str, list[Any]]]:
    folded = fold(text)
    if not folded:
        return
    yield _beginning("folded", 3, folded)
    if _LATIN.fullmatch(folded):
        yield _beginning("spelled", 2, folded)
        yield _beginning("initials", 2, folded)
    if len(folded) > 1:
        yield _INSIDE, [sorted(pairs(folded)), folded]
    if len(folded) >= _CODE_LENGTH and _CODE.fullmatch(text.strip()):
        yield from ((_CODES, [sku, sku + _LAST, sku]) for sku in skus_of([text.strip()]))


def _beginning(column: str, rank: int, start: str) -> tuple[str, list[Any]]:
    known = "" if column == "folded" else f"AND s.{column} <> ''"
    return _BEGINNING.format(column=column, rank=rank, known=known), [start, start + _LAST]


def _chosen(found: list[dict[str, Any]], typed: str, limit: int) -> list[dict[str, Any]]:
    """The first of each text, while there is room for its kind; what was typed is no completion of itself."""
    chosen, seen, taken = list[dict[str, Any]](), set[str](), Counter[str]()
    for row in found:
        if row["kind"] == "phrase" and row["folded"] == typed:
            continue
        if row["folded"] not in seen and taken[row["kind"]] < _SHARES.get(row["kind"], MOST):
            chosen.append(row)
            seen.add(row["folded"])
            taken[row["kind"]] += 1
    return chosen[:limit]


def _shown(row: dict[str, Any]) -> dict[str, Any]:
    return {name: row[name] for name in ("kind", "text", "detail", "id", "count")}
