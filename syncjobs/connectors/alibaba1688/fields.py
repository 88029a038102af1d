"""Reading one named field of a product: what cannot be used rejects the record and names the field."""

import re
from collections.abc import Callable
from decimal import Decimal
from functools import lru_cache
from typing import Any, TypeVar

from syncjobs.connectors import coerce
from syncjobs.connectors.coerce import identifier, image_urls, web_address, whole_number
from syncjobs.engine.errors import RecordRejected

T = TypeVar("T")

IMAGE_HOST = "https://cbu01.alicdn.com/"
LARGEST_COUNT = 2**53
WORD_LENGTH = 2000  # only keeps a specification readable
# A picture on IMAGE_HOST as the platform writes nearly all: nothing in it is left out or put right.
_PLAIN_IMAGE = re.compile(r"[A-Za-z0-9_!.-][A-Za-z0-9_!./-]{0,1000}")
_OFFER_ID = re.compile(r"[0-9]{1,30}")


def read(name: str, convert: Callable[..., T], value: Any, *more: Any) -> T:
    """`convert(value, *more)` for the field `name`.

    Raises:
        RecordRejected: instead of the ValueError of `convert`.
    """
    try:
        return convert(value, *more)
    except ValueError as error:
        raise rejected(name, str(error)) from None


def rejected(name: str, reason: str) -> RecordRejected:
    """The rejection of a record for one of its fields."""
    return RecordRejected(f"{name}: {reason}", field=name)


def count(value: Any) -> int:
    """A count of goods, 0 when there is none or it is negative, as after overselling.

    Raises:
        ValueError: not a number.
    """
    if type(value) is int and 0 <= value <= LARGEST_COUNT:
        return value
    if (isinstance(value, Decimal) and value.is_signed()) or (isinstance(value, int) and value < 0):
        return 0
    return whole_number(value, LARGEST_COUNT) or 0


def word(value: Any) -> str:
    """As `coerce.word`, within reason."""
    return coerce.word(value, WORD_LENGTH)


def sku_id(value: Any) -> str:
    """What `coerce.identifier` makes of `value`; mostly it is a number."""
    return str(value) if type(value) is int else identifier(value)


@lru_cache(maxsize=512)
def image_address(value: str) -> str:
    """An absolute picture address, "" for none; the variants of a colour share one, hence the cache."""
    return IMAGE_HOST + value if _PLAIN_IMAGE.fullmatch(value) else web_address(value, IMAGE_HOST)


def image_addresses(value: Any) -> tuple[str, ...]:
    """As `coerce.image_urls` on the platform's picture host."""
    if type(value) is not list:
        return image_urls(value, IMAGE_HOST)
    addresses = [image_address(item) for item in value if type(item) is str]
    return tuple(dict.fromkeys(filter(None, addresses)))


def offer_id(value: Any) -> str:
    """The id of an offer: digits, whether they come as a number or as text.

    Raises:
        ValueError: anything else.
    """
    plain = str(value).strip() if isinstance(value, int | str) else ""
    if not _OFFER_ID.fullmatch(plain):
        raise ValueError("an offer id is 1 to 30 digits")
    return plain


def is_true(value: Any) -> bool:
    """A flag that comes as a boolean or as text."""
    return value is True or str(value).lower() == "true"


def first(*candidates: T | None) -> T | None:
    """The first candidate that is there."""
    for candidate in candidates:
        if candidate is not None:
            return candidate
    return None
