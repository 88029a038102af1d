"""The handlers of the product, category, token and time APIs."""

from . import errors, params
from .apis import Api, BusinessError, Call, Json, category_refusal, flat_refusal, listing_refusal, success_refusal
from .auth import refresh_timeout
from .categories import CATEGORIES, ROOT, TOP_LEVEL, Category, leaves_under
from .clock import format_date
from .pool import POOL_APIS
from .pulling import PULL_APIS
from .relations import MAX_IDS, RELATION_APIS
from .search import SEARCH_APIS
from .spoil import claimed_total, page_start, seeming_total, spoil_record
from .translations import TRANSLATION_APIS
from .wheel import Filter

MAX_PAGE_SIZE = 20
_DETAIL_FIELDS = ("description", "attributes", "skuInfos", "extendInfos")
_ORDERS = ("ID", "MODIFY_DATE")
# Conditions of the real API that would have to look into every product; ignoring one would be a wrong answer.
_UNSUPPORTED_CONDITIONS = (
    "subjectKey", "cargoNumber", "groupIds", "beginStar", "endStar", "startPublishTime", "endPublishTime",
    "startExpiredTime", "endExpiredTime", "priceStart", "priceEnd", "supportOnlineTrade", "privateOffer",
)  # fmt: skip
_BIZ_GROUPS = [
    {"support": True, "description": "1688代销产品", "code": "isConsignMarketOffer"},
    {"support": False, "description": "微供商品", "code": "isMicroSupply"},
]


def current_time(call: Call) -> Json:
    """`system/currentTime`."""
    return {"result": format_date(call.state.clock.now())}


def category_get(call: Call) -> Json:
    """`alibaba.category.get`: one category, or all of level one for 0."""
    number = params.whole(call.params, "categoryID", ROOT)
    if number != ROOT and number not in CATEGORIES:
        raise BusinessError(f"类目[{number}]不存在", "CATEGORY_NOT_FOUND")
    wanted = TOP_LEVEL if number == ROOT else (number,)
    rows = [spoil_record(_category_row(CATEGORIES[each]), each, call.fired) for each in wanted]
    return {"succes": "true", "categoryInfo": rows}


def _category_row(category: Category) -> Json:
    return {
        "categoryID": category.id,
        "name": category.name,
        "isLeaf": category.is_leaf,
        "parentIDs": [category.parent],
        "minOrderQuantity": 0,
        "categoryType": "1",
        "isSupportProcessing": True,
        "featureInfos": [{"key": "name", "value": "jiagong", "status": 0, "hierarchy": True}],
        "childCategorys": [
            {"id": child.id, "name": child.name, "isLeaf": child.is_leaf, "categoryType": "1"}
            for child in map(CATEGORIES.__getitem__, category.children)
        ],
    }


def product_list(call: Call) -> Json:
    """`alibaba.product.list.get`: the seller's products, filtered, ordered, 20 a page at most."""
    page = max(1, params.whole(call.params, "pageNo", 1))
    size = min(max(1, params.whole(call.params, "pageSize", MAX_PAGE_SIZE)), MAX_PAGE_SIZE)
    total, indexes = (0, []) if call.state.empty_listings else _page(call, page, size)
    detailed = params.flag(call.params, "needDetail")
    rows = [_row(call, index, detailed=detailed) for index in indexes]
    result = {"sizePerPage": size, "pageIndex": page, "totalRecords": total, "resultList": rows}
    return {"result": {"pageResult": result}, "success": True, "message": None, "code": None}


def _page(call: Call, page: int, size: int) -> tuple[int, list[int]]:
    conditions = _conditions(call)
    order = call.params.get("orderByCondition") or _ORDERS[0]
    if order not in _ORDERS:
        raise BusinessError(f"不支持的排序: {order}", "ORDER_BY_INVALID")
    descending = call.params.get("orderByType", "").upper() == "DESC"
    start = page_start(page, size, call.fired)
    wanted = params.numbers(call.params, "productIds")
    if wanted is not None:
        matching = _matching(call, wanted, conditions, by_modification=order != _ORDERS[0])
        return len(matching), (matching[::-1] if descending else matching)[start : start + size]
    listing = call.state.live.listing(conditions, by_modification=order != _ORDERS[0])
    total = claimed_total(seeming_total(len(listing), size, call.fired), page, call.fired)
    return total, listing.window(start, size, descending=descending)


