"""What somebody does to one product: worked out in memory with all that follows from it, then written."""

from collections.abc import Collection, Iterable, Mapping
from decimal import Decimal
from functools import cached_property
from typing import Any

from products.ingest.ownership import PRICES, SKUS, cell_of, column_of, judged, sku_cells_of, told, told_skus
from products.ingest.rows import JSON_COLUMNS, SKU_COLUMNS, SYNCED_COLUMNS, Cells, plain, sku_differences, to_json
from products.models import Product, ProductChange, Sku

# What a line of the change feed can name.
COLUMNS = ("sku", *SYNCED_COLUMNS)
STATED_PRICES = frozenset({"price", "price_tiers"})
# Keys of SKUs that no source knows; a sync neither sees nor deletes them.
HAND_MADE = "id:"

Kind = ProductChange.Kind


class Edit:
    """One product with what is done to it.

    Attributes:
        product: the locked row, or a new one; changed in place.
        skus: its SKUs, as they will be.
        kind: what the change feed says about it.
        action: what the audit log says about it, such as "product.update".
    """

    def __init__(self, product: Product, skus: Iterable[Sku], kind: Kind, action: str) -> None:
        self.product, self.skus, self.kind, self.action = product, list(skus), kind, action
        self._before = _cells(product)
        self._skus_before = _sku_cells(self.skus)
        self._owned_before: list[str] | None = None

    @property
    def is_new(self) -> bool:
        """Whether the product has no row yet."""
        return self.product.pk is None

    @property
    def matters(self) -> bool:
        """Whether anything is to be written."""
        return self.kind is not Kind.UPDATED or bool(self.fields)

    @cached_property
    def fields(self) -> dict[str, Any]:
        """What differs, as the change feed tells it: {name: [before, after]}; nothing for a new product."""
        if self.is_new:
            return {}
        fields: dict[str, Any] = {name: [plain(old), plain(new)] for name, old, new in self._differences()}
        if skus := sku_differences(self._skus_before, _sku_cells(self.skus)):
            fields[SKUS] = skus
        if self._owned_before is not None and self._owned_before != self.product.owned_fields:
            fields["owned_fields"] = [self._owned_before, self.product.owned_fields]
        return fields

    def assign(self, columns: Mapping[str, Any]) -> "Edit":
        """Set columns, and everything that follows from them."""
        for name, value in columns.items():
            setattr(self.product, name, stored_tiers(value) if name == "price_tiers" else value)
        return self.settle()

    def settle(self) -> "Edit":
        """Derive what follows from the prices and SKUs; what changed of a synced product belongs to the operator."""
        changed = {name for name, _, _ in self._differences()}
        skus_changed = sku_differences(self._skus_before, _sku_cells(self.skus)) is not None
        if self.is_new or changed & STATED_PRICES or (skus_changed and not self.product.source):
            self._derive_prices()
        if skus_changed and not self.product.source:
            self.product.stock = sum(sku.stock for sku in self.skus)
        if self.product.source:
            self._own(changed | ({SKUS} if skus_changed else set()))
        return self

    def give_back(self, field: str) -> "Edit":
        """Let syncs say again what a field of a synced product is."""
        self._judge(name for name in self.product.owned_fields if name != field)
        return self

    def release(self, fields: Collection[str] | None) -> dict[str, Cells] | None:
        """Give fields back to the source, all when None; where it is known what the source says, that counts at once.

        Returns:
            The SKUs of the source by key, if they are to be put back; `skus` shows them already.
        """
        wanted = None if fields is None else {column_of(name) for name in fields}
        if wanted is not None and wanted & PRICES:
            wanted |= PRICES
        self._owned_before = list(self.product.owned_fields)
        kept = [name for name in self._owned_before if wanted is not None and column_of(name) not in wanted]
        said = self.product.source_values or {}
        going = {column_of(name) for name in self._owned_before if name not in kept} & said.keys()
        for column in going - {SKUS}:
            setattr(self.product, column, cell_of(column, said[column]))
        cells = sku_cells_of(said[SKUS]) if SKUS in going else None
        if cells is not None:
            own = [sku for sku in self.skus if not sku.source_sku_id]
            self.skus = [Sku(**dict(zip(SKU_COLUMNS, row, strict=True))) for row in cells.values()] + own
        self._judge(kept)
        return cells

    def prices(self) -> list[Decimal]:
        """Every price that is said of the product: its own, those of its tiers and of its SKUs."""
        tiers = sum((sku.price_tiers for sku in self.skus), self.product.price_tiers)
        said = [self.product.price, *(sku.price for sku in self.skus), *(Decimal(str(tier["price"])) for tier in tiers)]
        return [price for price in said if price is not None]

    def _derive_prices(self) -> None:
        prices = self.prices()
        self.product.price_min = min(prices, default=None)
        self.product.price_max = max(prices, default=None)

    def _own(self, changed: set[str]) -> None:
        owned = changed | (PRICES if changed & STATED_PRICES else set())
        known = {column_of(name) for name in self.product.owned_fields}
        if not owned and not known:
            return
        # What the product said until now is what its source said last.
        before = {name: self._told_before(name) for name in owned - known}
        self.product.source_values = {**before, **(self.product.source_values or {})}
        self._judge(sorted({*self.product.owned_fields, *(owned - known)}))

    def _told_before(self, name: str) -> Any:
        if name == SKUS:
            return told_skus({key: row for key, row in self._skus_before.items() if not key.startswith(HAND_MADE)})
        return told(dict(zip(COLUMNS, self._before, strict=True))[name])

    def _told_now(self, name: str) -> Any:
        if name == SKUS:
            return told_skus({key: row for key, row in _sku_cells(self.skus).items() if not key.startswith(HAND_MADE)})
        return told(getattr(self.product, name))

    def _judge(self, owned: Iterable[str]) -> None:
        """Own these fields, and say where the source disagrees."""
        judgement = judged(list(owned), self.product.source_values or {}, self._told_now)
        self.product.owned_fields, self.product.source_values, self.product.conflicts = judgement

    def _differences(self) -> list[tuple[str, Any, Any]]:
        pairs = zip(COLUMNS, self._before, _cells(self.product), strict=True)
        return [(name, old, new) for name, old, new in pairs if _differ(name, old, new)]


def _cells(product: Product) -> Cells:
    return tuple(getattr(product, name) for name in COLUMNS)


def _sku_cells(skus: Iterable[Sku]) -> dict[str, Cells]:
    return {
        sku.source_sku_id or f"{HAND_MADE}{sku.pk}": tuple(getattr(sku, name) for name in SKU_COLUMNS) for sku in skus
    }


def _differ(name: str, old: Any, new: Any) -> bool:
    """Whether two cells say different things; for JSON, 1 and true do."""
    return to_json(old) != to_json(new) if name in JSON_COLUMNS else old != new


def stored_tiers(tiers: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Price tiers as rows keep them."""
    return [{"start_quantity": tier["start_quantity"], "price": float(tier["price"])} for tier in tiers]
