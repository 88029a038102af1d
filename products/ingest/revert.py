"""Put back what one sync job did to products, where nobody has changed them since.

What a product was before stands in its change lines, so it is put back exactly or not at all, with the reason.
"""

import json
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

from django.db import connection
from django.utils import timezone

from products.catalog import GONE, ChangeLine, log_changes
from products.ingest.ownership import Ownership, judged, told, write_ownership
from products.ingest.products import StoredProduct, stored_product, update_products
from products.ingest.rows import SKU_COLUMNS, SYNCED_COLUMNS, Cells
from products.ingest.skus import SkuWrites, StoredSku, stored_skus
from products.models import ProductChange
from products.search import upkeep
from system.sql import execute, fetch_all

KIND = ProductChange.Kind
# Why a product was left as it is.
REASONS = (
    "not_in_run",
    "missing",
    "already_undone",
    "changed_since",
    "owned_by_operator",
    "skus_removed",
    "skus_changed_twice",
)

_COLUMNS = ", ".join(SYNCED_COLUMNS)
# In the order in which batches lock the products of a source.
_LOCK = f"""
    SELECT deleted_at IS NOT NULL, source_id, id, fingerprint, owned_fields, source_values, {_COLUMNS}
    FROM products_product
    WHERE id = ANY(%s) ORDER BY source, source_id, id FOR UPDATE
"""  # noqa: S608 - constants only
_LINES = """
    SELECT product_id, job_id, kind, fields::text FROM products_productchange
    WHERE product_id = ANY(%s) AND kind <> ALL(%s) ORDER BY id
"""
_DELETE = "UPDATE products_product SET deleted_at = %s, updated_at = %s, version = version + 1 WHERE id = ANY(%s)"
# Lines that tell of no change.
_STEPS = [kind.value for kind in ProductChange.STEPS]
# Differs from whatever the source says next.
_NO_FINGERPRINT = b""
OWNED = "owned_fields"


class Skipped(NamedTuple):
    """A product that was left as it is, and which of REASONS it was."""

    product_id: int
    reason: str


class Reverted(NamedTuple):
    """What became of the products asked for."""

    undone: list[int]
    skipped: list[Skipped]


class _Line(NamedTuple):
    job_id: int | None
    kind: str
    fields: dict[str, list[Any]]


class _Known(NamedTuple):
    """A product as it is now, locked."""

    is_deleted: bool
    row: StoredProduct
    skus: dict[str, StoredSku]

    def value(self, name: str) -> Any:
        return self.row.owned_fields if name == OWNED else self.row.cells[SYNCED_COLUMNS.index(name)]


class _Deed(NamedTuple):
    """All that the job did to a product: [before, after] by field, and whether others have acted on it since."""

    created: bool
    fields: dict[str, list[Any]]
    skus: list[dict[str, dict[str, Any]]] | None
    is_last: bool


class _KeptError(Exception):
    """The product stays as it is; the argument is one of REASONS."""


def revert(job_id: int, product_ids: Collection[int]) -> Reverted:
    """Put these products back to what they were before the job, with change lines; joins the caller's transaction.

    Products the job created are deleted as an operator deletes them: a sync keeps them up to date, but hidden.

    Raises:
        RuntimeError: called outside a transaction.
    """
    if not connection.in_atomic_block:
        raise RuntimeError("what is put back belongs into the transaction that records it")
    wanted = sorted(set(product_ids))
    known = _locked(wanted)
    lines = _lines(wanted)
    work = _Work(timezone.now())
    skipped: list[Skipped] = []
    for product_id in wanted:
        try:
            work.put_back(known.get(product_id), _deed(lines.get(product_id, []), job_id))
        except _KeptError as error:
            skipped.append(Skipped(product_id, str(error)))
    return Reverted(work.write(), skipped)


class _Work:
    """Collects what is to be written for many products, and writes it in a few statements."""

    def __init__(self, now: datetime) -> None:
        self._now = now
        self._deleted: list[int] = []
        self._updated: list[tuple[int, bytes, Cells]] = []
        self._owned: list[tuple[int, Ownership]] = []
        self._skus = SkuWrites()
        self._lines: list[ChangeLine] = []

    def put_back(self, known: _Known | None, deed: _Deed) -> None:
        """Plan one product.

        Raises:
            _KeptError: why it stays.
        """
        if known is None:
            raise _KeptError("missing")
        _check(known, deed)
        if deed.created:
            self._deleted.append(known.row.id)
            self._lines.append((known.row.id, KIND.DELETED, {}))
        else:
            self._restore(known, deed)

    def _restore(self, known: _Known, deed: _Deed) -> None:
        cells = tuple(deed.fields.get(name, [known.value(name)])[0] for name in SYNCED_COLUMNS)
        self._updated.append((known.row.id, _NO_FINGERPRINT, cells))
        fields: dict[str, Any] = {name: [after, before] for name, (before, after) in deed.fields.items()}
        if OWNED in deed.fields:
            self._owned.append((known.row.id, _owned_again(known, deed)))
        if deed.skus:
            self._restore_skus(known, *deed.skus)
            fields["skus"] = deed.skus[::-1]
        self._lines.append((known.row.id, _kind(known.value("status"), cells[SYNCED_COLUMNS.index("status")]), fields))

    def _restore_skus(self, known: _Known, old: dict[str, dict[str, Any]], new: dict[str, dict[str, Any]]) -> None:
        """SKUs the job added go, those it changed take their old values."""
        before = {key: known.skus[key] for key in new}
        after = {
            key: tuple((_named(known.skus[key]) | facts)[name] for name in SKU_COLUMNS) for key, facts in old.items()
        }
        self._skus.replace(known.row.id, before, after)

    def write(self) -> list[int]:
        """Write everything; returns the products that were put back."""
        if self._deleted:
            execute(_DELETE, [self._now, self._now, self._deleted])
        update_products(self._updated, self._now)
        write_ownership(self._owned, self._now)
        self._skus.write(self._now)
        upkeep.refresh([product_id for product_id, _, fields in self._lines if upkeep.changes_search(fields)])
        log_changes(self._lines, None, self._now)
        return sorted(product_id for product_id, _, _ in self._lines)


