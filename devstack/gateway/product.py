"""A product in the shape of `productInfo` (1688 open platform, product fields), built from its blueprint."""

from functools import cache
from typing import Any

from .blueprint import Blueprint
from .categories import CATEGORIES
from .clock import format_date
from .goods import GOODS
from .revision import Kind
from .suppliers import Supplier
from .vocabulary import BRANDS, DESCRIPTION_LINES, OPENINGS, ORNAMENTS, RETITLES, TAILS, Trade
from .wheel import Traits

Json = dict[str, Any]

TITLE_LIMIT = 128
_HUGE_DESCRIPTION_BYTES = 300_000
# Odd 128-bit numbers, so that neighbouring products and slots get specIds that look unrelated.
_SPEC_SALT = 0xC2B2AE3D27D4EB4F165667B19E3779F9
_SPEC_STEP = 0x9E3779B97F4A7C15F39CC0605CEDC835
_SPEC_MASK = (1 << 128) - 1
_FIRST_SKU_ID = 5_000_000_000_000
_SKU_IDS_EACH = 64
# Numbers below belong to the pictures of the product itself.
_SKU_IMAGES_FROM = 16
_VIDEO_HOST = "https://cloud.video.taobao.com/"
_IMAGE_HOST = "https://cbu01.alicdn.com/"


def build(product_id: int, blueprint: Blueprint, traits: Traits, supplier: Supplier) -> Json:
    """The complete record; `traits` carry what mutations changed about category, status and time."""
    draw = blueprint.draw
    cargo = f"{'ABCDEFGHJKLMNPQR'[draw.below(16)]}{draw.below(90) + 10}-{draw.below(9000) + 1000}"
    images = [_image(blueprint.salt, supplier, number) for number in range(draw.between(2, 6))]
    created = f"20{draw.between(18, 23)}{draw.between(1, 12):02}{draw.between(1, 28):02}{draw.between(8, 22):02}"
    product: Json = {
        "productID": product_id,
        "productType": "wholesale",
        "categoryID": traits.leaf,
        "categoryName": _category_name(blueprint, traits.leaf),
        "attributes": _attributes(blueprint, cargo),
        "groupID": [107_331_000 + draw.below(900)] if draw.below(3) else [],
        "status": traits.status,
        "subject": _subject(blueprint),
        "description": _description(blueprint, images),
        "language": "CHINESE",
        "periodOfValidity": 3650,
        "bizType": draw.pick((1, 1, 1, 2)),
        "pictureAuth": False,
        "image": {"images": images},
        "skuInfos": _skus(product_id, blueprint, supplier, cargo),
        "saleInfo": _sale_info(blueprint),
        "shippingInfo": _shipping_info(blueprint, supplier),
    }
    product |= _sales_facts(blueprint, traits, supplier, product["skuInfos"], cargo, created)
    if not blueprint.prices_hidden:
        low, high = blueprint.tiers[-1][1], blueprint.tiers[0][1]
        product["referencePrice"] = f"{low / 100}~{high / 100}" if low < high else f"{high / 100}"
    if blueprint.oddity == "text_prices":
        _write_prices_as_text(product)
    return product


def _sales_facts(
    blueprint: Blueprint, traits: Traits, supplier: Supplier, skus: list[Json], cargo: str, created: str
) -> Json:
    draw = blueprint.draw
    modified = format_date(traits.modified)
    return {
        "extendInfos": _extend_infos(blueprint, skus),
        "supplierUserId": supplier.user_id,
        "supplierLoginId": supplier.login,
        "sellerLoginId": supplier.login,
        "qualityLevel": draw.between(1, 5),
        "mainVedio": _video(blueprint, supplier),
        "productCargoNumber": cargo,
        "crossBorderOffer": draw.below(10) == 0,
        "bookedCount": str(draw.below(100) ** draw.between(1, 2)),
        "sevenDaysRefunds": draw.below(4) > 0,
        "createTime": f"{created}1638000+0800",
        "approvedTime": f"{created}3001000+0800",
        "lastRepostTime": modified,
        "modifyTime": modified,
        "lastUpdateTime": modified,
        "expireTime": "20350310201638000+0800" if traits.status == "published" else modified,
    }


def _image(salt: int, supplier: Supplier, number: int) -> str:
    return f"img/ibank/O1CN01{(salt + number) % 0xFFFFFFFF:08x}_!!{supplier.user_id}-0-cib.jpg"


