"""Writes about the SKUs of one product: a change of a SKU is a change of its product, whose version they share.

The stock of a product of our own is the sum of its SKUs' as long as it has any. The SKUs of a synced product belong to
the operator from the first such write on.
"""

import secrets
from collections.abc import Iterable, Mapping
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from products.models import Sku
from products.services import store
from products.services.edits import Edit, Kind, stored_tiers
from products.services.products import Versions
from products.services.refusals import FieldRefused
from system.errors import ApplicationError, ErrorCode
from system.preconditions import check_version

Values = Mapping[str, Any]

MAX_SKUS = 500
DEFAULTS: dict[str, Any] = {"code": "", "spec": {}, "price": None, "price_tiers": [], "stock": 0, "image": ""}
KEY_BYTES = 8
NAMELESS = _("A SKU needs a code or properties.")


@transaction.atomic
def create_sku(product_id: int, values: Values, expected: Versions = None) -> int:
    """A new SKU of a product, behind its others (seed 002, POST items/skus); returns its id.

    Args:
        values: by field, checked for form; a code or properties (`spec`) at least.
        expected: versions of the product the caller knows; None means that any is fine.

    Raises:
        ApplicationError: NOT_FOUND, PRECONDITION_FAILED, SKU_CODE_TAKEN, TOO_MANY_SKUS.
    """
    edit = _edit(product_id, expected, "sku.create")
    if len(edit.skus) >= MAX_SKUS:
        raise ApplicationError(ErrorCode.TOO_MANY_SKUS, details={"limit": MAX_SKUS})
    _check_code(values, edit.skus)
    position = max((sku.position for sku in edit.skus), default=-1) + 1
    sku = Sku(product_id=product_id, source_sku_id=f"own-{secrets.token_hex(KEY_BYTES)}", position=position)
    _assign(sku, DEFAULTS | dict(values))
    edit.skus.append(sku)
    sku.save(force_insert=True)
    store.write([edit.settle()])
    return sku.pk


def replace_sku(product_id: int, sku_id: int, values: Values, expected: Versions = None) -> None:
    """Give every field of a SKU a new value; what is left out goes back to its default.

    Raises:
        ApplicationError: NOT_FOUND, PRECONDITION_FAILED, SKU_CODE_TAKEN.
    """
    change_sku(product_id, sku_id, DEFAULTS | dict(values), expected)


@transaction.atomic
def change_sku(product_id: int, sku_id: int, values: Values, expected: Versions = None) -> None:
    """Give some fields of a SKU new values. Without any change nothing is written.

    Raises:
        ApplicationError: NOT_FOUND, PRECONDITION_FAILED, SKU_CODE_TAKEN; INVALID_PARAMETER when neither a code nor
            properties would be left.
    """
    edit = _edit(product_id, expected, "sku.update")
    sku = _find(edit.skus, sku_id)
    _check_code(values, (other for other in edit.skus if other is not sku))
    _assign(sku, values)
    if edit.settle().matters:
        sku.updated_at = timezone.now()
        sku.save(update_fields=[*DEFAULTS, "updated_at"])
        store.write([edit])


@transaction.atomic
def delete_sku(product_id: int, sku_id: int, expected: Versions = None) -> None:
    """Remove a SKU (seed 002, DELETE items/skus).

    Raises:
        ApplicationError: NOT_FOUND, PRECONDITION_FAILED.
    """
    edit = _edit(product_id, expected, "sku.delete")
    sku = _find(edit.skus, sku_id)
    edit.skus.remove(sku)
    Sku.objects.filter(pk=sku_id).delete()
    store.write([edit.settle()])


def _edit(product_id: int, expected: Versions, action: str) -> Edit:
    product = store.lock_product(product_id)
    check_version(product.version, expected)
    return Edit(product, store.skus_of([product_id])[product_id], Kind.UPDATED, action)


def _find(skus: Iterable[Sku], sku_id: int) -> Sku:
    for sku in skus:
        if sku.pk == sku_id:
            return sku
    raise ApplicationError(ErrorCode.NOT_FOUND)


def _check_code(values: Values, others: Iterable[Sku]) -> None:
    code = values.get("code")
    if code and any(sku.code == code for sku in others):
        raise FieldRefused(ErrorCode.SKU_CODE_TAKEN, "code")


def _assign(sku: Sku, values: Values) -> None:
    for name, value in values.items():
        setattr(sku, name, stored_tiers(value) if name == "price_tiers" else value)
    if not sku.code and not sku.spec:
        raise FieldRefused(ErrorCode.INVALID_PARAMETER, "code", reason=NAMELESS)
