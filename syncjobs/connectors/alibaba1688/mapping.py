"""From the platform's bytes of one product to a ProductRecord. Pure; raises only RecordRejected."""

import re
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import msgspec

from products.records import CategoryRef, ProductRecord, ShopRecord, SkuRecord
from syncjobs.connectors.alibaba1688.answers import without_lone_surrogates
from syncjobs.connectors.alibaba1688.fields import (
    LARGEST_COUNT,
    count,
    first,
    image_address,
    image_addresses,
    offer_id,
    read,
    rejected,
    sku_id,
    word,
)
from syncjobs.connectors.alibaba1688.prices import Pricing, SkuPrice, pricing
from syncjobs.connectors.alibaba1688.shapes import (
    WireAttribute,
    WireIds,
    WireImages,
    WireProduct,
    WireSale,
    WireSku,
    WireSkuAttribute,
    WireTier,
    decode_ids,
    decode_product,
)
from syncjobs.connectors.coerce import (
    INTEGER_LIMIT,
    TITLE_LIMIT,
    moment,
    text,
    whole_number,
    words,
)

OFFER_URL = "https://detail.1688.com/offer/{}.html"

# What the catalogue has room for.
ID_LENGTH, NAME_LENGTH, UNIT_LENGTH, SPEC_ID_LENGTH = 100, 200, 20, 64
LARGEST_CATEGORY_ID = 2**63 - 1

# The platform's words for the life of an offer (1688 open platform, productInfo.status), in lower case.
STATUSES = {
    "published": "published",
    "new": "reviewing",
    "modified": "reviewing",
    "auditing": "reviewing",
    "approved": "reviewing",
    "untread": "review_failed",
    "expired": "expired",
    "auto expired": "expired",
    "member expired": "expired",
    "deleted": "deleted",
    "member deleted": "deleted",
    "tbd": "deleted",
}
# Only products that can be bought are shown without a status.
_DEFAULT_STATUS = "published"

_PLACE = re.compile(r"`\$\.?(.*?)`$")


def map_product(payload: bytes) -> ProductRecord:
    """The product in `payload`, which is `productInfo`, the cross-border detail, or a row of a search.

    A missing optional field is empty; a field that is there and cannot be used rejects the record, since half a
    product is worse than yesterday's. The price rules are those of `prices.pricing`.

    Raises:
        RecordRejected: with the platform's name of the field.
    """
    wire = _decoded(payload)
    sale = first(wire.sale_info, wire.product_sale_info) or _row_sale(wire)
    skus = [sku for sku in first(wire.sku_infos, wire.product_sku_infos) or () if sku is not None]
    minimum = _minimum(first(sale.min_order_quantity, wire.min_order_quantity))
    prices = pricing(sale, skus, minimum)
    return _record(wire, sale, minimum, prices, _skus(skus, prices))


def source_id_of(payload: bytes) -> str | None:
    """The id of a product, at a small part of the cost of `map_product`; None when it has no usable one.

    Raises:
        ValueError: not a JSON object.
    """
    ids: WireIds = decode_ids(payload)
    try:
        return offer_id(first(ids.product_id, ids.offer_id))
    except ValueError:
        return None


def _record(
    wire: WireProduct, sale: WireSale, minimum: int, prices: Pricing, skus: tuple[SkuRecord, ...]
) -> ProductRecord:
    source_id = read("productID", offer_id, first(wire.product_id, wire.offer_id))
    return ProductRecord(
        source_id=source_id,
        title=_title(wire.subject),
        description=_html(wire.description),
        category=_category(wire),
        shop=_shop(wire),
        price=prices.price,
        price_min=prices.low,
        price_max=prices.high,
        price_tiers=prices.tiers,
        quote_type=prices.quote_type,
        stock=_stock(sale.amount_on_sale, skus),
        min_order_quantity=minimum,
        unit=read("saleInfo.unit", words, _unit(sale), UNIT_LENGTH),
        sold_count=read("bookedCount", count, first(wire.booked_count, wire.sold_out)),
        images=_images(first(wire.image, wire.product_image)) or image_addresses(wire.image_url),
        attributes=read("attributes", _attributes, first(wire.attributes, wire.product_attribute) or ()),
        status=_status(wire.status),
        url=OFFER_URL.format(source_id),
        source_updated_at=_updated_at(wire),
        skus=skus,
    )


def _decoded(payload: bytes) -> WireProduct:
    try:
        return decode_product(payload)
    except msgspec.ValidationError as error:
        place = _PLACE.search(str(error))
        raise rejected(place[1] if place and place[1] else "productInfo", str(error)) from None
    except RecursionError:
        raise rejected("productInfo", "nested too deeply") from None
    except ValueError as error:
        repaired = without_lone_surrogates(payload)
        if repaired == payload:
            raise rejected("productInfo", f"not JSON: {error}") from None
    return _decoded(repaired)


def _title(value: Any) -> str:
    title = read("subject", words, value, TITLE_LIMIT)
    if not title:
        raise rejected("subject", "the product has no title")
    return title


def _html(value: Any) -> str:
    """As it is, but for NUL, which PostgreSQL cannot store."""
    if value is not None and not isinstance(value, str):
        raise rejected("description", "not text")
    return (value or "").replace("\0", "")


def _minimum(value: Any) -> int:
    minimum = max(1, read("saleInfo.minOrderQuantity", count, value))
    if minimum > INTEGER_LIMIT:
        raise rejected("saleInfo.minOrderQuantity", "out of range")
    return minimum


