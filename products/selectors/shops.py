"""Reads of shops, as plain data."""

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from products.models import ShopFollow
from products.selectors.listing import COUNT_LIMIT, MAX_ID, Selection, containing
from system.sql import fetch_one, one, rows

ShopData = dict[str, Any]

_SHOWN = "s.id, s.source, s.source_id, s.name, s.url, s.location, s.created_at, s.updated_at"
_FOLLOWED = "EXISTS (SELECT FROM products_shopfollow f WHERE f.shop_id = s.id AND f.user_id = %s)"
_PRODUCTS = "(SELECT count(*) FROM products_product p WHERE p.shop_id = s.id AND p.deleted_at IS NULL)"
_FILTERS = {"source": "s.source = %s"}
# Sort column and SQL type; `id` breaks ties.
SHOP_ORDERS = {"id": ("s.id", "bigint"), "name": ("s.name", "text"), "created_at": ("s.created_at", "timestamptz")}


class ListedShops(NamedTuple):
    """One page of shops; `last` is where the next page goes on (sort value and id), None on the last page."""

    items: list[ShopData]
    total: int | None
    total_exact: bool
    last: list[Any] | None


def shop_page(
    filters: Mapping[str, Any],
    *,
    user_id: int,
    sort: str = "id",
    descending: bool = True,
    limit: int,
    offset: int = 0,
    after: Sequence[Any] | None = None,
    counted: bool = True,
) -> ListedShops:
    """A page of shops, each with whether `user_id` follows it.

    Args:
        filters: `q` (part of the name, literally), `source`, `followed`; `product_count` adds the number of products.
        sort: a key of SHOP_ORDERS.
        after: `last` of the page before, instead of an offset.
        counted: whether the total is wanted.
    """
    taken = _selection(filters, user_id)
    column, kind = SHOP_ORDERS[sort]
    way, beyond = ("DESC", "<") if descending else ("ASC", ">")
    part = taken if after is None else taken.narrowed(f"({column}, s.id) {beyond} (%s::{kind}, %s)", *after)
    counts = f", {_PRODUCTS} AS product_count" if filters.get("product_count") else ""
    sql = f"""
        SELECT {_SHOWN}, {_FOLLOWED} AS followed {counts}, {column}::text AS sort_key FROM products_shop s
        WHERE {part.condition} ORDER BY {column} {way}, s.id {way} LIMIT {limit + 1} OFFSET {offset}
    """  # noqa: S608 - constants and numbers only; every value is a parameter, here and below
    found = rows(sql, [user_id, *part.parameters])
    keys = [shop.pop("sort_key") for shop in found]
    items = found[:limit]
    total, exact = _count(taken) if counted else (None, False)
    last = [keys[limit - 1], items[-1]["id"]] if len(found) > limit else None
    return ListedShops(items, total, exact, last)


def shop_detail(shop_id: int, user_id: int) -> ShopData | None:
    """One shop with the number of its products and whether `user_id` follows it; None when there is none."""
    if not 0 < shop_id <= MAX_ID:
        return None
    sql = f"SELECT {_SHOWN}, {_FOLLOWED} AS followed, {_PRODUCTS} AS product_count FROM products_shop s WHERE s.id = %s"  # noqa: S608
    return one(sql, [user_id, shop_id])


def followed_shops(user_id: int) -> list[ShopData]:
    """The shops somebody follows, the latest first: {id, name}."""
    return rows(
        "SELECT s.id, s.name FROM products_shopfollow f JOIN products_shop s ON s.id = f.shop_id"
        " WHERE f.user_id = %s ORDER BY f.id DESC",
        [user_id],
    )


def follows(user_id: int, shop_id: int) -> bool:
    """Whether somebody follows a shop."""
    return ShopFollow.objects.filter(user_id=user_id, shop_id=shop_id).exists()


def _selection(filters: Mapping[str, Any], user_id: int) -> Selection:
    found = Selection("true", [])
    for name, condition in _FILTERS.items():
        if filters.get(name) is not None:
            found = found.narrowed(condition, filters[name])
    if filters.get("q") is not None:
        found = found.narrowed("s.name ILIKE %s", containing(filters["q"]))
    if filters.get("followed") is not None:
        found = found.narrowed(f"{_FOLLOWED} = %s", user_id, filters["followed"])
    return found


def _count(taken: Selection) -> tuple[int, bool]:
    counted = f"SELECT FROM products_shop s WHERE {taken.condition} LIMIT {COUNT_LIMIT + 1}"
    row = fetch_one(f"SELECT count(*) FROM ({counted}) AS counted", taken.parameters)  # noqa: S608
    total = row[0] if row else 0
    return min(total, COUNT_LIMIT), total <= COUNT_LIMIT
