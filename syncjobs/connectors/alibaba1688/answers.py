"""The envelopes of the platform's answers, which every API spells differently, and how they are decoded."""

import re
from typing import Any, TypeVar

import msgspec
from msgspec import Raw, field

A = TypeVar("A", bound="Answer")

# One escape sequence of JSON; the group catches a surrogate whose other half is missing, which no decoder takes.
_ESCAPE = re.compile(
    rb"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|(u[dD][89a-fA-F][0-9a-fA-F]{2})|.)"
)


class Flags(msgspec.Struct):
    """How an API says that it refuses; the flag may be a boolean or text, and is misspelt by one API."""

    success: Any = None
    misspelt_success: Any = field(name="succes", default=None)
    code: Any = None
    message: Any = None
    error_code: Any = field(name="errorCode", default=None)
    error_text: Any = field(name="errorMsg", default=None)
    short_text: Any = field(name="errMsg", default=None)

    def refusal(self) -> tuple[str, str] | None:
        """(code, text) of a business error, None when there is none."""
        flag = self.misspelt_success if self.success is None else self.success
        refused = self.short_text or self.error_text or self.error_code if flag is None else str(flag).lower() != "true"
        if not refused:
            return None
        return _words(self.error_code, self.code), _words(self.short_text, self.error_text, self.message)


class Answer(Flags):
    """The fields any answer may carry; the gateway's own error comes before all else."""

    gateway_code: Any = field(name="error_code", default=None)


class TimeAnswer(Answer):
    """`system/currentTime`."""

    result: Any = None


class PageResult(msgspec.Struct):
    """One page of a listing, its products undecoded."""

    items: list[Raw] | None = field(name="resultList", default=None)
    total: Any = field(name="totalRecords", default=None)
    size: Any = field(name="sizePerPage", default=None)


class ListResult(Flags):
    """The middle layer of a listing."""

    page: PageResult | None = field(name="pageResult", default=None)


class ListAnswer(Answer):
    """`alibaba.product.list.get`."""

    result: ListResult | None = None


class ByIdAnswer(Answer):
    """`alibaba.product.getByIdList`."""

    items: list[Raw] | None = field(name="productList", default=None)


class MessagePage(msgspec.Struct):
    """One page of messages, undecoded."""

    items: list[Raw] | None = field(name="datas", default=None)
    total: Any = field(name="totalCount", default=None)


class MessagesAnswer(Answer):
    """`push.query.messageList`, and `push.cursor.messageList` with its other name for the same."""

    page: MessagePage | None = field(name="pushMessagePage", default=None)
    cursor_items: list[Raw] | None = field(name="pushMessageList", default=None)


class ConfirmAnswer(Answer):
    """`push.message.confirm`."""

    is_success: Any = field(name="isSuccess", default=None)


class ProductAnswer(Answer):
    """`alibaba.product.get`."""

    # Not `Raw | None`, which would take nothing but null.
    product: Raw = field(name="productInfo", default=Raw())
    result: Flags | None = None


class SearchPage(msgspec.Struct):
    """One page of a search, its rows undecoded."""

    items: list[Raw] | None = field(name="data", default=None)
    total: Any = field(name="totalRecords", default=None)


class SearchResult(Flags):
    """The middle layer of a search."""

    page: SearchPage | None = field(name="result", default=None)


class SearchAnswer(Answer):
    """`product.search.keywordQuery`."""

    result: SearchResult | None = None


class DetailResult(Flags):
    """The middle layer of a detail."""

    # Not `Raw | None`, which would take nothing but null.
    product: Raw = field(name="result", default=Raw())


class DetailAnswer(Answer):
    """`product.search.queryProductDetail`."""

    result: DetailResult | None = None


class PoolRow(msgspec.Struct):
    """An offer of a pool: its id, and how many the whole pool has."""

    offer_id: Any = field(name="offerId", default=None)
    total: Any = field(name="offerPoolTotal", default=None)


class PoolResult(Flags):
    """The middle layer of a pool; its flag is text."""

    rows: list[PoolRow | None] | None = field(name="result", default=None)


class PoolAnswer(Answer):
    """`pool.product.pull`."""

    result: PoolResult | None = None


class PushAnswer(Answer):
    """`alibaba.cross.syncProductListPushed`."""

    result: Flags | None = None


class ChildCategory(msgspec.Struct):
    """A category as its parent names it."""

    id: Any = None
    name: Any = None
    is_leaf: Any = field(name="isLeaf", default=None)


class Category(msgspec.Struct):
    """One category with its children."""

    id: Any = field(name="categoryID", default=None)
    name: Any = None
    is_leaf: Any = field(name="isLeaf", default=None)
    children: list[ChildCategory | None] | None = field(name="childCategorys", default=None)


class CategoryAnswer(Answer):
    """`alibaba.category.get`."""

    categories: list[Category | None] | None = field(name="categoryInfo", default=None)


def decode(body: bytes, kind: type[A]) -> A:
    """The answer in its envelope; lone surrogates become U+FFFD, products stay undecoded.

    Raises:
        ValueError: not JSON, or of another shape.
    """
    try:
        return msgspec.json.decode(body, type=kind)
    except ValueError:
        repaired = without_lone_surrogates(body)
        if repaired == body:
            raise
        return msgspec.json.decode(repaired, type=kind)
    except RecursionError:
        raise ValueError("nested too deeply") from None


def without_lone_surrogates(text: bytes) -> bytes:
    """JSON text with every escaped half of a surrogate pair replaced by an escaped U+FFFD."""
    return _ESCAPE.sub(lambda escape: rb"\ufffd" if escape[1] else escape[0], text)


def _words(*candidates: Any) -> str:
    return next((str(candidate) for candidate in candidates if candidate not in (None, "")), "")
