"""Change messages as 1688 pushes them: who sent them, and which offers they are about. Pure functions.

A callback is a form. Either its field `message` holds the message as JSON, or the message's own fields are the form's;
both carry `_aop_signature` over all other fields, without a path (1688 open platform, push messages).
"""

import hmac
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec

from products.records import LARGEST_BIGINT, StockHint
from syncjobs.connectors.alibaba1688.offer_links import normalize_offer_id
from syncjobs.connectors.alibaba1688.signing import SIGNATURE, sign

MOST_OFFERS = 1000
LONGEST_SKU_ID = 30
_PRINTABLE = re.compile(r"[!-~]+")


class PushedMessage(msgspec.Struct, frozen=True, kw_only=True):
    """What of a message counts: everything else is asked of the gateway, since messages come late and out of order."""

    msg_id: str
    type: str
    offer_ids: tuple[str, ...] = ()
    born_at: datetime | None = None
    stock: tuple[StockHint, ...] = ()

    @property
    def only_hints(self) -> bool:
        """Whether it is about nothing but stock, and says it in absolute numbers."""
        return bool(self.stock) and {hint.source_id for hint in self.stock} == set(self.offer_ids)


def is_signed(form: Mapping[str, str], secret: str) -> bool:
    """Whether the form was signed with this app secret; takes the same time wherever the signature differs."""
    given = form.get(SIGNATURE, "").upper().encode("utf-8", "replace")
    return hmac.compare_digest(given, sign("", form, secret).encode())


def read_message(form: Mapping[str, str]) -> PushedMessage:
    """The message in a callback's form.

    Raises:
        ValueError: it is none; the text says why.
    """
    return read_document(_object(form["message"]) if "message" in form else dict(form))


def read_content(content: Any) -> PushedMessage:
    """The message in the content of a WebSocket's frame, which is JSON text. Raises ValueError as `read_message`."""
    return read_document(content if isinstance(content, dict) else _object(str(content)))


def read_document(document: dict[str, Any]) -> PushedMessage:
    """The message in a decoded object, as the pull of failed messages brings it. Raises as `read_message`."""
    data = document.get("data")
    data = _object(data) if isinstance(data, str) else data
    msg_id, kind = (_plain(document, name, longest) for name, longest in (("msgId", 64), ("type", 100)))
    offers = dict.fromkeys(_offer_ids(data)) if isinstance(data, dict) else {}
    if len(offers) > MOST_OFFERS:
        raise ValueError(f"more than {MOST_OFFERS} products")
    born_at = _moment(document.get("gmtBorn"))
    stock = tuple(_stock(data, born_at)) if isinstance(data, dict) else ()
    return PushedMessage(msg_id=msg_id, type=kind, offer_ids=tuple(offers), born_at=born_at, stock=stock)


def _plain(document: dict[str, Any], name: str, longest: int) -> str:
    """A name or number of the platform's own making."""
    value = document.get(name)
    text = str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""
    if not _PRINTABLE.fullmatch(text) or len(text) > longest:
        raise ValueError(f"{name} is missing or not usable")
    return text


def _object(text: str) -> dict[str, Any]:
    try:
        return msgspec.json.decode(text, type=dict[str, Any])
    except (msgspec.DecodeError, RecursionError):
        raise ValueError("the message is not a JSON object") from None


def _offer_ids(data: dict[str, Any]) -> Iterator[str]:
    """The offers a message names; an inventory message lists many SKUs of one offer."""
    changed = data.get("OfferInventoryChangeList")
    lines = [line for line in changed if isinstance(line, dict)] if isinstance(changed, list) else []
    for line in (data, *lines):
        for name in ("productIds", "productId", "offerId"):
            yield from _normalized(line.get(name))


def _stock(data: dict[str, Any], born_at: datetime | None) -> Iterator[StockHint]:
    """The absolute numbers of an inventory message: `offerOnSale` of the offer, `skuOnSale` of each SKU.

    `quantity` is a difference and says nothing without the number before it. A line without a moment of its own has
    the message's; one without any moment cannot be put in order and is no hint.
    """
    changed = data.get("OfferInventoryChangeList")
    for line in changed if isinstance(changed, list) else []:
        if not isinstance(line, dict):
            continue
        at = _moment(line.get("bizTime")) or born_at
        for offer in _normalized(line.get("offerId")):
            for sku_id, number in ((_sku_id(line.get("skuId")), "skuOnSale"), ("", "offerOnSale")):
                stock = _whole(line.get(number))
                if at and stock is not None and sku_id is not None:
                    yield StockHint(source_id=offer, sku_id=sku_id, stock=stock, at=at)


def _sku_id(value: Any) -> str | None:
    text = str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""
    return text if text.isascii() and text.isdigit() and len(text) <= LONGEST_SKU_ID else None


def _whole(value: Any) -> int | None:
    """A number of pieces: whole, not negative, no larger than the catalogue can hold."""
    try:
        number = int(value) if isinstance(value, str | int | float) and not isinstance(value, bool) else -1
    except (ValueError, OverflowError):
        return None
    return number if 0 <= number <= LARGEST_BIGINT else None


def _normalized(value: Any) -> Iterator[str]:
    parts = value if isinstance(value, list) else str(value or "").split(",")
    for part in parts:
        try:
            yield normalize_offer_id(str(part))
        except ValueError:
            continue


def _moment(value: Any) -> datetime | None:
    """`gmtBorn`, milliseconds since 1970; only a hint, so nonsense is none."""
    try:
        return datetime.fromtimestamp(int(value) / 1000, UTC)
    except (ValueError, TypeError, OverflowError, OSError):
        return None
