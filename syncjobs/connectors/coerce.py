"""Loose values of a source turned into exact ones: money, counts, text, ids, image addresses and moments."""

import re
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta, timezone
from decimal import ROUND_HALF_UP, Decimal
from functools import lru_cache
from html import unescape
from typing import Any, TypeVar

T = TypeVar("T")

CHINA = timezone(timedelta(hours=8))
FEN = Decimal("0.01")
MONEY_LIMIT = Decimal("9999999999.99")  # Decimal(12, 2)
INTEGER_LIMIT = 2**31 - 1  # a PostgreSQL integer
ID_LIMIT = 64
TITLE_LIMIT = 500
URL_LIMIT = 2048
# Texts up to this length come again and again, such as prices and names; what was made of them is remembered.
SHORT = 64

# What sellers write instead of a price they do not show.
HIDDEN_PRICES = frozenset({"", "面议", "价格面议", "电议", "询价", "议价"})

# str.strip() leaves the zero-width characters, so a title of nothing else would pass for one.
_BLANKS = "".join(chr(code) for code in range(0x3001) if chr(code).isspace()) + "\u200b\u200c\u200d\u2060\ufeff"
_SURROGATE = re.compile("[\ud800-\udfff]")
_AMOUNT = r"(?:[0-9]{1,3}(?:,[0-9]{3})+|[0-9]+)?(?:\.[0-9]+)?"
_MONEY = re.compile(rf"(?:[¥￥]|CNY|RMB)?\s*({_AMOUNT})\s*(?:元|CNY|RMB)?(?:起|/\w{{1,4}})?")
_RANGE_DASH = re.compile(r"\s*[-~–—至]\s*")
_COUNT = re.compile(rf"[^\d.,+\-−]*({_AMOUNT})\s*([万亿wW]?)\+?[^\d.,\-−]*")
_MULTIPLIERS = {"": 1, "万": 10_000, "w": 10_000, "W": 10_000, "亿": 100_000_000}
_COMPACT = re.compile(r"([0-9]{8})(?:([0-9]{6})([0-9]{3})?)?\s*(Z|[+-][0-9]{2}:?[0-9]{2})?")
_SPREADSHEET = re.compile(r"([0-9]{4})[-/]([0-9]{1,2})[-/]([0-9]{1,2})(?:[ T]([0-9]{1,2}):([0-9]{2})(?::([0-9]{2}))?)?")
_EPOCH = re.compile(r"[0-9]{10}|[0-9]{13}")
_FIRST_MILLISECONDS = 100_000_000_000  # as seconds this would be the year 5138
_WEB_ADDRESS = re.compile(r"https?://[^\s/?#@\\]+(?:[/?#][^\s\\]*)?", re.IGNORECASE)
# What nearly all are, told at a third of the cost.
_PLAIN_ADDRESS = re.compile(r"https?://[A-Za-z0-9.-]+/[A-Za-z0-9._!/-]*")
# Only whole ones: the "&copy" of an address, which HTML would read, is no sign.
_ENTITY = re.compile(r"&(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[a-zA-Z][a-zA-Z0-9]{1,31});")


def _remembered(read: Callable[[str], T]) -> Callable[[str], T]:
    """`read` for texts that come again; long ones are not kept."""
    known = lru_cache(maxsize=4096)(read)
    return lambda value: known(value) if len(value) <= SHORT else read(value)


def money(value: object) -> Decimal | None:
    """An amount with two places, rounded half up; None when there is none or the seller hides it.

    `value` is an int, float, Decimal or text such as "39.80", "¥39.8", "1,234.50", "12元/件". None, "", "面议" and
    its like are a hidden price.

    Raises:
        ValueError: negative, not finite, not a number ("1_000", digits of other scripts), a range, more than
            Decimal(12, 2) holds, or positive but less than half a fen.
    """
    if value is None:
        return None
    return _money_from_text(value) if isinstance(value, str) else _fen(value, _number(value))


def _fen(value: object, amount: Decimal) -> Decimal:
    # The limit is tested before quantize(), which cannot write 1E+400 with two places.
    if amount.is_signed() or amount > MONEY_LIMIT:
        raise ValueError(f"the amount {_shown(value)} is outside 0 to {MONEY_LIMIT}")
    rounded = amount.quantize(FEN, ROUND_HALF_UP)
    if amount and not rounded:
        raise ValueError(f"the amount {_shown(value)} is less than one fen")
    return rounded


