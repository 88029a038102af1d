"""How products read as JSON: built by PostgreSQL, so that a list of them is passed through as bytes.

`products.api.serializers` documents the same shapes. In these expressions `p` is the product, `c` its category and
`h` its shop; both may be missing.
"""

from collections.abc import Mapping


def _time(column: str) -> str:
    return f"""to_char({column} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')"""


def _object(expressions: Mapping[str, str]) -> str:
    pairs = ", ".join(f"'{name}', {expression}" for name, expression in expressions.items())
    return f"json_build_object({pairs})"


def _columns(alias: str, *names: str) -> dict[str, str]:
    return {name: f"{alias}.{name}" for name in names}


_PRODUCT = {
    **_columns("p", "id", "sku", "title", "price", "stock", "images"),
    "category": "c.name",
    "created_at": _time("p.created_at"),
    "updated_at": _time("p.updated_at"),
    "category_id": "p.category_id",
    "category_path": "c.path",
    "shop": f"CASE WHEN h.id IS NOT NULL THEN {_object(_columns('h', 'id', 'name'))} END",
    **_columns("p", "price_min", "price_max", "currency", "price_tiers", "min_order_quantity", "unit", "sold_count"),
    **_columns("p", "status", "source", "source_id", "url", "attributes", "version"),
    "source_updated_at": _time("p.source_updated_at"),
    "synced_at": _time("p.synced_at"),
}
_SKU = _object(_columns("s", "id", "source_sku_id", "spec_id", "code", "spec", "price", "stock", "image"))
_SKUS = f"""(
    SELECT coalesce(json_agg({_SKU} ORDER BY s.position, s.id), '[]') FROM products_sku s WHERE s.product_id = p.id
)"""  # noqa: S608 - constants only

PRODUCT_JOINS = """
    LEFT JOIN products_category c ON c.id = p.category_id
    LEFT JOIN products_shop h ON h.id = p.shop_id
"""
LISTED_PRODUCT = _object(_PRODUCT)
WHOLE_PRODUCT = _object(_PRODUCT | {"description": "p.description", "skus": _SKUS})
