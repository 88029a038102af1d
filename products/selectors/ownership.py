"""Reads of what operators own, and of where the sources disagree."""

from collections.abc import Mapping
from typing import Any

import orjson
from django.db.models import QuerySet

from products.ingest.ownership import SKUS, column_of, told, told_skus
from products.ingest.rows import SKU_COLUMNS, to_json
from products.models import Product, Sku


def owned_products(filters: Mapping[str, Any]) -> "QuerySet[Product]":
    """Products with fields that an operator owns.

    Args:
        filters: `source`, `ids`, `field` (any of these is owned), `conflicts` (only where the source disagrees).
    """
    found = Product.objects.filter(deleted_at=None).exclude(owned_fields=[])
    if filters.get("source"):
        found = found.filter(source=filters["source"])
    if filters.get("ids"):
        found = found.filter(pk__in=filters["ids"])
    if filters.get("field"):
        found = found.filter(owned_fields__overlap=_columns(filters["field"]))
    return found.filter(conflicts__isnull=False) if filters.get("conflicts") else found


def conflicting_products(filters: Mapping[str, Any]) -> "QuerySet[Product]":
    """Products with a field of which their source says something else than the operator.

    Args:
        filters: `source`, `field` (any of these is in conflict), `since` (in conflict as now since this time or later),
            `product_id`.
    """
    found = Product.objects.filter(deleted_at=None, conflicts__isnull=False)
    if filters.get("source"):
        found = found.filter(source=filters["source"])
    if filters.get("field"):
        found = found.filter(conflicts__overlap=_columns(filters["field"]))
    if filters.get("since"):
        found = found.filter(conflicts_at__gte=filters["since"])
    return found.filter(pk=filters["product_id"]) if filters.get("product_id") else found


def conflict_views(products: "list[Product]") -> list[dict[str, Any]]:
    """Each product with its conflicts, both values of each; one more query when SKUs are among them."""
    with_skus = [product.pk for product in products if SKUS in (product.conflicts or ())]
    skus: dict[int, list[Sku]] = {}
    for sku in Sku.objects.filter(product_id__in=with_skus).exclude(source_sku_id="").order_by("position", "id"):
        skus.setdefault(sku.product_id, []).append(sku)
    return [_view(product, skus.get(product.pk, [])) for product in products]


def _view(product: Product, skus: list[Sku]) -> dict[str, Any]:
    return {
        "product_id": product.pk,
        "sku": product.sku,
        "title": product.title,
        "source": product.source,
        "version": product.version,
        "owned_fields": product.owned_fields,
        "since": product.conflicts_at,
        "conflicts": [
            {
                "field": name,
                # Somebody's data: whatever the version, no name in it is spelled otherwise.
                "value": _as_it_is(_value(product, name, skus)),
                "source_value": _as_it_is((product.source_values or {}).get(name)),
            }
            for name in product.conflicts or ()
        ],
    }


def _value(product: Product, name: str, skus: list[Sku]) -> Any:
    if name == SKUS:
        return told_skus({sku.source_sku_id: tuple(getattr(sku, each) for each in SKU_COLUMNS) for sku in skus})
    return told(getattr(product, name))


def _as_it_is(value: Any) -> orjson.Fragment:
    return orjson.Fragment(to_json(value))


def _columns(fields: list[str]) -> list[str]:
    named = {column_of(name) for name in fields}
    return sorted(named)
