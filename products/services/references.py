"""The categories and shops that bodies name, read in two queries however many bodies there are."""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from products.services.refusals import FieldRefused
from system.errors import ErrorCode
from system.sql import fetch_all

Values = Mapping[str, Any]

SHOWN_CANDIDATES = 10

_CATEGORIES = """
    SELECT id, name, path FROM products_category
    WHERE id = ANY(%s::bigint[]) OR name = ANY(%s::text[]) OR path = ANY(%s::text[]) ORDER BY id
"""
_SHOPS = "SELECT id FROM products_shop WHERE id = ANY(%s::bigint[])"


class _Category(NamedTuple):
    id: int
    name: str
    path: str


class References:
    """What some bodies refer to, as far as it exists."""

    def __init__(self, bodies: Iterable[Values]) -> None:
        """Look it up.

        Args:
            bodies: values of products; only `category`, `category_id` and `shop_id` count.
        """
        named = list(bodies)
        names, ids, shops = (_said(named, field) for field in ("category", "category_id", "shop_id"))
        found = fetch_all(_CATEGORIES, [ids, names, names]) if names or ids else []
        self._categories = [_Category(*row) for row in found]
        self._shops = {row[0] for row in fetch_all(_SHOPS, [shops])} if shops else set()

    def columns(self, values: Values) -> dict[str, Any]:
        """The values with `category` turned into a `category_id`.

        Raises:
            FieldRefused: CATEGORY_UNKNOWN, SHOP_UNKNOWN.
        """
        columns = dict(values)
        if "category" in columns or "category_id" in columns:
            columns["category_id"] = self._category(columns)
            columns.pop("category", None)
        if columns.get("shop_id") is not None and columns["shop_id"] not in self._shops:
            raise FieldRefused(ErrorCode.SHOP_UNKNOWN, "shop_id")
        return columns

    def _category(self, values: Values) -> int | None:
        text, number = values.get("category"), values.get("category_id")
        if number is not None and all(category.id != number for category in self._categories):
            raise FieldRefused(ErrorCode.CATEGORY_UNKNOWN, "category_id")
        if "category" not in values or (text is None and number is None):
            return number
        found = self._called(text)
        if "category_id" in values:
            found = [category for category in found if category.id == number]
        if len(found) == 1:
            return found[0].id
        shown = [{"id": category.id, "path": category.path} for category in found[:SHOWN_CANDIDATES]]
        raise FieldRefused(ErrorCode.CATEGORY_UNKNOWN, "category", candidates=shown)

    def _called(self, text: str | None) -> list[_Category]:
        """The categories of this path; if there is none, those of this name."""
        by_path = [category for category in self._categories if category.path == text]
        return by_path or [category for category in self._categories if category.name == text]


def _said(bodies: Iterable[Values], field: str) -> list[Any]:
    return sorted({body[field] for body in bodies if body.get(field) is not None})
