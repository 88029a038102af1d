"""How products read as JSON: built by PostgreSQL, so that a list of them is passed through as bytes.

`products.api.serializers` documents the same shapes. In these expressions `p` is the product, `c` its category, `h`
its shop and, where a quantity is asked for, `q` its price at it (see `products.selectors.quantities`); category and
shop may be missing. The text of an expression is made once for each naming.
"""

from collections.abc import Mapping
from functools import lru_cache
from hashlib import blake2b

from products.selectors.quantities import QUANTITY_PRICE, SKU_QUANTITY_PRICE
from system.naming import Naming


def time_text(column: str) -> str:
    """A time as answers show it: UTC, whole seconds."""
    return f"""to_char({column} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"')"""


def json_object(expressions: Mapping[str, str], naming: Naming) -> str:
    """A JSON object of expressions by name."""
    pairs = ", ".join(f"'{naming.outgoing(name)}', {expression}" for name, expression in expressions.items())
    return f"json_build_object({pairs})"


def _columns(alias: str, *names: str) -> dict[str, str]:
    return {name: f"{alias}.{name}" for name in names}


def _tiers(column: str, naming: Naming) -> str:
    """The tiers as they are stored, where the names in them are spelled as ours are."""
    if naming.keeps:
        return column
    tier = json_object({"start_quantity": "t.tier->'start_quantity'", "price": "t.tier->'price'"}, naming)
    rows = f"jsonb_array_elements({column}) WITH ORDINALITY AS t (tier, place)"
    return f"(SELECT coalesce(json_agg({tier} ORDER BY t.place), '[]') FROM {rows})"  # noqa: S608 - constants only


def _product(naming: Naming) -> dict[str, str]:
    return {
        **_columns("p", "id", "sku", "title", "price", "stock", "images"),
        "category": "c.name",
        "created_at": time_text("p.created_at"),
        "updated_at": time_text("p.updated_at"),
        "category_id": "p.category_id",
        "category_path": "c.path",
        "shop": f"CASE WHEN h.id IS NOT NULL THEN {json_object(_columns('h', 'id', 'name'), naming)} END",
        **_columns("p", "price_min", "price_max", "currency"),
        "price_tiers": _tiers("p.price_tiers", naming),
        **_columns("p", "min_order_quantity", "unit", "sold_count"),
        **_columns("p", "status", "source", "source_id", "url", "attributes", "version"),
        "source_updated_at": time_text("p.source_updated_at"),
        "synced_at": time_text("p.synced_at"),
    }


def _skus(naming: Naming, *, priced: bool) -> str:
    columns = {
        **_columns("s", "id", "source_sku_id", "spec_id", "code", "spec", "price"),
        "price_tiers": _tiers("s.price_tiers", naming),
        **_columns("s", "stock", "image"),
    }
    if priced:
        columns["quantity_price"] = json_object(SKU_QUANTITY_PRICE, naming)
    listed = f"json_agg({json_object(columns, naming)} ORDER BY s.position, s.id)"
    return f"(SELECT coalesce({listed}, '[]') FROM products_sku s WHERE s.product_id = p.id)"  # noqa: S608


def _priced(naming: Naming, *, priced: bool) -> dict[str, str]:
    return {"quantity_price": json_object(QUANTITY_PRICE, naming)} if priced else {}


PRODUCT_JOINS = """
    LEFT JOIN products_category c ON c.id = p.category_id
    LEFT JOIN products_shop h ON h.id = p.shop_id
"""


@lru_cache
def listed_product(naming: Naming, *, priced: bool = False) -> str:
    """A product in a list; `priced`: with its price at the quantity of `q`."""
    return json_object(_product(naming) | _priced(naming, priced=priced), naming)


@lru_cache
def shape_digest(naming: Naming, *, whole: bool = False, priced: bool = False) -> str:
    """A short text that differs whenever products are shown in another form, so that ETags of older programs end."""
    text = (whole_product if whole else listed_product)(naming, priced=priced)
    return blake2b(text.encode(), digest_size=8).hexdigest()


@lru_cache
def whole_product(naming: Naming, *, priced: bool = False) -> str:
    """A product with its description and SKUs."""
    whole = {
        "description": "p.description",
        "owned_fields": "to_json(p.owned_fields)",
        "conflicts": "to_json(coalesce(p.conflicts, '{}'))",
        "skus": _skus(naming, priced=priced),
    }
    return json_object(_product(naming) | whole | _priced(naming, priced=priced), naming)
