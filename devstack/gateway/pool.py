"""`pool.product.*`: an offer pool, read in pages of one task (1688 open platform, offer pools)."""

from . import params
from .apis import Api, BusinessError, Call, Json
from .categories import ROOT, top_of
from .finding import POOLS
from .search import MAX_PAGE_SIZE
from .spoil import claimed_total, page_start, seeming_total
from .translations import CROSS_BORDER


def pull(call: Call) -> Json:
    """`pool.product.pull`: ids only, each with the total of the pool; an empty page tells no total at all."""
    document = params.document(call.params, "offerPoolQueryParam")
    pool, task = _pool(document), str(document.get("taskId") or "")
    if not task:
        raise BusinessError("taskId不能为空", "TASK_ID_IS_NULL")
    page = max(1, params.number(document, "pageNo", 1))
    size = min(max(1, params.number(document, "pageSize", 20)), MAX_PAGE_SIZE)
    category = params.number(document, "cateId", ROOT)
    offers = [] if call.state.empty_listings else call.state.pools.offers(task, pool, category)
    start = page_start(page, size, call.fired)
    total = claimed_total(seeming_total(len(offers), size, call.fired), page, call.fired)
    rows = [_row(call, each, total) for each in offers[max(0, start) : max(0, start + size)]]
    return {"result": {"success": "true", "code": "S0000", "message": "成功", "result": rows}}


def _pool(document: Json) -> int:
    number = params.number(document, "offerPoolId", 0)
    if number not in POOLS:
        raise BusinessError(f"商品池[{number}]未找到", "OFFER_POOL_NOT_FOUND")
    return number


def _row(call: Call, index: int, total: int) -> Json:
    live = call.state.live
    top = top_of(live.traits(index).leaf)
    return {"offerId": live.catalogue.id_of(index), "bizCategoryId": str(top), "offerPoolTotal": total}


def total(call: Call) -> Json:
    """`pool.product.total`."""
    document = params.document(call.params, "offerPoolQueryParam")
    members = call.state.pools.members(_pool(document), params.number(document, "cateId", ROOT))
    return {"result": {"success": "true", "code": "S0000", "message": "成功", "result": len(members)}}


def _refusal(error: BusinessError) -> Json:
    return {"result": {"success": "false", "code": error.code, "message": error.message, "result": None}}


POOL_APIS = (
    Api(CROSS_BORDER, "pool.product.pull", pull, _refusal, required=("offerPoolQueryParam",)),
    Api(CROSS_BORDER, "pool.product.total", total, _refusal, required=("offerPoolQueryParam",)),
)
