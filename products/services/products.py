"""Writes about one product. Every function is one transaction, and safe against others on the same product.

`expected` are the versions the caller knows (If-Match); None means that any is fine.
"""

from collections.abc import Callable, Collection

from django.db import transaction

from products.ingest import presence
from products.models import Product, ProductChange
from products.search import upkeep
from products.services import store
from products.services.edits import Edit
from products.services.plans import Planner, Values
from system import audit, sql
from system.errors import ApplicationError, ErrorCode
from system.preconditions import check_version

Versions = Collection[int] | None


@transaction.atomic
def create_product(values: Values) -> Product:
    """A new product of our own, a draft until it is published.

    Args:
        values: by field, checked for form; `sku` and `title` at least, a category by `category` (name or path) or
            `category_id`.

    Raises:
        ApplicationError: SKU_TAKEN, CATEGORY_UNKNOWN, SHOP_UNKNOWN.
    """
    edit = Planner(bodies=[values]).create(values)
    store.write([edit])
    return edit.product


def replace_product(product_id: int, values: Values, expected: Versions = None) -> Product:
    """Give every field a new value; what is left out goes back to its default.

    Raises:
        ApplicationError: NOT_FOUND, PRECONDITION_FAILED, SKU_TAKEN, SKU_FIXED, CATEGORY_UNKNOWN, SHOP_UNKNOWN,
            STOCK_OF_SKUS.
    """
    return _write(product_id, expected, lambda planner, product: planner.replace(product, values), values)


def change_product(product_id: int, values: Values, expected: Versions = None) -> Product:
    """Give some fields new values. What a value does not change is not written; without any change nothing is.

    Raises:
        ApplicationError: as `replace_product`.
    """
    return _write(product_id, expected, lambda planner, product: planner.change(product, values), values)


def publish_product(product_id: int, expected: Versions = None) -> Product:
    """Offer a product (seed 002, POST items/publish).

    Raises:
        ApplicationError: NOT_FOUND, PRECONDITION_FAILED, PRICE_MISSING, PRODUCT_GONE.
    """
    return _write(product_id, expected, Planner.publish)


def disable_product(product_id: int, expected: Versions = None) -> Product:
    """Take a product off the shelf (seed 002, item/disable).

    Raises:
        ApplicationError: NOT_FOUND, PRECONDITION_FAILED, PRODUCT_GONE.
    """
    return _write(product_id, expected, Planner.disable)


def delete_product(product_id: int, expected: Versions = None) -> None:
    """Hide a product; its SKU is free again, and a sync does not bring it back (seed 003, FR-002).

    Raises:
        ApplicationError: NOT_FOUND, PRECONDITION_FAILED.
    """
    _write(product_id, expected, Planner.delete)


@transaction.atomic
def restore_product(product_id: int, expected: Versions = None) -> Product:
    """Show a deleted product again, also one that the undo of a run deleted; one that is not deleted stays as it is.

    A sync has kept a synced product up to date meanwhile. An own product needs its SKU back.

    Raises:
        ApplicationError: NOT_FOUND, PRECONDITION_FAILED, SKU_TAKEN.
    """
    product = store.lock_product(product_id, deleted=True)
    check_version(product.version, expected)
    if product.deleted_at is not None:
        store.write([Planner([product]).restore(product)])
        presence.forget([product_id])
    return product


@transaction.atomic
def purge_product(product_id: int, expected: Versions = None) -> None:
    """Remove a deleted product for good, with its SKUs and its history but for the line that says it is deleted.

    Raises:
        ApplicationError: NOT_FOUND, PRECONDITION_FAILED, PRODUCT_NOT_DELETED.
    """
    product = store.lock_product(product_id, deleted=True)
    if product.deleted_at is None:
        raise ApplicationError(ErrorCode.PRODUCT_NOT_DELETED)
    check_version(product.version, expected)
    sql.execute("DELETE FROM products_sku WHERE product_id = %s", [product_id])
    sql.execute(
        "DELETE FROM products_productchange WHERE product_id = %s AND kind <> %s",
        [product_id, ProductChange.Kind.DELETED.value],
    )
    presence.forget([product_id])
    upkeep.forget([product_id])
    sql.execute("DELETE FROM products_product WHERE id = %s", [product_id])
    audit.record("product.purge", "product", product_id, before={"sku": product.sku, "title": product.title})


@transaction.atomic
def _write(product_id: int, expected: Versions, plan: Callable[[Planner, Product], Edit], *bodies: Values) -> Product:
    product = store.lock_product(product_id)
    check_version(product.version, expected)
    edit = plan(Planner([product], bodies), product)
    store.write([edit])
    return edit.product
