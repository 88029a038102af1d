"""A product in the shapes of the cross-border APIs: other names, prices as text, absolute images, mixed weights."""

from typing import Any

from .categories import CATEGORIES, ROOT
from .english import english_names
from .suppliers import Supplier

Json = dict[str, Any]

IMAGE_HOST = "https://cbu01.alicdn.com/"
_LEVELS = ("topCategoryId", "secondCategoryId", "thirdCategoryId")


def detail(product: Json, supplier: Supplier, tags: frozenset[str]) -> Json:
    """`product.search.queryProductDetail`: made of `productInfo`."""
    leaf, sale = product["categoryID"], product["saleInfo"]
    return {
        "offerId": product["productID"],
        "categoryId": leaf,
        **levels_of(leaf),
        "categoryName": product["categoryName"],
        "subject": product["subject"],
        "subjectTrans": english_names()[leaf],
        "description": product["description"],
        "mainVideo": product["mainVedio"],
        "detailVideo": "",
        "productImage": {"images": [IMAGE_HOST + image for image in product["image"]["images"]], "whiteImage": None},
        "productAttribute": [_attribute(row) for row in product["attributes"]],
        "productSkuInfos": [_sku(sku) for sku in product["skuInfos"]],
        "productSaleInfo": {
            "amountOnSale": int(sale["amountOnSale"]),
            "priceRangeList": _tiers(sale["priceRanges"]),
            "quoteType": sale["quoteType"],
            "unitInfo": {"unit": sale["unit"], "transUnit": "piece"},
        },
        "productShippingInfo": _shipping(product, tags),
        "isJxhy": False,
        "sellerOpenId": open_id(supplier),
        "companyName": supplier.login,
        "minOrderQuantity": sale["minOrderQuantity"],
        "status": product["status"],
        "tagInfoList": [{"key": "isOnePsale", "value": "isOnePsale" in tags}, {"key": "select", "value": False}],
        "traceInfo": _trace(product["productID"]),
        "productCargoNumber": product["productCargoNumber"],
        "soldOut": product["bookedCount"],
        "tradeScore": "5.0",
        "createDate": _day(product["createTime"]),
        # Here it is text, in search rows a boolean.
        "isSelect": str("1688Selection" in tags).lower(),
        "promotionModel": {"hasPromotion": False, "promotionType": None},
    }


def search_row(product: Json, fen: int | None, tags: frozenset[str]) -> Json:
    """One row of `product.search.keywordQuery`."""
    leaf, booked = product["categoryID"], int(product["bookedCount"])
    price = None if fen is None else _money(fen / 100)
    return {
        "imageUrl": IMAGE_HOST + product["image"]["images"][0],
        "subject": product["subject"],
        "subjectTrans": english_names()[leaf],
        "offerId": product["productID"],
        "isJxhy": False,
        "priceInfo": {
            "price": price,
            "jxhyPrice": None,
            "pfJxhyPrice": None,
            "consignPrice": None if fen is None else _money((fen + max(1, fen // 20)) / 100),
            "promotionPrice": None,
        },
        "repurchaseRate": f"{product['productID'] % 60}%",
        "monthSold": booked // 10,
        "traceInfo": _trace(product["productID"]),
        "isOnePsale": "isOnePsale" in tags,
        "sellerIdentities": ["tp_member"],
        "offerIdentities": [],
        "tradeScore": "5.0",
        **levels_of(leaf),
        "createDate": _day(product["createTime"]),
        "modifyDate": _day(product["modifyTime"]),
        "isSelect": "1688Selection" in tags,
        "minOrderQuantity": product["saleInfo"]["minOrderQuantity"],
        "productSimpleShippingInfo": {"shippingTimeGuarantee": _promise(tags)},
        "promotionURL": f"https://detail.1688.com/offer/{product['productID']}.html?fromkv=x",
    }


def levels_of(leaf: int) -> Json:
    """The category and what it lies in, by level; a tree of two levels has no third."""
    path: list[int] = []
    while leaf != ROOT:
        path.insert(0, leaf)
        leaf = CATEGORIES[leaf].parent
    return dict(zip(_LEVELS, (*path, None, None), strict=False))


def open_id(supplier: Supplier) -> str:
    """The seller as the cross-border APIs name it."""
    return f"BBB{supplier.user_id:0>30}"


def _attribute(row: Json) -> Json:
    return {
        "attributeId": str(row["attributeID"]),
        "attributeName": row["attributeName"],
        "value": row["value"],
        "attributeNameTrans": row["attributeName"],
        "valueTrans": row["value"],
    }


def _sku(sku: Json) -> Json:
    row: Json = {
        "amountOnSale": sku["amountOnSale"],
        "skuId": sku["skuId"],
        "specId": sku["specId"],
        "cargoNumber": sku["cargoNumber"],
        "skuAttributes": [_option(option) for option in sku["attributes"]],
    }
    if "price" in sku:
        row["price"] = _money(sku["price"])
    if "priceRange" in sku:
        row["priceRange"] = _tiers(sku["priceRange"])
    if "consignPrice" in sku:
        row["consignPrice"] = _money(sku["consignPrice"])
    return row


def _option(option: Json) -> Json:
    row = {
        "attributeId": option["attributeID"],
        "attributeName": option["attributeName"],
        "attributeNameTrans": option["attributeName"],
        "value": option["attributeValue"],
        "valueTrans": option["attributeValue"],
    }
    image = option.get("skuImageUrl")
    return row | {"skuImageUrl": IMAGE_HOST + image} if image else row


def _tiers(rows: list[Json]) -> list[Json]:
    return [{"startQuantity": row["startQuantity"], "price": _money(row["price"])} for row in rows]


def _shipping(product: Json, tags: frozenset[str]) -> Json:
    """Kilograms for the product, grams in `skuShippingInfoList`, kilograms again in `skuShippingDetails`."""
    shipping = product["shippingInfo"]
    kilograms, size = shipping["unitWeight"], {name: shipping.get(name) for name in ("width", "height", "length")}
    skus = product["skuInfos"]
    return {
        "sendGoodsAddressText": shipping["sendGoodsAddressText"].replace(" ", ""),
        "weight": kilograms,
        **size,
        "skuShippingInfoList": [
            {"specId": sku["specId"], "skuId": sku["skuId"], **size, "weight": round(kilograms * 1000)} for sku in skus
        ],
        "skuShippingDetails": [
            {"skuId": str(sku["skuId"]), **size, "weight": kilograms, "pkgSizeSource": "商家自填"} for sku in skus
        ],
        "shippingTimeGuarantee": _promise(tags),
    }


def _promise(tags: frozenset[str]) -> str:
    return "shipIn24Hours" if "shipIn24Hours" in tags else "shipIn48Hours"


def _trace(product_id: int) -> str:
    return f"object_id@{product_id}^object_type@offer"


def _money(value: float | str) -> str:
    return f"{float(value):.2f}"


def _day(date: str) -> str:
    """`2025-09-05 10:43:28` of a platform date."""
    return f"{date[:4]}-{date[4:6]}-{date[6:8]} {date[8:10]}:{date[10:12]}:{date[12:14]}"
