"""What somebody does to one product: worked out in memory with all that follows from it, then written."""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from functools import cached_property
from typing import Any

from products.ingest.rows import JSON_COLUMNS, SKU_COLUMNS, SYNCED_COLUMNS, Cells, plain, sku_differences, to_json
from products.models import Product, ProductChange, Sku

# What a line of the change feed can name.
COLUMNS = ("sku", *SYNCED_COLUMNS)
# An operator who sets one of a synced product's prices answers for all of them, or they would contradict each other.
PRICES = frozenset({"price", "price_tiers", "price_min", "price_max"})
STATED_PRICES = frozenset({"price", "price_tiers"})

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
            fields["skus"] = skus
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
            self._own(changed | ({"skus"} if skus_changed else set()))
        return self

    def give_back(self, field: str) -> "Edit":
        """Let syncs say again what a field of a synced product is."""
        self.product.owned_fields = [name for name in self.product.owned_fields if name != field]
        return self

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
        if owned - set(self.product.owned_fields):
            self.product.owned_fields = sorted(owned.union(self.product.owned_fields))

    def _differences(self) -> list[tuple[str, Any, Any]]:
        pairs = zip(COLUMNS, self._before, _cells(self.product), strict=True)
        return [(name, old, new) for name, old, new in pairs if _differ(name, old, new)]


def _cells(product: Product) -> Cells:
    return tuple(getattr(product, name) for name in COLUMNS)


def _sku_cells(skus: Iterable[Sku]) -> dict[str, Cells]:
    return {sku.source_sku_id or f"id:{sku.pk}": tuple(getattr(sku, name) for name in SKU_COLUMNS) for sku in skus}


def _differ(name: str, old: Any, new: Any) -> bool:
    """Whether two cells say different things; for JSON, 1 and true do."""
    return to_json(old) != to_json(new) if name in JSON_COLUMNS else old != new


def stored_tiers(tiers: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Price tiers as rows keep them."""
    return [{"start_quantity": tier["start_quantity"], "price": float(tier["price"])} for tier in tiers]
