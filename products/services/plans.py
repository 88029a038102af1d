"""What is to be done to products, decided on locked rows: the rules of creating, changing, publishing and disabling.

A plan either gives the `Edit` to write or refuses; a refused one has changed nothing.
"""

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from django.utils import timezone

from products.catalog import GONE
from products.models import Product
from products.services.edits import Edit, Kind
from products.services.references import References
from products.services.refusals import FieldRefused
from products.services.store import claim_skus, skus_of
from system.errors import ApplicationError, ErrorCode

Values = Mapping[str, Any]

# What a product is without what a body leaves out.
DEFAULTS: dict[str, Any] = {
    "description": "",
    "category_id": None,
    "shop_id": None,
    "price": None,
    "price_tiers": [],
    "currency": "CNY",
    "stock": 0,
    "min_order_quantity": 1,
    "unit": "",
    "images": [],
    "attributes": {},
    "url": "",
}


class Planner:
    """Plans on the products given, with all that the bodies name, read in four queries at most."""

    def __init__(self, products: Iterable[Product] = (), bodies: Iterable[Values] = ()) -> None:
        """Read what the plans need.

        Args:
            products: locked rows; nobody else is planned for, but for new ones.
            bodies: values by field, checked for form: those of new products and of changes.
        """
        known, named = list(products), list(bodies)
        self._skus = skus_of([product.pk for product in known])
        self._references = References(named)
        borne = {product.sku for product in known}
        self._taken = claim_skus({body["sku"] for body in named if "sku" in body} - borne) | borne

    def create(self, values: Values) -> Edit:
        """A new product, a draft until it is published.

        Raises:
            FieldRefused: SKU_TAKEN, CATEGORY_UNKNOWN, SHOP_UNKNOWN.
        """
        columns = DEFAULTS | self._references.columns(values)
        self._check_sku(columns["sku"])
        product = Product(status=Product.Status.DRAFT)
        return Edit(product, (), Kind.CREATED, "product.create").assign(columns)

    def change(self, product: Product, values: Values) -> Edit:
        """New values of some fields. Those of a synced product then belong to the operator.

        Raises:
            FieldRefused: SKU_TAKEN, SKU_FIXED, CATEGORY_UNKNOWN, SHOP_UNKNOWN, STOCK_OF_SKUS.
        """
        return self._assigned(product, self._references.columns(values))

    def replace(self, product: Product, values: Values) -> Edit:
        """New values of all fields; what is left out goes back to its default.

        Raises:
            FieldRefused: as `change`.
        """
        left_out = dict(DEFAULTS)
        if self._stock_is_derived(product):
            left_out["stock"] = product.stock
        return self._assigned(product, left_out | self._references.columns(values))

    def publish(self, product: Product) -> Edit:
        """Offer it. Nothing happens to a product that is offered already.

        A synced product that an operator had disabled gets its status from its source again, or no sync could ever
        delist it.

        Raises:
            ApplicationError: PRODUCT_GONE, PRICE_MISSING.
        """
        edit = self._edit(product, "product.publish")
        _check_offered(product)
        if product.status == Product.Status.PUBLISHED:
            return edit
        if all(price <= Decimal(0) for price in edit.prices()):
            raise ApplicationError(ErrorCode.PRICE_MISSING, details={"price": [ErrorCode.PRICE_MISSING.message]})
        disabled_by_us = product.status == Product.Status.DISABLED and "status" in product.owned_fields
        edit.assign({"status": Product.Status.PUBLISHED.value})
        return edit.give_back("status") if disabled_by_us else edit

    def disable(self, product: Product) -> Edit:
        """Take it off the shelf until it is published again. Nothing happens to a disabled one.

        Raises:
            ApplicationError: PRODUCT_GONE.
        """
        edit = self._edit(product, "product.disable")
        _check_offered(product)
        return edit.assign({"status": Product.Status.DISABLED.value})

    def delete(self, product: Product) -> Edit:
        """Hide it from everybody; its row is kept until it is purged."""
        edit = Edit(product, self._skus[product.pk], Kind.DELETED, "product.delete")
        product.deleted_at = timezone.now()
        return edit

    def restore(self, product: Product) -> Edit:
        """Show a deleted product again.

        Raises:
            FieldRefused: SKU_TAKEN, another product of our own bears its SKU by now.
        """
        if not product.source and claim_skus({product.sku}):
            raise FieldRefused(ErrorCode.SKU_TAKEN, "sku")
        product.deleted_at = None
        return Edit(product, self._skus[product.pk], Kind.RESTORED, "product.restore")

    def _edit(self, product: Product, action: str) -> Edit:
        return Edit(product, self._skus[product.pk], Kind.UPDATED, action)

    def _assigned(self, product: Product, columns: dict[str, Any]) -> Edit:
        sku = columns.get("sku", product.sku)
        if sku != product.sku:
            if product.source:
                raise FieldRefused(ErrorCode.SKU_FIXED, "sku")
            self._check_sku(sku)
        if self._stock_is_derived(product) and columns.get("stock", product.stock) != product.stock:
            raise FieldRefused(ErrorCode.STOCK_OF_SKUS, "stock")
        return self._edit(product, "product.update").assign(columns)

    def _check_sku(self, sku: str) -> None:
        if sku in self._taken:
            raise FieldRefused(ErrorCode.SKU_TAKEN, "sku")

    def _stock_is_derived(self, product: Product) -> bool:
        return not product.source and bool(self._skus[product.pk])


def _check_offered(product: Product) -> None:
    if product.status in GONE:
        raise ApplicationError(ErrorCode.PRODUCT_GONE, details={"status": product.status})