def money_range(value: object) -> tuple[Decimal, Decimal] | None:
    """The lowest and the highest amount of "¥12.30-15.00"; a single amount is both; None as in `money`.

    Raises:
        ValueError: as `money`, or the first amount is above the second.
    """
    if isinstance(value, str):
        return _range_from_text(value)
    single = money(value)
    return None if single is None else (single, single)


@_remembered
def _range_from_text(value: str) -> tuple[Decimal, Decimal] | None:
    parts = _RANGE_DASH.split(value.strip(_BLANKS))
    if len(parts) != 2 or not all(parts):
        single = money(value)
        return None if single is None else (single, single)
    low, high = money(parts[0]), money(parts[1])
    if low is None or high is None or low > high:
        raise ValueError(f"{_shown(value)} is not a range of amounts")
    return low, high


def whole_number(value: object, limit: int = INTEGER_LIMIT) -> int | None:
    """A count from 0 to `limit`, fractions cut off; None for None and blank text.

    Reads ints, floats and text with words around the number: "12", "12.0", "1,000", "1000套", "44%", "5.8万+",
    "已售1.2万+件".

    Raises:
        ValueError: negative, not finite, above `limit`, or text without exactly one number.
    """
    if value is None or (type(value) is int and 0 <= value <= limit):
        return value
    number = _count_from_text(value) if isinstance(value, str) else _number(value)
    if number is None:
        return None
    if number < 0 or number > limit:
        raise ValueError(f"the number {_shown(value)} is outside 0 to {limit}")
    return int(number)


def text(value: object, limit: int | None = None) -> str:
    """Text without NUL, outer blanks or zero-width margins, lone surrogates replaced by U+FFFD; "" for None.

    Everything else is kept, ornaments and full-width characters too. Numbers become their digits, booleans "true"
    and "false".

    Raises:
        ValueError: a list or an object, or more than `limit` characters.
    """
    # Most texts are printable throughout: no NUL, no half of a pair, no blank but the space can be in them.
    if type(value) is str and value.isprintable() and value[:1] != " " != value[-1:]:
        plain = value
    else:
        plain = _cleaned(value if isinstance(value, str) else _text_from_other(value))
    if limit is not None and len(plain) > limit:
        raise ValueError(f"{len(plain)} characters, at most {limit} are stored")
    return plain


def words(value: object, limit: int | None = None) -> str:
    """Text for people, such as a title: as `text`, and what the source wrote as an HTML entity becomes its sign.

    Raises:
        ValueError: as `text`.
    """
    if isinstance(value, str) and "&" in value:
        value = _ENTITY.sub(lambda found: unescape(found[0]), value)
    return text(value, limit)


_known_words = lru_cache(maxsize=4096)(words)


def word(value: object, limit: int | None = None) -> str:
    """`words` for names and values that come again and again, such as those of attributes.

    Raises:
        ValueError: as `text`.
    """
    if type(value) is not str or len(value) > SHORT:
        return words(value, limit)
    plain = _known_words(value)
    return plain if limit is None or len(plain) <= limit else words(plain, limit)


def identifier(value: object) -> str:
    """A source's own id as text: 1197838779, "1197838779" and 1197838779.0 are the same; "" for none.

    Raises:
        ValueError: not text or a whole number, more than 64 characters, or blanks inside.
    """
    if type(value) is str and value.isascii() and value.isalnum() and len(value) <= ID_LIMIT:
        return value
    if isinstance(value, bool):
        raise ValueError("an id is text or a whole number")  # noqa: TRY004
    plain = _id_from_number(value) if isinstance(value, float | Decimal) else text(value, ID_LIMIT)
    if plain.split() not in ([], [plain]):
        raise ValueError(f"the id {_shown(value)} has blanks inside")
    return plain


def image_urls(value: object, base: str = "") -> tuple[str, ...]:
    """The http(s) addresses in `value`, one text or a list of them, each once, in their order.

    "//host/…" becomes https. Addresses without a scheme are put behind `base` (for 1688
    "https://cbu01.alicdn.com/"), or left out without one. Left out as well: other schemes, user names
    in the address, more than 2048 characters.
    """
    candidates: Iterable[Any] = value if isinstance(value, list | tuple) else (value,)
    addresses = [web_address(item, base) for item in candidates]
    return tuple(dict.fromkeys(filter(None, addresses)))