def _locked(product_ids: Sequence[int]) -> dict[int, _Known]:
    rows = [(row[0], stored_product(row[1:])) for row in fetch_all(_LOCK, [list(product_ids)])]
    skus = stored_skus([row.id for _, row in rows])
    return {row.id: _Known(is_deleted, row, skus[row.id]) for is_deleted, row in rows}


def _lines(product_ids: Sequence[int]) -> dict[int, list[_Line]]:
    """The whole history of these products, oldest first; read after their rows are locked, it is complete."""
    found: dict[int, list[_Line]] = {}
    for product_id, job_id, kind, fields in fetch_all(_LINES, [list(product_ids), _STEPS]):
        found.setdefault(product_id, []).append(_Line(job_id, kind, json.loads(fields, parse_float=Decimal)))
    return found


def _deed(lines: Sequence[_Line], job_id: int) -> _Deed:
    """Fold the job's lines of one product into one difference.

    Raises:
        _KeptError: it has none, or more than this can fold.
    """
    places = [place for place, line in enumerate(lines) if line.job_id == job_id]
    if not places:
        raise _KeptError("not_in_run")
    own = [lines[place] for place in places]
    sku_changes = [line.fields["skus"] for line in own if "skus" in line.fields]
    if len(sku_changes) > 1:
        raise _KeptError("skus_changed_twice")
    fields: dict[str, list[Any]] = {}
    for line in own:
        for name, (before, after) in line.fields.items():
            if name != "skus":
                fields[name] = [fields.get(name, [before])[0], after]
    is_last = all(line.job_id == job_id for line in lines[places[0] :])
    return _Deed(own[0].kind == KIND.CREATED, fields, sku_changes[0] if sku_changes else None, is_last)


def _check(known: _Known, deed: _Deed) -> None:
    """Refuse what could not be put back exactly.

    Raises:
        _KeptError: see REASONS.
    """
    if deed.created and known.is_deleted:
        raise _KeptError("already_undone")
    if not deed.is_last or known.is_deleted or not _stands_at(known, deed, after=True):
        undone = not deed.created and not known.is_deleted and _stands_at(known, deed, after=False)
        raise _KeptError("already_undone" if undone else "changed_since")
    owned = set(known.row.owned_fields)
    touched = {*deed.fields, *(["skus"] if deed.skus else [])} - {OWNED}
    if any(name in owned or name.removesuffix("_id") in owned for name in touched):
        raise _KeptError("owned_by_operator")
    if deed.skus and deed.skus[0].keys() - deed.skus[1].keys():
        raise _KeptError("skus_removed")


def _stands_at(known: _Known, deed: _Deed, *, after: bool) -> bool:
    """Whether the product is what it was right after the job, or right before it."""
    side = 1 if after else 0
    if any(told(known.value(name)) != told(pair[side]) for name, pair in deed.fields.items()):
        return False
    return not deed.skus or _skus_stand_at(known, deed.skus[side], deed.skus[1 - side])


def _skus_stand_at(known: _Known, here: Mapping[str, Mapping[str, Any]], there: Mapping[str, object]) -> bool:
    if any(key in known.skus for key in there.keys() - here.keys()):
        return False
    return all(key in known.skus and _agrees(_named(known.skus[key]), facts) for key, facts in here.items())


def _agrees(sku: Mapping[str, Any], facts: Mapping[str, Any]) -> bool:
    return all(told(sku.get(name)) == told(value) for name, value in facts.items())


def _named(sku: StoredSku) -> dict[str, Any]:
    return dict(zip(SKU_COLUMNS, sku.cells, strict=True))


def _owned_again(known: _Known, deed: _Deed) -> Ownership:
    """Fields the source had taken from an operator are the operator's again, beside what the source said."""
    said = {name: pair[1] for name, pair in deed.fields.items() if name != OWNED}
    before = {name: pair[0] for name, pair in deed.fields.items()}
    return judged(before[OWNED], {**said, **known.row.source_values}, lambda name: told(before.get(name)))


def _kind(now: str, before: str) -> ProductChange.Kind:
    if now in GONE and before not in GONE:
        return KIND.RESTORED
    return KIND.DELISTED if before in GONE and now not in GONE else KIND.UPDATED
