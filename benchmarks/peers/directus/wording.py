"""Our requests in Directus' words, and its answers in ours."""

import re
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import orjson

ITEMS = "/items/products_product"
_PLAIN = (
    *("id", "sku", "title", "price", "stock", "images", "created_at", "updated_at", "price_min", "price_max"),
    *("currency", "price_tiers", "min_order_quantity", "unit", "sold_count", "status", "source", "source_id", "url"),
    *("attributes", "version", "source_updated_at", "synced_at"),
)
_LISTED = (*_PLAIN, "category_id.id", "category_id.name", "category_id.path", "shop_id.id", "shop_id.name")
_SKU = ("id", "source_sku_id", "spec_id", "code", "spec", "price", "price_tiers", "stock", "image")
_WHOLE = (*_LISTED, "description", "owned_fields", "conflicts", *(f"skus.{name}" for name in _SKU))
# It gives out numbers that JavaScript might not hold as texts.
_MONEY = {"price", "price_min", "price_max"}
_NUMBERS = {"id", "stock", "sold_count"}
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d+Z")
_CONDITIONS = {"category_id": "filter[category_id][_eq]", "q": "filter[title][_icontains]"}


def path(ours: str) -> str:
    """A path of ours as it has it."""
    parts = urlsplit(ours)
    given = dict(parse_qsl(parts.query))
    number = parts.path.rpartition("/")[2]
    if number.isdigit():
        wanted = {"fields": ",".join(_WHOLE), "deep[skus][_sort]": "position,id"}
        return f"{ITEMS}/{number}?{urlencode(wanted)}"
    taken = {_CONDITIONS[name]: value for name, value in given.items() if name in _CONDITIONS}
    place = {"page": given.get("page", "1"), "limit": given.get("page_size", "20"), "sort": "-id"}
    conditions = {**taken, "filter[deleted_at][_null]": "true"}
    return f"{ITEMS}?{urlencode({'fields': ','.join(_LISTED), **conditions, **place, 'meta': 'filter_count'})}"


def data(ours: str, body: bytes) -> dict[str, Any]:
    """What our answer to this path of ours carries, out of its answer."""
    answer = orjson.loads(body)
    if isinstance(answer["data"], dict):
        return _whole(answer["data"])
    given = dict(parse_qsl(urlsplit(ours).query))
    total, size = int(answer["meta"]["filter_count"]), int(given.get("page_size", 20))
    place = {"page": int(given.get("page", 1)), "page_size": size, "pages": -(-total // size)}
    return {"items": [_listed(row) for row in answer["data"]], "total": total, **place}


def _whole(row: dict[str, Any]) -> dict[str, Any]:
    skus = [{name: _value(name, value) for name, value in sku.items()} for sku in row["skus"]]
    more = {name: row[name] for name in ("description", "owned_fields")}
    return {**_listed(row), **more, "conflicts": row["conflicts"] or [], "skus": skus}


def _listed(row: dict[str, Any]) -> dict[str, Any]:
    category, shop = row["category_id"], row["shop_id"]
    return {
        **{name: _value(name, row[name]) for name in _PLAIN},
        "category_id": int(category["id"]) if category else None,
        "category": category["name"] if category else None,
        "category_path": category["path"] if category else None,
        "shop": {"id": int(shop["id"]), "name": shop["name"]} if shop else None,
    }


def _value(name: str, value: Any) -> Any:
    if value is None:
        return None
    if name in _MONEY:
        return float(value)
    if name in _NUMBERS:
        return int(value)
    if name == "price_tiers":
        # JavaScript knows no difference between 160 and 160.0.
        return [{**tier, "price": float(tier["price"])} for tier in value]
    return f"{value[:19]}Z" if isinstance(value, str) and _MOMENT.fullmatch(value) else value
