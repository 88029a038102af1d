"""A product as the platform writes it, in both of its spellings.

The seller's APIs and the cross-border detail name most fields differently; one struct takes both, and whoever reads
it takes the field that is there. Numbers and texts are `Any`: they come in any type and are coerced by name.
"""

from decimal import Decimal, InvalidOperation
from typing import Any

import msgspec
from msgspec import field

LARGEST_EXPONENT = 400


class WireAttribute(msgspec.Struct, gc=False):
    """One attribute of a product; repeated names are several values."""

    name: Any = field(name="attributeName", default=None)
    value: Any = None


class WireSkuAttribute(msgspec.Struct, gc=False):
    """One property of a variant, such as its colour."""

    display_name: Any = field(name="attributeDisplayName", default=None)
    name: Any = field(name="attributeName", default=None)
    attribute_value: Any = field(name="attributeValue", default=None)
    value: Any = None
    image: Any = field(name="skuImageUrl", default=None)


class WireTier(msgspec.Struct, gc=False):
    """A price from a quantity on."""

    start_quantity: Any = field(name="startQuantity", default=None)
    price: Any = None


class WireSku(msgspec.Struct, gc=False):
    """One variant."""

    sku_id: Any = field(name="skuId", default=None)
    spec_id: Any = field(name="specId", default=None)
    cargo_number: Any = field(name="cargoNumber", default=None)
    sku_code: Any = field(name="skuCode", default=None)
    amount_on_sale: Any = field(name="amountOnSale", default=None)
    price: Any = None
    price_range: list[WireTier | None] | None = field(name="priceRange", default=None)
    attributes: list[WireSkuAttribute | None] | None = None
    sku_attributes: list[WireSkuAttribute | None] | None = field(name="skuAttributes", default=None)


class WireUnit(msgspec.Struct, gc=False):
    """The unit of sale of the cross-border detail."""

    unit: Any = None


class WireSale(msgspec.Struct, gc=False):
    """Prices, stock and unit. `quote_type` says which prices count."""

    quote_type: Any = field(name="quoteType", default=None)
    price_auth: Any = field(name="priceAuth", default=None)
    price_ranges: list[WireTier | None] | None = field(name="priceRanges", default=None)
    price_range_list: list[WireTier | None] | None = field(name="priceRangeList", default=None)
    amount_on_sale: Any = field(name="amountOnSale", default=None)
    min_order_quantity: Any = field(name="minOrderQuantity", default=None)
    unit: Any = None
    unit_info: WireUnit | None = field(name="unitInfo", default=None)


class WireRowPrice(msgspec.Struct, gc=False):
    """The one price of a search row."""

    price: Any = None


class WireImages(msgspec.Struct, gc=False):
    """Pictures in their order; relative ones belong to the platform's picture host."""

    images: Any = None


class WireShipping(msgspec.Struct, gc=False):
    """Where the goods are sent from."""

    address: Any = field(name="sendGoodsAddressText", default=None)


class WireProduct(msgspec.Struct, gc=False):
    """A product; the first name of a pair is the seller's spelling, the second the cross-border one."""

    product_id: Any = field(name="productID", default=None)
    offer_id: Any = field(name="offerId", default=None)
    subject: Any = None
    description: Any = None
    status: Any = None
    category_id: Any = field(name="categoryID", default=None)
    cross_category_id: Any = field(name="categoryId", default=None)
    category_name: Any = field(name="categoryName", default=None)
    attributes: list[WireAttribute | None] | None = None
    product_attribute: list[WireAttribute | None] | None = field(name="productAttribute", default=None)
    image: WireImages | None = None
    product_image: WireImages | None = field(name="productImage", default=None)
    sku_infos: list[WireSku | None] | None = field(name="skuInfos", default=None)
    product_sku_infos: list[WireSku | None] | None = field(name="productSkuInfos", default=None)
    sale_info: WireSale | None = field(name="saleInfo", default=None)
    product_sale_info: WireSale | None = field(name="productSaleInfo", default=None)
    min_order_quantity: Any = field(name="minOrderQuantity", default=None)
    shipping_info: WireShipping | None = field(name="shippingInfo", default=None)
    product_shipping_info: WireShipping | None = field(name="productShippingInfo", default=None)
    supplier_user_id: Any = field(name="supplierUserId", default=None)
    supplier_login_id: Any = field(name="supplierLoginId", default=None)
    seller_login_id: Any = field(name="sellerLoginId", default=None)
    seller_open_id: Any = field(name="sellerOpenId", default=None)
    company_name: Any = field(name="companyName", default=None)
    booked_count: Any = field(name="bookedCount", default=None)
    sold_out: Any = field(name="soldOut", default=None)  # units sold, in spite of its name
    modify_time: Any = field(name="modifyTime", default=None)
    last_update_time: Any = field(name="lastUpdateTime", default=None)
    modify_date: Any = field(name="modifyDate", default=None)
    # What only the rows of a search have.
    price_info: WireRowPrice | None = field(name="priceInfo", default=None)
    image_url: Any = field(name="imageUrl", default=None)
    top_category_id: Any = field(name="topCategoryId", default=None)
    second_category_id: Any = field(name="secondCategoryId", default=None)
    third_category_id: Any = field(name="thirdCategoryId", default=None)


class WireIds(msgspec.Struct, gc=False):
    """No more of a product than says which one it is."""

    product_id: Any = field(name="productID", default=None)
    offer_id: Any = field(name="offerId", default=None)


def exact_number(text: str) -> Decimal:
    """The digits of a JSON number, not their nearest binary fraction; NaN for one beyond 10^±400, of which some cannot
    even be divided."""
    try:
        number = Decimal(text)
    except InvalidOperation:
        return Decimal("NaN")
    return number if abs(number.adjusted()) < LARGEST_EXPONENT else Decimal("NaN")


decode_product = msgspec.json.Decoder(WireProduct, float_hook=exact_number).decode
decode_ids = msgspec.json.Decoder(WireIds, float_hook=exact_number).decode