def web_address(value: object, base: str = "") -> str:
    """One http(s) address by the rules of `image_urls`; "" when `value` is none."""
    if not isinstance(value, str):
        return ""
    if len(value) <= URL_LIMIT and _PLAIN_ADDRESS.fullmatch(value):
        return value
    address = text(value)
    if address.startswith("//"):
        address = f"https:{address}"
    elif base and address and ":" not in address.partition("/")[0]:
        address = base + address.lstrip("/")
    return address if len(address) <= URL_LIMIT and _WEB_ADDRESS.fullmatch(address) else ""


def moment(value: object) -> datetime | None:
    """A moment in UTC; None for None and blank text. Times without an offset are China time.

    Reads "20181219175505000+0800" with or without milliseconds and offset, "2025-09-05 10:43:28", "2025/9/5 10:43",
    ISO 8601, and seconds or milliseconds since 1970 as a number or as text.

    Raises:
        ValueError: anything else, or a moment that no calendar has.
    """
    if value is None or value == "":
        return None
    try:
        if isinstance(value, str):
            return _moment_from_text(value.strip(_BLANKS))
        return _moment_from_epoch(_number(value))
    except (OverflowError, ValueError) as error:
        raise ValueError(f"{_shown(value)} is not a date") from error


def _cleaned(plain: str) -> str:
    if "\0" in plain:
        plain = plain.replace("\0", "")
    if not plain.isascii():
        plain = _SURROGATE.sub("\ufffd", plain)
    return plain.strip(_BLANKS)


def _shown(value: object) -> str:
    return repr(value)[:60]


def _number(value: object) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, int | float | Decimal):
        raise ValueError(f"{_shown(value)} is not a number")  # noqa: TRY004
    number = value if isinstance(value, Decimal) else Decimal(repr(value))
    if not number.is_finite():
        raise ValueError(f"{_shown(value)} is not a finite number")
    return number


@_remembered
def _money_from_text(value: str) -> Decimal | None:
    plain = value.strip(_BLANKS)
    if plain in HIDDEN_PRICES:
        return None
    match = _MONEY.fullmatch(plain)
    if match is None or not match[1]:
        raise ValueError(f"{_shown(value)} is not an amount")
    return _fen(value, Decimal(match[1].replace(",", "")))


def _count_from_text(value: str) -> Decimal | None:
    plain = value.strip(_BLANKS)
    if not plain:
        return None
    match = _COUNT.fullmatch(plain)
    if match is None or not match[1]:
        raise ValueError(f"{_shown(value)} is not a count")
    return Decimal(match[1].replace(",", "")) * _MULTIPLIERS[match[2]]


def _text_from_other(value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float | Decimal):
        return str(value)
    raise ValueError(f"{_shown(value)} is not text")


def _id_from_number(value: float | Decimal) -> str:
    number = _number(value)
    if number != number.to_integral_value() or number.adjusted() >= ID_LIMIT:
        raise ValueError(f"the id {_shown(value)} is not a whole number")
    return str(int(number))


def _moment_from_epoch(number: Decimal) -> datetime:
    if abs(number) >= _FIRST_MILLISECONDS:
        number /= 1000
    return datetime.fromtimestamp(float(number), UTC)


@lru_cache(maxsize=1024)
def _moment_from_text(plain: str) -> datetime | None:
    if not plain:
        return None
    if _EPOCH.fullmatch(plain):
        return _moment_from_epoch(Decimal(plain))
    if compact := _COMPACT.fullmatch(plain):
        day, clock, milliseconds, offset = compact.groups()
        plain = f"{day}T{clock or '000000'}.{milliseconds or '000'}{offset or ''}"
    elif loose := _SPREADSHEET.fullmatch(plain):
        local = datetime(*(int(part or 0) for part in loose.groups()), tzinfo=CHINA)  # type: ignore[misc, arg-type]
        return local.astimezone(UTC)
    parsed = datetime.fromisoformat(plain)
    return (parsed if parsed.tzinfo else parsed.replace(tzinfo=CHINA)).astimezone(UTC)