def _video(blueprint: Blueprint, supplier: Supplier) -> str:
    if blueprint.draw.below(4):
        return ""
    return f"{_VIDEO_HOST}play/u/{supplier.user_id}/p/1/e/6/t/1/{blueprint.salt % 10**12}.mp4"


def _category_name(blueprint: Blueprint, leaf: int) -> str:
    name = CATEGORIES[leaf].name
    return f"{name}（停用）" if blueprint.oddity == "category_renamed" else name


def _subject(blueprint: Blueprint) -> str:
    draw, trade = blueprint.draw, blueprint.trade
    words = (
        draw.pick(OPENINGS),
        draw.pick(trade.styles),
        *draw.some(trade.features, draw.between(1, 3)),
        draw.pick(trade.materials) if draw.below(3) == 0 else "",
        draw.pick(GOODS[blueprint.leaf].nouns),
        draw.pick(TAILS),
    )
    subject = ("" if draw.below(3) else " ").join(word for word in words if word)
    if draw.below(25) == 0:
        subject = draw.pick(ORNAMENTS).format(subject)
    if blueprint.oddity == "title_128":
        subject = (subject * TITLE_LIMIT)[:TITLE_LIMIT]
    changes = blueprint.history.times(Kind.TITLE)
    return f"{RETITLES[changes % len(RETITLES)]} {subject}"[:TITLE_LIMIT] if changes else subject


def _attributes(blueprint: Blueprint, cargo: str) -> list[Json]:
    draw, trade = blueprint.draw, blueprint.trade
    rows = [
        {"attributeID": 2176, "attributeName": "品牌", "value": draw.pick(BRANDS), "isCustom": False},
        {"attributeID": 1398, "attributeName": "货号", "value": cargo, "isCustom": False},
    ]
    number, name = trade.material_property
    rows.append(_listed(number, name, draw.pick(trade.materials)))
    for number, name, values in trade.extra:
        rows += [_listed(number, name, value) for value in draw.some(values, draw.pick((1, 1, 2)))]
    if blueprint.slots:
        rows += _option_rows(trade, blueprint)
    return rows


def _option_rows(trade: Trade, blueprint: Blueprint) -> list[Json]:
    (first, first_name, _), (second, second_name, _) = trade.axes
    custom = [_custom(first, first_name, value) for value in blueprint.colours]
    return custom + [_listed(second, second_name, value) for value in blueprint.sizes]


# The rows below depend on the vocabulary alone, so products share them; nobody may change one in place.
@cache
def _custom(number: int, name: str, value: str) -> Json:
    """A value the seller typed."""
    return {"attributeID": number, "attributeName": name, "value": value, "isCustom": True}


@cache
def _listed(number: int, name: str, value: str) -> Json:
    """A value from the platform's own list, so it has a number."""
    value_id = 28_000 + sum(value.encode()) * 7
    return {"attributeID": number, "attributeName": name, "valueID": value_id, "value": value, "isCustom": False}


@cache
def _option(number: int, name: str, value: str) -> Json:
    """One option of a SKU."""
    return {"attributeID": number, "attributeValue": value, "attributeDisplayName": name, "attributeName": name}


def _skus(product_id: int, blueprint: Blueprint, supplier: Supplier, cargo: str) -> list[Json]:
    colours = _colour_options(blueprint, supplier)
    (first, first_name, _), (second, second_name, _) = blueprint.trade.axes
    # Two products of one category may share specIds: they are unique only inside a product.
    spec = _SPEC_SALT * (blueprint.leaf if blueprint.oddity == "shared_spec_ids" else blueprint.salt ^ product_id)
    first_sku_id = _FIRST_SKU_ID + blueprint.index * _SKU_IDS_EACH
    skus: list[Json] = [
        {
            "attributes": [
                colours.get(colour) or _option(first, first_name, colour),
                _option(second, second_name, size),
            ],
            "cargoNumber": f"{cargo}-{slot + 1}" if slot % 5 else "",
            "amountOnSale": stock,
            "skuId": first_sku_id + slot,
            "specId": f"{(spec + slot * _SPEC_STEP) & _SPEC_MASK:032x}",
        }
        for slot, stock, (colour, size) in zip(blueprint.slots, blueprint.stocks, blueprint.sku_options(), strict=False)
    ]
    if not blueprint.prices_hidden:
        for sku, fen in zip(skus, blueprint.sku_fen(), strict=True):
            _add_prices(sku, fen, blueprint)
    return skus