def _conditions(call: Call) -> Filter:
    for name in _UNSUPPORTED_CONDITIONS:
        if call.params.get(name):
            raise BusinessError(f"不支持的查询条件: {name}", "CONDITION_UNSUPPORTED")
    statuses = params.words(call.params, "statusList")
    category = params.whole(call.params, "categoryId", ROOT)
    return Filter(
        leaves=None if category == ROOT else leaves_under(category),
        statuses=_statuses(statuses) if statuses else None,
        modified_from=params.date(call.params, "startModifyTime"),
        modified_to=params.date(call.params, "endModifyTime"),
    )


def _statuses(words: list[str]) -> frozenset[str]:
    # Live clients send PUBLISHED as well as published; TBD is the one status written in capitals.
    return frozenset("TBD" if word.upper() == "TBD" else word.lower() for word in words)


def _matching(call: Call, ids: list[int], conditions: Filter, *, by_modification: bool) -> list[int]:
    live = call.state.live
    indexes = {index for each in ids if (index := live.find(each)) is not None}
    matching = sorted(index for index in indexes if conditions.matches(live.traits(index)))
    return sorted(matching, key=lambda index: live.traits(index).modified) if by_modification else matching


def _row(call: Call, index: int, *, detailed: bool = True) -> Json:
    record = call.state.live.product(index)
    if not detailed:
        for name in _DETAIL_FIELDS:
            del record[name]
    return spoil_record(record, record["productID"], call.fired)


def _find(call: Call, product_id: int) -> int | None:
    if "gone_in_detail" in call.fired.spoiling(product_id):
        return None
    return call.state.live.find(product_id)


def product_get(call: Call) -> Json:
    """`alibaba.product.get`: no success flag at all."""
    product_id = params.whole(call.params, "productID", 0)
    index = _find(call, product_id)
    if index is None:
        raise BusinessError(f"商品[{product_id}]不存在")
    return {"productInfo": _row(call, index), "bizGroupInfos": _BIZ_GROUPS}


def product_get_by_ids(call: Call) -> Json:
    """`alibaba.product.getByIdList`: the products that exist, in the order asked for."""
    ids = params.numbers(call.params, "productIdList") or []
    if len(ids) > MAX_IDS:
        raise BusinessError(f"productIdList最多{MAX_IDS}个")
    found = [index for each in ids if (index := _find(call, each)) is not None]
    return {"success": True, "message": None, "productList": [_row(call, index) for index in found]}


def get_token(call: Call) -> Json:
    """`system.oauth2/getToken`: exchanges a code or a refresh token; unsigned."""
    app, tokens = call.state.app, call.state.tokens
    if (call.params["client_id"], call.params["client_secret"]) != (app.key, app.secret):
        raise errors.bad_grant("client_id or client_secret is invalid")
    answer = {"aliId": app.ali_id, "resource_owner": app.owner, "memberId": app.member_id}
    if call.params["grant_type"] == "refresh_token":
        access = tokens.refresh(_required(call, "refresh_token"))
    elif call.params["grant_type"] == "authorization_code":
        _required(call, "redirect_uri")
        access, refresh = tokens.redeem(_required(call, "code"))
        if params.flag(call.params, "need_refresh_token"):
            answer |= {"refresh_token": refresh, "refresh_token_timeout": refresh_timeout(tokens, refresh)}
    else:
        raise errors.param_invalid("grant_type")
    return {**answer, "expires_in": tokens.expires_in(), "access_token": access}


def _required(call: Call, name: str) -> str:
    value = call.params.get(name)
    if not value:
        raise errors.param_missing(name)
    return value


_PRODUCT = "com.alibaba.product"

APIS = (
    Api("system", "currentTime", current_time, flat_refusal, needs_token=False),
    Api("system.oauth2", "getToken", get_token, flat_refusal,
        required=("grant_type", "client_id", "client_secret"),
        signed=False, needs_token=False, post_only=True, protocols=("http", "param2")),
    Api(_PRODUCT, "alibaba.category.get", category_get, category_refusal,
        required=("categoryID",), needs_token=False),
    Api(_PRODUCT, "alibaba.product.list.get", product_list, listing_refusal),
    Api(_PRODUCT, "alibaba.product.get", product_get, flat_refusal, required=("productID", "webSite")),
    Api(_PRODUCT, "alibaba.product.getByIdList", product_get_by_ids, success_refusal, required=("productIdList",)),
    *RELATION_APIS,
    *SEARCH_APIS,
    *POOL_APIS,
    *TRANSLATION_APIS,
    *PULL_APIS,
)  # fmt: skip
