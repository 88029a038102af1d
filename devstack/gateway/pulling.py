"""The APIs for messages that nobody confirmed: by window and page, or one handful after the other."""

from . import params
from .apis import Api, BusinessError, Call, Json, flat_refusal
from .outbox import Message

_NAMESPACE = "cn.alibaba.open"
_FEWEST, _MOST = 20, 200


def query_message_list(call: Call) -> Json:
    """`push.query.messageList`: what failed in a window, page by page; confirming shifts the pages."""
    start, end = params.date(call.params, "createStartTime"), params.date(call.params, "createEndTime")
    found = call.state.outbox.failed(start, end, call.params.get("type", ""))
    size, page = _size(call, "pageSize"), max(1, params.whole(call.params, "page", 1))
    rows = found[(page - 1) * size : page * size]
    return {"pushMessagePage": {"datas": list(map(_row, rows)), "totalCount": len(found)}}


def confirm(call: Call) -> Json:
    """`push.message.confirm`: these are not shown again."""
    ids = params.numbers(call.params, "msgIdList")
    if not ids:
        raise BusinessError("msgIdList不能为空")
    call.state.outbox.confirm(ids, "pull")
    return {"isSuccess": True}


def cursor_message_list(call: Call) -> Json:
    """`push.cursor.messageList`: the oldest that failed, confirmed by being shown."""
    rows = call.state.outbox.failed(kind=call.params.get("type", ""))[: _size(call, "quantity")]
    call.state.outbox.confirm([row.id for row in rows], "cursor")
    return {"pushMessageList": list(map(_row, rows))}


def _size(call: Call, name: str) -> int:
    return min(max(_FEWEST, params.whole(call.params, name, _FEWEST)), _MOST)


def _row(message: Message) -> Json:
    return message.content


PULL_APIS = (
    Api(_NAMESPACE, "push.query.messageList", query_message_list, flat_refusal, needs_token=False),
    Api(_NAMESPACE, "push.message.confirm", confirm, flat_refusal, required=("msgIdList",), needs_token=False),
    Api(_NAMESPACE, "push.cursor.messageList", cursor_message_list, flat_refusal, needs_token=False),
)
