"""Fields that belong to an operator: what a sync may write to them, and how far their source disagrees.

The policy of a source and field says who wins: the operator, the source, or the operator until the source says
something else than at the edit. A product keeps beside its own values what the source said last of each owned field
(`source_values`), and the names of those where that is something else (`conflicts`).
"""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

from products.ingest.rows import SKU_COLUMNS, SYNCED_COLUMNS, Cells, plain, to_json
from system.sql import execute

OPERATOR, SOURCE, UNTIL_CHANGED = POLICIES = ("operator", "source", "until_changed")
# The policy of all fields that have none of their own.
EVERYTHING = "*"
SKUS = "skus"
# An operator who sets one of a synced product's prices answers for all of them, or they would contradict each other.
PRICES = frozenset({"price", "price_tiers", "price_min", "price_max"})
# What can belong to an operator, and what a policy can be of: the price speaks for all prices.
OWNABLE = (*(name for name in SYNCED_COLUMNS if name != "source_updated_at"), SKUS)
POLICY_FIELDS = tuple(name for name in OWNABLE if name not in PRICES - {"price"})

Policies = Mapping[str, str]
PolicyLookup = Callable[[str], Policies]

_WRITE = """
    UPDATE products_product AS p SET owned_fields = i.owned_fields, source_values = i.source_values,
        conflicts = i.conflicts, conflicts_at = {since}
    FROM json_populate_recordset(NULL::products_product, %s::json) AS i WHERE p.id = i.id
"""
_REREAD = """
    UPDATE products_product SET fingerprint = '' WHERE source = %s AND owned_fields <> '{}' AND fingerprint <> ''
"""
# Since when a product and its source disagree as they do now.
CONFLICTS_SINCE = """
    CASE WHEN i.conflicts IS NULL THEN NULL
        WHEN (p.conflicts, p.source_values) IS DISTINCT FROM (i.conflicts, i.source_values) THEN %s::timestamptz
        ELSE p.conflicts_at END
"""
_lookups: list[PolicyLookup] = []


class Ownership(NamedTuple):
    """The owned fields of a product, what its source says of them, and where that differs; None = nowhere."""

    fields: list[str]
    values: dict[str, Any] | None
    conflicts: list[str] | None


NOBODYS = Ownership([], None, None)


def register_policies(lookup: PolicyLookup) -> None:
    """Say who knows the policies of a source, by its name; it is asked once a batch, and only if a field is owned."""
    _lookups[:] = [lookup]


def policies_of(source: str) -> Policies:
    """The policies of a source by field; empty: the operator wins everywhere."""
    return _lookups[0](source) if _lookups else {}


def column_of(name: str) -> str:
    """The column an owned field means; older rows name references without `_id`."""
    return f"{name}_id" if name in ("category", "shop") else name


def told(value: Any) -> Any:
    """A value as JSON tells it, with exact numbers: stored and incoming ones compare as what they say."""
    return json.loads(to_json(plain(value)), parse_float=Decimal)


def told_skus(skus: Mapping[str, Cells]) -> dict[str, Any]:
    """The SKUs of a source by key, complete enough to be put back."""
    return {key: told(dict(zip(SKU_COLUMNS, cells, strict=True))) for key, cells in skus.items()}


def sku_cells_of(said: Mapping[str, Mapping[str, Any]]) -> dict[str, Cells]:
    """The reverse of `told_skus`."""
    return {key: tuple(_cell(name, facts[name]) for name in SKU_COLUMNS) for key, facts in said.items()}


def cell_of(name: str, value: Any) -> Any:
    """What a column holds when its source says this value."""
    return _cell(name, value)


def _cell(name: str, value: Any) -> Any:
    if name in ("price", "price_min", "price_max"):
        return None if value is None else Decimal(str(value))
    if name == "price_tiers":
        return [{"start_quantity": tier["start_quantity"], "price": float(tier["price"])} for tier in value]
    return value


def settle(
    owned: Sequence[str],
    values: Mapping[str, Any],
    *,
    said: Callable[[str], Any],
    current: Callable[[str], Any],
    policies: Policies,
) -> Ownership:
    """What becomes of owned fields when their source says something.

    Args:
        owned: names as the row has them.
        values: what the source said before, by column.
        said: what it says now of a column, as `told`.
        current: what the product says, likewise.
    """
    now = {column: said(column) for column in map(column_of, owned)}
    over = {column for column in now if _is_over(column, values, now, policies)}
    if over & PRICES:
        over |= PRICES
    kept = [name for name in owned if column_of(name) not in over]
    return judged(kept, {column_of(name): now[column_of(name)] for name in kept}, current)


def judged(owned: Sequence[str], values: Mapping[str, Any], current: Callable[[str], Any]) -> Ownership:
    """The ownership of these fields: which of them are in conflict with what their source says."""
    known = {column: values[column] for column in map(column_of, owned) if column in values}
    conflicts = sorted(column for column, value in known.items() if _differ(column, told(value), current(column)))
    return Ownership(list(owned), known or None, conflicts or None)


def _is_over(column: str, before: Mapping[str, Any], now: Mapping[str, Any], policies: Policies) -> bool:
    policy = policies.get("price" if column in PRICES else column) or policies.get(EVERYTHING, OPERATOR)
    if policy == UNTIL_CHANGED:
        return column in before and _differ(column, told(before[column]), now[column])
    return policy == SOURCE


def _differ(column: str, one: Any, other: Any) -> bool:
    return _unplaced(one) != _unplaced(other) if column == SKUS else bool(one != other)


def _unplaced(skus: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    """SKUs without their places, which move whenever a neighbour goes."""
    return {key: {name: fact for name, fact in facts.items() if name != "position"} for key, facts in skus.items()}


def reread_owned(source: str) -> int:
    """Have the next sync look again at what operators own of this source: its policies have changed."""
    return execute(_REREAD, [source])


def write_ownership(rows: Iterable[tuple[int, Ownership]], now: datetime) -> None:
    """Store who owns what now; neither version nor time of change moves."""
    records = [
        {"id": id_, "owned_fields": each.fields, "source_values": each.values, "conflicts": each.conflicts}
        for id_, each in rows
    ]
    if records:
        execute(_WRITE.format(since=CONFLICTS_SINCE), [now, to_json(records)])
