"""A mapping from one source's fields to `ProductRecord`, compiled once and run for every record."""

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from functools import partial
from typing import Any

from products.records import CategoryRef, PriceTier, ProductRecord, ShopRecord, SkuRecord
from syncjobs.connectors.coerce import (
    TITLE_LIMIT,
    identifier,
    image_urls,
    moment,
    money,
    money_range,
    text,
    web_address,
    whole_number,
    word,
    words,
)
from syncjobs.connectors.feed.attributes import compile_attributes
from syncjobs.connectors.feed.fields import (
    Field,
    Read,
    category_number,
    compile_field,
    compile_fields,
    compile_nested,
    guarded,
    names,
    rejected,
)
from syncjobs.connectors.feed.readers import decode, decode_part
from syncjobs.connectors.feed.values import first_name, invalid_mapping, refuse_unknown

# Product.Status of the catalogue, which a connector cannot import; a test holds the two together.
STATUSES = frozenset({"draft", "published", "reviewing", "review_failed", "expired", "disabled", "delisted", "deleted"})
STOCK_LIMIT = 2**63 - 1
NAME_LIMIT = 200

_name = partial(word, limit=NAME_LIMIT)


def _currency(value: object) -> str:
    plain = text(value).upper()
    if len(plain) != 3 or not (plain.isascii() and plain.isalpha()):
        raise ValueError(f"{plain[:20]!r} is not a currency code of three letters")
    return plain


def _status(value: object) -> str:
    plain = text(value)
    if plain not in STATUSES:
        raise ValueError(f"{plain[:40]!r} is none of {', '.join(sorted(STATUSES))}")
    return plain


def _first_image(value: object) -> str:
    return next(iter(image_urls(value)), "")


_count = partial(whole_number, limit=STOCK_LIMIT)
_FIELDS = {
    "id": Field("source_id", identifier, ""),
    "title": Field("title", partial(words, limit=TITLE_LIMIT), ""),
    "description": Field("description", text, ""),
    "price": Field("price", money_range),
    "price_min": Field("price_min", money),
    "price_max": Field("price_max", money),
    "currency": Field("currency", _currency, "CNY"),
    "quote_type": Field("quote_type", partial(whole_number, limit=3)),
    "stock": Field("stock", _count),
    "min_order_quantity": Field("min_order_quantity", whole_number),
    "unit": Field("unit", partial(word, limit=20), ""),
    "sold_count": Field("sold_count", _count, 0),
    "images": Field("images", image_urls, ()),
    "status": Field("status", _status, "published"),
    "url": Field("url", web_address, ""),
    "updated_at": Field("source_updated_at", moment),
}
_TIER_FIELDS = {"start_quantity": Field("start_quantity", whole_number), "price": Field("price", money)}
_SKU_FIELDS = {
    "id": Field("source_sku_id", identifier, ""),
    "spec_id": Field("spec_id", partial(text, limit=64), ""),
    "code": Field("code", partial(text, limit=100), ""),
    "price": Field("price", money),
    "stock": Field("stock", _count, 0),
    "image": Field("image", _first_image, ""),
}
_SHOP_FIELDS = {
    "id": Field("source_id", identifier, ""),
    "name": Field("name", _name, ""),
    "url": Field("url", web_address, ""),
    "location": Field("location", _name, ""),
}
_CATEGORY_ID = Field("id", category_number)
_CATEGORY_NAMES = Field("names", partial(names, coerce=_name), ())
_CATEGORY_KEYS = frozenset({"id", "names", "levels"})
_NESTED = ("category", "shop", "price_tiers", "attributes", "skus")


class Mapping:
    """A compiled mapping. Its methods take one decoded record and raise RecordRejected with the field's name."""

    def __init__(self, spec: dict[str, Any]) -> None:
        """Compile `spec`.

        Raises:
            FatalSourceError: `invalid_mapping`, naming the key.
        """
        refuse_unknown(spec, frozenset(_FIELDS) | frozenset(_NESTED), "")
        plain = {key: value for key, value in spec.items() if key not in _NESTED}
        self._reads = compile_fields(plain, _FIELDS, "", required=("id", "title"))
        compilers = {
            "category": _compile_category,
            "shop": _compile_shop,
            "price_tiers": _compile_tiers,
            "attributes": _compile_attributes,
            "skus": _compile_skus,
        }
        self._reads |= {key: compilers[key](spec[key], key) for key in _NESTED if key in spec}
        self.category_id = _compile_category_id(spec.get("category"))
        self._knows_category_ids = isinstance(spec.get("category"), dict) and "id" in spec["category"]
        self._updated_at = self._reads.get("source_updated_at")
        self.decode_key = _decode_key(spec)

    @property
    def knows_category_ids(self) -> bool:
        """Whether records say the platform's category numbers."""
        return self._knows_category_ids

    @property
    def knows_updates(self) -> bool:
        """Whether records say when they last changed."""
        return self._updated_at is not None

    def source_id(self, record: dict[str, Any]) -> str:
        """The record's id, "" when it has none."""
        source_id: str = self._reads["source_id"](record)
        return source_id

    def updated_at(self, record: dict[str, Any]) -> datetime | None:
        """When the record last changed, None when it does not say."""
        return self._updated_at(record) if self._updated_at else None

    def product(self, record: dict[str, Any]) -> ProductRecord:
        """The product one record describes, with the prices that follow from the others filled in."""
        values = {target: read(record) for target, read in self._reads.items()}
        for key, field in (("source_id", "id"), ("title", "title")):
            if not values[key]:
                raise rejected(field, "is empty")
        return ProductRecord(**_completed(values))