def _colour_options(blueprint: Blueprint, supplier: Supplier) -> dict[str, Json]:
    """The first option by its value, with a picture; some sellers picture only the first."""
    number, name, _ = blueprint.trade.axes[0]
    pictured = 1 if blueprint.draw.below(6) == 0 else len(blueprint.colours)
    return {
        value: _option(number, name, value)
        | {"skuImageUrl": _image(blueprint.salt, supplier, _SKU_IMAGES_FROM + place)}
        for place, value in enumerate(blueprint.colours[:pictured])
    }


def _add_prices(sku: Json, fen: int, blueprint: Blueprint) -> None:
    """`price` under quoteType 1, `priceRange` under 3, neither under 2, where the product's own ranges rule."""
    sku["retailPrice"] = fen * 2 / 100
    sku["consignPrice"] = (fen + max(1, fen // 20)) / 100
    if blueprint.quote_type == 1:
        sku["price"] = fen / 100
    elif blueprint.quote_type == 3:
        sku["priceRange"] = [
            {"startQuantity": blueprint.minimum, "price": fen / 100},
            {"startQuantity": blueprint.minimum + 99, "price": max(1, fen * 9 // 10) / 100},
        ]


def _write_prices_as_text(product: Json) -> None:
    """Some records hold `"39.80"` where others hold 39.8."""
    ranges = [product["saleInfo"]["priceRanges"], *(sku.get("priceRange", ()) for sku in product["skuInfos"])]
    for row in [*product["skuInfos"], *(step for steps in ranges for step in steps)]:
        for name in row.keys() & {"price", "retailPrice", "consignPrice"}:
            row[name] = f"{row[name]:.2f}"


def _sale_info(blueprint: Blueprint) -> Json:
    in_stock = sum(blueprint.stocks)
    by_quantity = blueprint.quote_type in (0, 2) and not blueprint.prices_hidden
    sale: Json = {
        "supportOnlineTrade": True,
        "mixWholeSale": blueprint.salt % 3 == 0,
        "saleType": "normal",
        "priceAuth": blueprint.prices_hidden,
        "priceRanges": [{"startQuantity": start, "price": fen / 100} for start, fen in blueprint.tiers if by_quantity],
        "amountOnSale": float(in_stock),
        "unit": blueprint.trade.unit,
        "minOrderQuantity": blueprint.minimum,
        "quoteType": blueprint.quote_type,
    }
    if blueprint.salt % 29 == 0:
        sale |= {"saleType": "batch", "sellunit": "手", "batchNumber": 12}
    return sale


def _shipping_info(blueprint: Blueprint, supplier: Supplier) -> Json:
    typo = blueprint.oddity == "weight_typo"
    shipping: Json = {
        "unitWeight": 10_000.0 if typo else blueprint.grams / 1000,
        "freightTemplateID": supplier.freight_template,
        "sendGoodsAddressText": supplier.address,
    }
    if blueprint.salt % 4:
        side = 5 + blueprint.grams % 40
        shipping |= {"width": float(side), "height": float(1 + side // 3), "length": float(side + 8)}
    return shipping


def _extend_infos(blueprint: Blueprint, skus: list[Json]) -> list[Json]:
    if blueprint.salt % 5 == 0:
        return []
    consign = ";".join(f"{sku['skuId']}:{sku['consignPrice']}" for sku in skus if "consignPrice" in sku)
    rows = [{"key": "consignPrice", "value": consign}] if consign else []
    return [*rows, {"key": "buyerProtection", "value": '["psbj","ssbxsfh"]'}]


def _description(blueprint: Blueprint, images: list[str]) -> str:
    draw = blueprint.draw
    lines = draw.some(DESCRIPTION_LINES, draw.below(5))
    body = "".join(f"<p>{line}</p>" for line in lines)
    pictures = "".join(f'<img src="{_IMAGE_HOST}{image}" alt=""/>' for image in images[1:])
    html = f'<div id="offer-template-0"></div>{body}{pictures}' if lines else ""
    if blueprint.oddity == "script_in_description":
        html += '<script>window.offer={"track":1};</script><p style="color:red" onclick="alert(1)">点击领券</p>'
    if blueprint.oddity == "huge_description":
        paragraph = f"<p>{''.join(DESCRIPTION_LINES)}</p>"
        html += paragraph * (_HUGE_DESCRIPTION_BYTES // len(paragraph.encode()))
    return html
