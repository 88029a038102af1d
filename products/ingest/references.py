"""What products refer to: the ids of their shops and categories, made where they are missing.

Every writer takes locks in one order: categories from the root down, then shops, then products, each by key.
"""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Any

from products.ingest import stamps
from products.ingest.rows import to_json
from products.models import FIRST_OWN_CATEGORY_ID
from products.records import CategoryRef, ShopRecord
from products.search.upkeep import refresh_shops
from system.sql import array, execute, fetch_all

PATH_SEPARATOR = " / "

_KNOWN_SHOPS = """
    SELECT source_id, id, name, url, location FROM products_shop WHERE source = %s AND source_id = ANY(%s::text[])
"""
_UPSERT_SHOPS = """
    INSERT INTO products_shop AS s (source, source_id, name, url, location, created_at, updated_at)
    SELECT %s, i.source_id, i.name, i.url, i.location, %s, %s
    FROM json_populate_recordset(NULL::products_shop, %s::json) AS i ORDER BY i.source_id
    ON CONFLICT (source, source_id) DO UPDATE
    SET name = excluded.name, url = excluded.url, location = excluded.location, updated_at = excluded.updated_at
    WHERE (s.name, s.url, s.location) IS DISTINCT FROM (excluded.name, excluded.url, excluded.location)
    RETURNING source_id, id, xmax <> 0
"""
_KNOWN_CATEGORIES = "SELECT id FROM products_category WHERE id = ANY(%s::bigint[])"
_STUB_CATEGORIES = """
    INSERT INTO products_category (id, name, path, ancestors, level, is_leaf, created_at, updated_at)
    SELECT i.id, i.name, i.path, ARRAY[i.id], i.level, true, %s, %s
    FROM json_populate_recordset(NULL::products_category, %s::json) AS i ORDER BY i.id
    ON CONFLICT (id) DO NOTHING
"""
_OWN_CATEGORIES = "SELECT path, id FROM products_category WHERE path = ANY(%s) AND id >= %s"
_INSERT_OWN_CATEGORIES = """
    WITH numbered AS (
        SELECT nextval('products_category_own_id') AS id, i.name, i.path, i.parent_id, i.level
        FROM json_populate_recordset(NULL::products_category, %s::json) AS i ORDER BY i.path
    )
    INSERT INTO products_category (id, parent_id, name, path, ancestors, level, is_leaf, created_at, updated_at)
    SELECT n.id, n.parent_id, n.name, n.path, coalesce(p.ancestors, '{}') || n.id, n.level, true, %s, %s
    FROM numbered n LEFT JOIN products_category p ON p.id = n.parent_id ORDER BY n.path
    ON CONFLICT (path) WHERE id >= 1000000000000 DO NOTHING
"""
_UNLEAF = """
    UPDATE products_category SET is_leaf = false, updated_at = %s
    WHERE id IN (SELECT id FROM products_category WHERE id = ANY(%s) AND is_leaf ORDER BY id FOR UPDATE)
"""


def resolve_shops(source: str, shops: Iterable[ShopRecord], now: datetime) -> dict[str, int]:
    """Ids of the shops by their id at the source; new and changed ones are written, the others not touched."""
    wanted = {shop.source_id: shop for shop in shops}
    if not wanted:
        return {}
    known = _known_shops(source, wanted)
    ids = {source_id: row[0] for source_id, row in known.items()}
    changed = [s for s in wanted.values() if known.get(s.source_id, ())[1:] != (s.name, s.url, s.location)]
    return ids | _store_shops(source, changed, now) if changed else ids


def _store_shops(source: str, shops: Sequence[ShopRecord], now: datetime) -> dict[str, int]:
    """Write shops and what search keeps of them; returns their ids."""
    written = fetch_all(_UPSERT_SHOPS, [source, now, now, to_json(shops)])
    # A row that was there before has been locked by this transaction; PostgreSQL notes that in xmax.
    if any(was_there for *_, was_there in written):
        stamps.names_changed()
    ids = {source_id: id_ for source_id, id_, _ in written}
    names = {shop.source_id: shop.name for shop in shops}
    # Those that another writer has just stored like this are not among the written.
    ids |= {key: row[0] for key, row in _known_shops(source, names.keys() - ids.keys()).items()}
    refresh_shops({ids[source_id]: name for source_id, name in names.items()})
    return ids


def _known_shops(source: str, source_ids: Collection[str]) -> dict[str, tuple[Any, ...]]:
    """Id, name, link and location by id at the source."""
    return {row[0]: row[1:] for row in fetch_all(_KNOWN_SHOPS, [source, array(source_ids)])} if source_ids else {}


def resolve_categories(references: Iterable[CategoryRef], now: datetime) -> dict[CategoryRef, int]:
    """Ids of the categories meant: the platform's number as it is, or the own category of that path of names.

    Unknown ones are made: a number as a stub that the category tree completes later, a path with all its ancestors.
    """
    wanted = set(references)
    numbered = {ref: ref.id for ref in wanted if ref.id is not None}
    _make_stubs(numbered, now)
    paths = {ref: ref.names for ref in wanted if ref.id is None and ref.names}
    ids = _own_categories(set(paths.values()), now)
    return numbered | {ref: ids[names] for ref, names in paths.items()}


def _make_stubs(numbered: dict[CategoryRef, int], now: datetime) -> None:
    if not numbered:
        return
    known = {row[0] for row in fetch_all(_KNOWN_CATEGORIES, [array(numbered.values())])}
    stubs = {
        number: {
            "id": number,
            "name": ref.names[-1] if ref.names else str(number),
            "path": PATH_SEPARATOR.join(ref.names) or str(number),
            "level": len(ref.names) or 1,
        }
        for ref, number in numbered.items()
        if number not in known
    }
    if stubs:
        execute(_STUB_CATEGORIES, [now, now, to_json(list(stubs.values()))])


def _own_categories(paths: set[tuple[str, ...]], now: datetime) -> dict[tuple[str, ...], int]:
    """Own categories by path of names, level by level so that parents have ids before their children."""
    wanted = {names[:depth] for names in paths for depth in range(1, len(names) + 1)}
    ids = _known_own(wanted)
    missing = wanted - ids.keys()
    for level in sorted({len(names) for names in missing}):
        level_names = [names for names in missing if len(names) == level]
        rows = [
            {"name": n[-1], "path": PATH_SEPARATOR.join(n), "parent_id": ids.get(n[:-1]), "level": level}
            for n in level_names
        ]
        execute(_INSERT_OWN_CATEGORIES, [to_json(rows), now, now])
        ids |= _known_own(level_names)
    parents = sorted({ids[names[:-1]] for names in missing if len(names) > 1})
    if parents:
        execute(_UNLEAF, [now, parents])
    return ids


def _known_own(paths: Iterable[tuple[str, ...]]) -> dict[tuple[str, ...], int]:
    joined = {names: PATH_SEPARATOR.join(names) for names in paths}
    if not joined:
        return {}
    stored = dict(fetch_all(_OWN_CATEGORIES, [[*joined.values()], FIRST_OWN_CATEGORY_ID]))
    return {names: stored[path] for names, path in joined.items() if path in stored}
