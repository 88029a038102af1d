"""Control of change messages: make, repeat, mix up, forge or withhold them; break their channel."""

from collections.abc import Iterable
from random import Random

from . import callbacks
from .arguments import Arguments, ControlPlaneError, Json
from .outbox import Message, data_of, stock_data
from .state import State

_VIAS = ("websocket", "callback", "failed")


def known_indexes(state: State, ids: Iterable[str]) -> list[int]:
    """The products of these ids in their order, delisted ones too. Raises ControlPlaneError for an unknown id."""
    indexes = {each: state.live.catalogue.index_of(int(each)) for each in ids}
    unknown = [str(each) for each, index in indexes.items() if index is None]
    if unknown:
        raise ControlPlaneError(f"no such products: {', '.join(unknown)}")
    return [index for index in indexes.values() if index is not None]


def push(state: State, arguments: Arguments) -> Json:
    """Makes messages and sends them; answers their ids, and the forms for callbacks.

    `ids` or `count` products, `kind` (modify, expire, delete, repost, audit, inventory), `each` products a message,
    `data` instead of what the kind would say, `born` (milliseconds), `copies` of every message, `shuffle`, `via`:
    websocket, callback (to `url`, if given; `forged` spoils the signature) or failed (kept for who asks).
    """
    via = str(arguments.get("via") or _VIAS[0])
    if via not in _VIAS:
        raise ControlPlaneError(f"via is one of {', '.join(_VIAS)}")
    made = _made(state, arguments)
    queue = made * (arguments.whole("copies") or 1)
    if arguments.flag("shuffle"):
        Random(len(state.outbox.messages)).shuffle(queue)
    url, forged = arguments.get("url"), arguments.flag("forged")
    arguments.refuse_unknown()
    answer: Json = {"ids": [message.id for message in made], "count": len(made)}
    if via == "callback":
        answer["forms"] = [callbacks.form_of(message, state.app.secret, forged=forged) for message in queue]
        if url:
            callbacks.deliver(state.outbox, queue, answer["forms"], str(url))
    elif via == "websocket":
        state.outbox.send(queue)
    else:
        for message in made:
            state.outbox.give_up(message)
    return answer


def _made(state: State, arguments: Arguments) -> list[Message]:
    kind, born = str(arguments.get("kind") or "modify"), arguments.whole("born") or state.clock.now()
    ids, count, data = arguments.words("ids"), arguments.whole("count"), arguments.get("data")
    each = arguments.whole("each") or 1
    if data is not None:
        return [state.outbox.make(kind, data, born)]
    if ids is None and count is None:
        raise ControlPlaneError("give ids, count or data")
    indexes = state.live.choose(count or 0) if ids is None else known_indexes(state, ids)
    parts = [indexes[start : start + each] for start in range(0, len(indexes), each)]
    return [state.outbox.make(kind, _data(state, kind, part, born), born) for part in parts]


def _data(state: State, kind: str, indexes: list[int], born: int) -> Json:
    if kind == "inventory":
        return stock_data(map(state.live.product, indexes), born)
    return data_of(kind, [state.live.catalogue.id_of(index) for index in indexes], state.app.member_id, born)


def messages(state: State, arguments: Arguments) -> Json:
    """How many messages there are in which state, and who confirmed what, in order."""
    arguments.refuse_unknown()
    return state.outbox.describe()


def channel(state: State, arguments: Arguments) -> Json:
    """The WebSocket: `resend_seconds`, `refuse`, `mute`; `drop` cuts all connections, `close` ends them politely."""
    found, seconds = state.channel, arguments.get("resend_seconds")
    if seconds is not None:
        found.resend_seconds = float(seconds)
    found.refuse = arguments.flag("refuse", default=found.refuse)
    found.mute = arguments.flag("mute", default=found.mute)
    drop, close = arguments.flag("drop"), arguments.flag("close")
    arguments.refuse_unknown()
    ended = found.close_all(politely=close) if drop or close else 0
    return found.describe() | {"ended": ended}
