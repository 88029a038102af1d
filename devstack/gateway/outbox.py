"""The platform's change messages: made, pushed, confirmed, or kept for those who ask for what they missed.

A message waits for its receiver's word. Without one it is pushed again a few times, then it counts as failed and is
kept for `push.query.messageList` and `push.cursor.messageList` (1688 open platform, push messages).
"""

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

import orjson

from .clock import CHINA, moment_of

Json = dict[str, Any]

MOST_PUSHES = 3
_LAST_CONFIRMATIONS = 1000
_FIRST_ID = 5_746_000_000
_INVENTORY = "PRODUCT_PRODUCT_INVENTORY_CHANGE"
# What the control plane calls them, and how the topics end.
_VIEWS = {
    "modify": "PRODUCT_NEW_OR_MODIFY",
    "expire": "PRODUCT_EXPIRE",
    "delete": "PRODUCT_DELETE",
    "repost": "PRODUCT_REPOST",
    "audit": "PRODUCT_AUDIT",
}
KINDS = (*_VIEWS, "inventory")


class Fate(StrEnum):
    """What has become of a message."""

    WAITING = "waiting"
    FAILED = "failed"
    CONFIRMED = "confirmed"


@dataclass
class Message:
    """One message. `born` in milliseconds."""

    id: int
    type: str
    born: int
    content: Json
    fate: Fate = Fate.WAITING
    pushes: int = 0

    def text(self) -> str:
        """The content as it is sent."""
        return orjson.dumps(self.content).decode()


@dataclass
class Outbox:
    """All messages of the app, oldest first. `push` hands one to whoever is connected, if anybody is."""

    member_id: str
    messages: dict[int, Message] = field(default_factory=dict)
    confirmations: deque[tuple[int, str]] = field(default_factory=lambda: deque(maxlen=_LAST_CONFIRMATIONS))
    push: Callable[[Message], bool] = lambda _message: False

    def make(self, kind: str, data: Json, born: int) -> Message:
        """A new message. Raises ValueError for an unknown kind."""
        number = _FIRST_ID + len(self.messages)
        content = {"msgId": number, "type": topic(kind), "userInfo": self.member_id, "data": data, "gmtBorn": born}
        message = Message(number, topic(kind), born, content)
        self.messages[number] = message
        return message

    def send(self, messages: Iterable[Message]) -> None:
        """Push them in this order, a repeated one again; without a connection they have failed at once."""
        for message in messages:
            if not self.push(message):
                self.give_up(message)

    def give_up(self, message: Message) -> None:
        """Keep it for those who ask."""
        if message.fate is Fate.WAITING:
            message.fate = Fate.FAILED

    def failed(self, start: int | None = None, end: int | None = None, kind: str = "") -> list[Message]:
        """What was not confirmed, oldest first."""
        return [
            message
            for message in self.messages.values()
            if message.fate is Fate.FAILED
            and (start is None or message.born >= start)
            and (end is None or message.born <= end)
            and (not kind or message.type == kind)
        ]

    def confirm(self, ids: Iterable[int], channel: str) -> None:
        """Somebody has these now; unknown ones do not matter."""
        for number in ids:
            self.confirmations.append((number, channel))
            if number in self.messages:
                self.messages[number].fate = Fate.CONFIRMED

    def describe(self) -> Json:
        """For the control plane."""
        fates = [message.fate for message in self.messages.values()]
        return {
            "total": len(fates),
            **{fate.value: fates.count(fate) for fate in Fate},
            "confirmations": [{"id": number, "channel": channel} for number, channel in self.confirmations],
        }


def topic(kind: str) -> str:
    """The platform's name of a kind. Raises ValueError for an unknown one."""
    if kind == "inventory":
        return _INVENTORY
    if kind not in _VIEWS:
        raise ValueError(f"unknown kind {kind}; there are {', '.join(KINDS)}")
    return f"PRODUCT_RELATION_VIEW_{_VIEWS[kind]}"


def data_of(kind: str, ids: Sequence[int], member_id: str, born: int) -> Json:
    """What a message about these products says, but for stock."""
    sent = moment_of(born).astimezone(CHINA).strftime("%Y-%m-%d %H:%M:%S")
    status = topic(kind).removeprefix("PRODUCT_")
    return {"productIds": ",".join(map(str, ids)), "memberId": member_id, "status": status, "msgSendTime": sent}


def stock_data(products: Iterable[Json], born: int) -> Json:
    """The stock of products as it is: one line for each SKU, absolute numbers beside a change (real captures)."""
    lines: list[Json] = []
    for product in products:
        whole = {"offerId": product["productID"], "offerOnSale": int(product["saleInfo"]["amountOnSale"])}
        skus = [{"skuId": sku["skuId"], "skuOnSale": sku["amountOnSale"]} for sku in product["skuInfos"]]
        lines += [whole | sku | {"quantity": -1, "bizTime": str(born)} for sku in skus or [{}]]
    return {"OfferInventoryChangeList": lines}
