"""The platform's own category tree: stored as told, with paths and ancestors kept ready for reading."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from products.ingest import stamps
from products.ingest.references import PATH_SEPARATOR
from products.ingest.rows import to_json
from products.models import FIRST_OWN_CATEGORY_ID
from products.records import CategoryRecord
from system.sql import execute, fetch_all

_COLUMNS = ("id", "parent_id", "name", "path", "ancestors", "level", "is_leaf")
_STORED = "SELECT id, parent_id, name, path, ancestors, level, is_leaf FROM products_category WHERE id < %s"
_UPSERT = """
    INSERT INTO products_category (id, parent_id, name, path, ancestors, level, is_leaf, created_at, updated_at)
    SELECT i.id, i.parent_id, i.name, i.path, i.ancestors, i.level, i.is_leaf, %s, %s
    FROM json_populate_recordset(NULL::products_category, %s::json) AS i ORDER BY i.id
    ON CONFLICT (id) DO UPDATE SET parent_id = excluded.parent_id, name = excluded.name, path = excluded.path,
        ancestors = excluded.ancestors, level = excluded.level, is_leaf = excluded.is_leaf,
        updated_at = excluded.updated_at
"""

# The values of _COLUMNS.
_Row = tuple[Any, ...]


def write_tree(records: Iterable[CategoryRecord], now: datetime) -> int:
    """Store these categories and whatever their paths change below them; returns the number of rows written."""
    stored: dict[int, _Row] = {row[0]: row for row in fetch_all(_STORED, [FIRST_OWN_CATEGORY_ID])}
    nodes = {
        row[0]: CategoryRecord(id=row[0], parent_id=row[1], name=row[2], is_leaf=row[6]) for row in stored.values()
    }
    nodes |= {record.id: record for record in records}
    lines: dict[int, list[CategoryRecord]] = {}
    rows = [_row(node, _line(node, nodes, lines)) for node in nodes.values()]
    changed = [row for row in rows if stored.get(row[0]) != row]
    if changed:
        execute(_UPSERT, [now, now, to_json([dict(zip(_COLUMNS, row, strict=True)) for row in changed])])
        stamps.names_changed()
    return len(changed)


def _line(
    node: CategoryRecord, nodes: dict[int, CategoryRecord], lines: dict[int, list[CategoryRecord]]
) -> list[CategoryRecord]:
    """The categories from the root down to this one. An unknown parent or a loop ends the line upwards."""
    climb: list[CategoryRecord] = []
    seen: set[int] = set()
    current: CategoryRecord | None = node
    while current is not None and current.id not in lines and current.id not in seen:
        seen.add(current.id)
        climb.append(current)
        current = nodes.get(current.parent_id) if current.parent_id is not None else None
    line = [] if current is None or current.id in seen else lines[current.id]
    for step in reversed(climb):
        line = [*line, step]
        lines[step.id] = line
    return line


def _row(node: CategoryRecord, line: list[CategoryRecord]) -> _Row:
    path = PATH_SEPARATOR.join(step.name for step in line)
    return node.id, node.parent_id, node.name, path, [step.id for step in line], len(line), node.is_leaf