def _decode_key(spec: dict[str, Any]) -> Callable[[bytes], dict[str, Any]]:
    """Decodes as much of a record as says its id, its category's number and when it changed."""
    category = spec.get("category")
    places = [spec["id"], spec.get("updated_at"), category.get("id") if isinstance(category, dict) else None]
    names = [first_name(place) for place in places if place is not None]
    return decode_part(filter(None, names)) if all(names) else decode


def _completed(values: dict[str, Any]) -> dict[str, Any]:
    tiers: tuple[PriceTier, ...] = values.get("price_tiers", ())
    skus: tuple[SkuRecord, ...] = values.get("skus", ())
    least = values.get("min_order_quantity") or (tiers[0].start_quantity if tiers else 1)
    values["min_order_quantity"] = least
    if values.get("stock") is None:
        values["stock"] = sum(sku.stock for sku in skus)
    shown = values.get("price") or ()
    sku_prices = [sku.price for sku in skus if sku.price is not None]
    values["price"] = shown[0] if shown else _price_at(least, tiers, sku_prices)
    limits = (values.get("price_min"), values.get("price_max"))
    known = [price for price in (*shown, *limits, *(tier.price for tier in tiers), *sku_prices) if price is not None]
    values["price_min"], values["price_max"] = (min(known), max(known)) if known else (None, None)
    return values


def _price_at(quantity: int, tiers: tuple[PriceTier, ...], sku_prices: list[Decimal]) -> Decimal | None:
    """The tier that holds at `quantity` (the first one below its start), else the cheapest SKU."""
    reached = [tier.price for tier in tiers if tier.start_quantity <= quantity] or [tier.price for tier in tiers[:1]]
    return reached[-1] if reached else min(sku_prices, default=None)


def _compile_category(spec: object, where: str) -> Read:
    if not isinstance(spec, dict) or spec.keys() & {"path", "const"}:
        return _category_of(lambda _: None, [compile_field(where, spec, _CATEGORY_NAMES)])
    refuse_unknown(spec, _CATEGORY_KEYS, where)
    levels = spec.get("levels", [])
    if not isinstance(levels, list):
        raise invalid_mapping(f"{where}.levels", "must be a list, one value a level from the root")
    parts = [(f"{where}.levels[{number}]", level) for number, level in enumerate(levels)]
    if "names" in spec:
        parts.append((f"{where}.names", spec["names"]))
    return _category_of(
        _compile_category_id(spec), [compile_field(name, part, _CATEGORY_NAMES) for name, part in parts]
    )


def _category_of(number: Read, levels: list[Read]) -> Read:
    def category(record: Any) -> CategoryRef | None:
        found = number(record)
        path = tuple(name for level in levels for name in level(record))
        return CategoryRef(id=found, names=path) if found or path else None

    return category


def _compile_category_id(spec: object) -> Callable[[Any], int | None]:
    if not isinstance(spec, dict) or "id" not in spec:
        return lambda _: None
    return compile_field("category.id", spec["id"], _CATEGORY_ID)


def _compile_shop(spec: object, where: str) -> Read:
    reads = compile_fields(spec, _SHOP_FIELDS, where, required=("id",))

    def shop(record: Any) -> ShopRecord | None:
        values = {target: read(record) for target, read in reads.items()}
        if not values["source_id"]:
            return None
        return ShopRecord(**{**values, "name": values.get("name") or values["source_id"]})

    return shop


def _compile_tiers(spec: object, where: str) -> Read:
    elements, fields = compile_nested(spec, where)
    reads = compile_fields(fields, _TIER_FIELDS, f"{where}.fields", required=("start_quantity", "price"))
    start, price = reads["start_quantity"], reads["price"]

    def tiers(record: Any) -> tuple[PriceTier, ...]:
        steps = ((start(element), price(element)) for element in elements(record))
        shown = {quantity or 1: amount for quantity, amount in steps if amount is not None}
        return tuple(PriceTier(quantity, shown[quantity]) for quantity in sorted(shown))

    return tiers


def _compile_attributes(spec: object, where: str) -> Read:
    return guarded(where, compile_attributes(spec, where), Field(where, lambda found: found, {}))


def _compile_skus(spec: object, where: str) -> Read:
    elements, fields = compile_nested(spec, where)
    inside = f"{where}.fields"
    plain = {key: value for key, value in fields.items() if key != "spec"} if isinstance(fields, dict) else fields
    reads = compile_fields(plain, _SKU_FIELDS, inside, required=("id",))
    if "spec" in fields:
        reads["spec"] = _compile_spec(fields["spec"], f"{inside}.spec")

    def skus(record: Any) -> tuple[SkuRecord, ...]:
        found = [SkuRecord(**{target: read(element) for target, read in reads.items()}) for element in elements(record)]
        if not all(sku.source_sku_id for sku in found):
            raise rejected(f"{inside}.id", "is empty")
        return tuple({sku.source_sku_id: sku for sku in found}.values())

    return skus


def _compile_spec(spec: object, where: str) -> Read:
    def joined(found: dict[str, Any]) -> dict[str, str]:
        return {name: value if isinstance(value, str) else " ".join(value) for name, value in found.items()}

    return guarded(where, compile_attributes(spec, where), Field(where, joined, {}))
