"""`product.search.*`: what a search finds, and the window through which it shows it (1688 open platform, search)."""

from functools import cache

from . import errors, params
from .apis import Api, BusinessError, Call, Json, nested_refusal
from .categories import CATEGORIES, LEAVES, ROOT, leaves_under
from .crossborder import detail, search_row
from .english import english_names
from .finding import TAGS, Query
from .goods import GOODS
from .spoil import claimed_total, page_start, seeming_total, spoil_record
from .translations import CROSS_BORDER, REFUSED_LANGUAGE
from .wheel import PUBLISHED

MAX_PAGE_SIZE = 50
# However many offers a query finds, it shows these and counts no more.
WINDOW = 2000
# Words that say nothing about the goods, so they find all of them.
GENERIC = frozenset({"批发", "货源", "wholesale"})
# Conditions of the real API that would have to be invented; ignoring one would be a wrong answer.
_UNSUPPORTED = ("regionOpp", "productCollectionId", "snId", "saleFilterList")


@cache
def leaves_for(keyword: str) -> frozenset[int] | None:
    """The categories that a keyword is about: by the words of their goods and by their names, also the English ones."""
    wanted = keyword.strip().lower()
    if wanted in GENERIC:
        return None
    named = {
        leaf
        for number, category in CATEGORIES.items()
        if wanted in category.name.lower() or wanted in english_names()[number].lower()
        for leaf in leaves_under(number)
    }
    sold = {leaf for leaf in LEAVES if any(noun in wanted or wanted in noun for noun in GOODS[leaf].nouns)}
    return frozenset(named | sold)


def keyword_query(call: Call) -> Json:
    """`product.search.keywordQuery`."""
    document = params.document(call.params, "offerQueryParam")
    keyword = _needed(document, "keyword")
    return _page(call, document, keyword, _query(document, keyword, leaves_for(keyword)))


def seller_offers(call: Call) -> Json:
    """`product.search.querySellerOfferList`: one seller's offers, in a window like any search."""
    document = params.document(call.params, "offerQueryParam")
    seller = _needed(document, "sellerOpenId")
    return _page(call, document, seller, _query(document, seller, None, seller=seller))


def _needed(document: Json, name: str) -> str:
    value = document.get(name)
    if value in (None, ""):
        raise BusinessError(f"{name}不能为空", f"{name.upper()}_IS_NULL")
    return str(value)


def check_country(document: Json) -> None:
    """Raises BusinessError for a missing country and for China."""
    if _needed(document, "country") == REFUSED_LANGUAGE:
        raise BusinessError("country不支持zh", "COUNTRY_INVALID")


def _query(document: Json, keyword: str, leaves: frozenset[int] | None, seller: str | None = None) -> Query:
    for name in _UNSUPPORTED:
        if document.get(name):
            raise BusinessError(f"不支持的查询条件: {name}", "CONDITION_UNSUPPORTED")
    tags = frozenset(filter(None, str(document.get("filter") or "").split(",")))
    if not tags <= set(TAGS):
        raise BusinessError(f"不支持的筛选: {','.join(sorted(tags - set(TAGS)))}", "FILTER_INVALID")
    return Query(
        leaves=_within(leaves, _categories(document)),
        keyword=keyword,
        low=_fen(document, "priceStart"),
        high=_fen(document, "priceEnd"),
        tags=tags,
        seller=seller,
    )


def _within(leaves: frozenset[int] | None, categories: frozenset[int] | None) -> frozenset[int] | None:
    if leaves is None or categories is None:
        return categories if leaves is None else leaves
    return leaves & categories


def _categories(document: Json) -> frozenset[int] | None:
    numbers = [str(document.get("categoryId") or ""), *str(document.get("categoryIdList") or "").split(",")]
    try:
        wanted = [int(number) for number in numbers if number.strip()]
    except ValueError as error:
        raise errors.param_invalid("offerQueryParam") from error
    return frozenset().union(*map(leaves_under, wanted)) if wanted and wanted != [ROOT] else None


def _fen(document: Json, name: str) -> int | None:
    value = document.get(name)
    if value in (None, ""):
        return None
    try:
        return round(float(str(value)) * 100)
    except ValueError as error:
        raise errors.param_invalid("offerQueryParam") from error


def _page(call: Call, document: Json, keyword: str, query: Query) -> Json:
    check_country(document)
    if not keyword.strip():
        raise BusinessError("keyword不能为空", "KEYWORD_IS_NULL")
    page = max(1, params.number(document, "beginPage", 1))
    size = min(max(1, params.number(document, "pageSize", 20)), MAX_PAGE_SIZE)
    index = call.state.search
    found = [] if call.state.empty_listings else index.found(query, call.fired.get("drifting_order"))[:WINDOW]
    start = page_start(page, size, call.fired)
    total = claimed_total(seeming_total(len(found), size, call.fired), page, call.fired)
    rows = [_row(call, each) for each in found[max(0, start) : max(0, start + size)]]
    pages = {"totalRecords": total, "totalPage": -(-total // size), "pageSize": size, "currentPage": page}
    result = pages | {"data": _sorted(rows, document)}
    return {"result": {"success": True, "code": "200", "message": "成功", "result": result}}


def _row(call: Call, index: int) -> Json:
    live = call.state.live
    row = search_row(live.product(index), live.fen(index), call.state.search.tags_of(index))
    return spoil_record(row, row["offerId"], call.fired)


_SORTABLE = {
    "price": lambda row: float(row["priceInfo"]["price"] or 0),
    "monthSold": lambda row: int(row["monthSold"]),
    "rePurchaseRate": lambda row: int(row["repurchaseRate"].rstrip("%")),
}


def _sorted(rows: list[Json], document: Json) -> list[Json]:
    """The rows of one page in the order asked for; which rows are on the page does not depend on it."""
    if not document.get("sort"):
        return rows
    wish = params.document(document, "sort")
    for name, direction in wish.items():
        if name not in _SORTABLE:
            raise BusinessError(f"不支持的排序: {name}", "SORT_INVALID")
        rows = sorted(rows, key=_SORTABLE[name], reverse=direction == "desc")
    return rows


def product_detail(call: Call) -> Json:
    """`product.search.queryProductDetail`: one product; what is not on sale is refused."""
    document = params.document(call.params, "offerDetailParam")
    check_country(document)
    offer, live = params.number(document, "offerId", 0), call.state.live
    index = None if "gone_in_detail" in call.fired.spoiling(offer) else live.find(offer)
    if index is None:
        raise BusinessError("商品不存在", "SP0056")
    product = live.product(index)
    if product["status"] != PUBLISHED:
        raise BusinessError(f"商品[{offer}]已下架", "SP0057")
    shown = detail(product, live.supplier(index), call.state.search.tags_of(index))
    result = spoil_record(shown, offer, call.fired)
    return {"result": {"success": True, "code": "200", "message": "成功", "result": result}}


SEARCH_APIS = (
    Api(CROSS_BORDER, "product.search.keywordQuery", keyword_query, nested_refusal, required=("offerQueryParam",)),
    Api(CROSS_BORDER, "product.search.querySellerOfferList", seller_offers, nested_refusal,
        required=("offerQueryParam",)),
    Api(CROSS_BORDER, "product.search.queryProductDetail", product_detail, nested_refusal,
        required=("offerDetailParam",)),
)  # fmt: skip