def _row_sale(wire: WireProduct) -> WireSale:
    """A search row's one price counts from the minimum order on."""
    if wire.price_info is None:
        return WireSale()
    return WireSale(price_ranges=[WireTier(start_quantity=wire.min_order_quantity, price=wire.price_info.price)])


def _unit(sale: WireSale) -> Any:
    return first(sale.unit, sale.unit_info and sale.unit_info.unit)


def _category(wire: WireProduct) -> CategoryRef | None:
    levels = (wire.third_category_id, wire.second_category_id, wire.top_category_id)
    stated = first(wire.category_id, wire.cross_category_id, *levels)
    number = read("categoryID", whole_number, stated, LARGEST_CATEGORY_ID)
    name = read("categoryName", words, wire.category_name, NAME_LENGTH)
    return CategoryRef(id=number, names=(name,) if name else ()) if number else None


def _shop(wire: WireProduct) -> ShopRecord | None:
    owner = wire.supplier_user_id or wire.supplier_login_id or wire.seller_open_id or wire.seller_login_id
    source_id = read("supplierUserId", text, owner, ID_LENGTH)
    if not source_id:
        return None
    label = wire.company_name or wire.supplier_login_id or wire.seller_login_id or source_id
    shipping = first(wire.shipping_info, wire.product_shipping_info)
    return ShopRecord(
        source_id=source_id,
        name=read("companyName", words, label, NAME_LENGTH) or source_id,
        location=read("sendGoodsAddressText", words, shipping and shipping.address, NAME_LENGTH),
    )


def _stock(value: Any, skus: Sequence[SkuRecord]) -> int:
    return sum(sku.stock for sku in skus) if value is None else read("saleInfo.amountOnSale", count, value)


def _images(wire: WireImages | None) -> tuple[str, ...]:
    return image_addresses(wire.images) if wire else ()


def _attributes(wire: Iterable[WireAttribute | None]) -> dict[str, Any]:
    """Name to value, or to the list of values when a name is repeated; empty names and values are left out.

    Raises:
        ValueError: a name or value is no text.
    """
    attributes: dict[str, Any] = {}
    for attribute in filter(None, wire):
        name, value = word(attribute.name), word(attribute.value)
        if not name or not value:
            continue
        known = attributes.get(name)
        if known is None:
            attributes[name] = value
        else:
            attributes[name] = [*known, value] if isinstance(known, list) else [known, value]
    return attributes


def _skus(wire: Sequence[WireSku], prices: Pricing) -> tuple[SkuRecord, ...]:
    """One record per SKU id; of a repeated id the last one counts."""
    records = map(_sku, wire, prices.skus)
    return tuple({record.source_sku_id: record for record in records}.values())


def _sku(wire: WireSku, price: SkuPrice) -> SkuRecord:
    spec_id = wire.spec_id
    if not _is_plain(spec_id, SPEC_ID_LENGTH):
        spec_id = read("skuInfos.specId", text, spec_id, SPEC_ID_LENGTH)
    source_sku_id = str(wire.sku_id) if type(wire.sku_id) is int else read("skuInfos.skuId", sku_id, wire.sku_id)
    if not (source_sku_id or spec_id):
        raise rejected("skuInfos.skuId", "the SKU has no id")
    stock, code = wire.amount_on_sale, wire.cargo_number or wire.sku_code
    if type(stock) is not int or not 0 <= stock <= LARGEST_COUNT:
        stock = read("skuInfos.amountOnSale", count, stock)
    properties = wire.sku_attributes if wire.attributes is None else wire.attributes
    return SkuRecord(
        source_sku_id=source_sku_id or spec_id,
        spec_id=spec_id,
        code=read("skuInfos.cargoNumber", text, code, ID_LENGTH) if code is not None else "",
        spec=read("skuInfos.attributes", _spec, properties or ()),
        price=price.own,
        price_tiers=price.tiers,
        stock=stock,
        image=_first_image(properties or ()),
    )


def _is_plain(value: Any, limit: int) -> bool:
    """Whether a value is text of letters and digits alone, as `text` would leave it."""
    return type(value) is str and value.isalnum() and len(value) <= limit


def _first_image(properties: Iterable[WireSkuAttribute | None]) -> str:
    for each in properties:
        if each is not None and isinstance(each.image, str) and (address := image_address(each.image)):
            return address
    return ""


def _spec(properties: Iterable[WireSkuAttribute | None]) -> dict[str, str]:
    """Name to value of a variant. Raises as `_attributes`."""
    spec = {}
    for each in filter(None, properties):
        name = word(each.display_name or each.name)
        value = word(each.value if each.attribute_value is None else each.attribute_value)
        if name and value:
            spec[name] = value
    return spec


def _status(value: Any) -> str:
    """Our word for the platform's. An unknown word rejects the record: to guess would show what is withdrawn or
    hide what is sold, while a rejection leaves the stored product as it is and shows the new word to an operator."""
    said = read("status", text, value, NAME_LENGTH).lower()
    status = STATUSES.get(said) if said else _DEFAULT_STATUS
    if status is None:
        raise rejected("status", f"unknown status {said[:40]!r}")
    return status


def _updated_at(wire: WireProduct) -> datetime | None:
    moments = [
        found
        for name, value in (
            ("modifyTime", wire.modify_time),
            ("lastUpdateTime", wire.last_update_time),
            ("modifyDate", wire.modify_date),
        )
        if value is not None and (found := read(name, moment, value)) is not None
    ]
    return max(moments, default=None)
