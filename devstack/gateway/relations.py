"""Products that are shown only to buyers with a listing relation, and the call that opens it."""

from . import params
from .apis import Api, BusinessError, Call, Json, success_refusal
from .spoil import spoil_record

MAX_IDS = 20


def cross_product_info(call: Call) -> Json:
    """`alibaba.cross.productInfo`: some products need a listing relation first."""
    product_id = params.whole(call.params, "productId", 0)
    index = _find(call, product_id)
    if index is None:
        raise BusinessError(f"商品[{product_id}]不存在")
    if not _is_open(call, index):
        raise BusinessError("没有该商品的查询权限")
    return {"success": True, "message": None, "productInfo": _row(call, index)}


def cross_product_list(call: Call) -> Json:
    """`alibaba.cross.productList`: those that exist and may be seen, in the order asked for."""
    found = [_find(call, each) for each in _ids(call)]
    rows = [_row(call, index) for index in found if index is not None and _is_open(call, index)]
    return {"success": True, "message": None, "productList": rows}


def push_products(call: Call) -> Json:
    """`alibaba.cross.syncProductListPushed`: opens the relation to at most twenty products."""
    live = call.state.live
    call.state.relations.update(index for each in _ids(call) if (index := live.find(each)) is not None)
    return {"result": {"success": True, "errorCode": None, "errorMsg": None}}


def _ids(call: Call) -> list[int]:
    ids = params.numbers(call.params, "productIdList") or []
    if len(ids) > MAX_IDS:
        raise BusinessError(f"productIdList最多{MAX_IDS}个", "PARAM_ERROR")
    return ids


def _is_open(call: Call, index: int) -> bool:
    return index in call.state.relations or not call.state.live.catalogue.needs_relation(index)


def _find(call: Call, product_id: int) -> int | None:
    return None if "gone_in_detail" in call.fired.spoiling(product_id) else call.state.live.find(product_id)


def _row(call: Call, index: int) -> Json:
    record = call.state.live.product(index)
    return spoil_record(record, record["productID"], call.fired)


def _refusal(error: BusinessError) -> Json:
    return {"result": {"success": False, "errorCode": error.code, "errorMsg": error.message}}


_PRODUCT = "com.alibaba.product"

RELATION_APIS = (
    Api(_PRODUCT, "alibaba.cross.productInfo", cross_product_info, success_refusal, required=("productId",)),
    Api(_PRODUCT, "alibaba.cross.productList", cross_product_list, success_refusal, required=("productIdList",)),
    Api("com.alibaba.product.push", "alibaba.cross.syncProductListPushed", push_products, _refusal,
        required=("productIdList",)),
)  # fmt: skip
