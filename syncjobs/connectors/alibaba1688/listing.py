"""Plans and pages of `alibaba.product.list.get`, and products by their ids."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any, ClassVar

import msgspec

from syncjobs.connectors.alibaba1688.answers import ByIdAnswer, ListAnswer, PageResult, ProductAnswer
from syncjobs.connectors.alibaba1688.apis import (
    ID_LIST_SIZE,
    PRODUCT_GET,
    PRODUCT_LIST,
    PRODUCTS_BY_ID,
    Api,
)
from syncjobs.connectors.alibaba1688.client import GatewayClient
from syncjobs.connectors.alibaba1688.failures import NOT_GRANTED, BusinessError
from syncjobs.connectors.alibaba1688.mapping import source_id_of
from syncjobs.connectors.alibaba1688.paginator import ListPage, PageWalk
from syncjobs.connectors.coerce import whole_number
from syncjobs.engine.contracts import BatchSpec, Page, RawRecord
from syncjobs.engine.errors import FatalSourceError, RetryableSourceError

NULL = b"null"
WEB_SITE = "1688"
LARGEST_TOTAL = 2**53
# The platform's times have no finer part, and the ends of its ranges belong to them.
FINEST_TIME = timedelta(milliseconds=1)


class Range(msgspec.Struct, frozen=True, kw_only=True, tag="pages", tag_field="walk"):
    """Some pages of a listing. `open_ended`: also what was added behind them meanwhile. `until` is excluded."""

    page: int
    pages: int
    size: int
    open_ended: bool = False
    category_id: int | None = None
    since: datetime | None = None
    until: datetime | None = None


class Ids(msgspec.Struct, frozen=True, kw_only=True, tag="ids", tag_field="walk"):
    """Some products by their ids."""

    ids: tuple[str, ...]


class SellerListing:
    """The account's products page by page, ordered by id.

    By id, also for an incremental walk: new products come last, and one that changes during the walk stays where it
    is. Ordered by the time of change it would jump to the end, every row behind it would move up by one, and the walk
    would step over one product at each page boundary. By id a product can only enter between others, which repeats a
    row on the next page; only a deletion can hide one, and then the totals do not agree.
    """

    def __init__(self, client: GatewayClient) -> None:
        self._client = client

    def batches(self, wanted: Range, batch_size: int, total: int | None) -> Iterator[BatchSpec]:
        """Ranges like `wanted` of about `batch_size` products; the last is open-ended, and the only one without a
        total."""
        size = wanted.size
        pages_in_batch = max(1, batch_size // size)
        pages = max(1, -(-(total or 0) // size))
        for page in range(1, pages + 1, pages_in_batch):
            count = min(pages_in_batch, pages - page + 1)
            part = msgspec.structs.replace(wanted, page=page, pages=count, open_ended=page + count > pages)
            expected = min(count * size, max(0, (total or 0) - (page - 1) * size))
            yield BatchSpec(params=msgspec.to_builtins(part), expected=expected, calls=count)

    def measure(self, wanted: Range) -> tuple[int | None, int]:
        """(total, page size) of a listing; the platform may clamp the size asked for, and need not say so."""
        result = self._page(wanted, 1, need_detail=False)
        total, delivered = total_of(result.total), len(result.items or ())
        size = min(total_of(result.size) or wanted.size, wanted.size)
        return total, delivered if 0 < delivered < min(size, total or 0) else size

    def pages(self, wanted: Range) -> Iterator[Page]:
        """The pages of a range; every one repeats the listing's total."""
        walk = PageWalk(
            lambda number: _list_page(self._page(wanted, number, need_detail=True)),
            first=wanted.page,
            count=wanted.pages,
            size=wanted.size,
            open_ended=wanted.open_ended,
        )
        for page in walk:
            yield page.page or page_of(page.items, total=page.total)

    def _page(self, wanted: Range, number: int, *, need_detail: bool) -> PageResult:
        params = {
            "pageNo": number,
            "pageSize": wanted.size,
            "categoryId": wanted.category_id,
            "startModifyTime": wanted.since,
            "endModifyTime": wanted.until and wanted.until - FINEST_TIME,
            "orderByCondition": "ID",
            "orderByType": "ASC",
            "needDetail": need_detail,
        }
        try:
            result = self._client.call(PRODUCT_LIST, params, ListAnswer).result
        except BusinessError as error:
            raise error.as_engine_error(PRODUCT_LIST) from None
        if result and (refusal := result.refusal()):
            raise BusinessError(*refusal).as_engine_error(PRODUCT_LIST)
        if result is None or result.page is None:
            raise RetryableSourceError("The listing has no page.", code="bad_answer")
        return result.page


class Lookup(ABC):
    """Products by their ids: twenty a call, and one by one what such a call leaves out or may not be asked for.

    Attributes:
        several: the API that answers twenty ids together.
    """

    several: ClassVar[Api]

    def __init__(self, client: GatewayClient) -> None:
        self._client = client
        self._lists_granted = True

    def pages(self, ids: Sequence[str]) -> Iterator[Page]:
        """One page for each call made."""
        for start in range(0, len(ids), ID_LIST_SIZE):
            wanted = ids[start : start + ID_LIST_SIZE]
            yield from self._opened(wanted)
            found = self._several(wanted) if self._lists_granted else None
            if found is not None:
                yield found
            known = {record.source_id for record in found.records} if found else set()
            yield from (self._one(each) for each in wanted if each not in known)

    def _several(self, ids: Sequence[str]) -> Page | None:
        """What the platform hands out together; None when it refuses the whole call for one of the ids."""
        try:
            answer = self._client.call(self.several, id_list(ids), ByIdAnswer)
        except BusinessError:
            return None
        except FatalSourceError as error:
            if error.code not in NOT_GRANTED:
                raise
            self._lists_granted = False
            return None
        page = page_of(item for item in map(bytes, answer.items or ()) if item != NULL)
        wanted = tuple(record for record in page.records if record.source_id in {*ids, None})
        return msgspec.structs.replace(page, records=wanted)

    def _opened(self, ids: Sequence[str]) -> Iterator[Page]:  # noqa: ARG002 (most products need not be opened)
        """What must be asked before these products may be."""
        return iter(())

    @abstractmethod
    def _one(self, product_id: str) -> Page:
        """One product by itself."""


class ProductLookup(Lookup):
    """The account's own products."""

    several = PRODUCTS_BY_ID

    def _one(self, product_id: str) -> Page:
        try:
            answer = self._client.call(PRODUCT_GET, {"productID": product_id, "webSite": WEB_SITE}, ProductAnswer)
        except BusinessError as error:
            return refused(product_id, error)
        if answer.result and (refusal := answer.result.refusal()):
            return refused(product_id, BusinessError(*refusal))
        product = bytes(answer.product)
        if product in (b"", NULL):
            return refused(product_id, BusinessError("", "no productInfo"))
        return page_of([product])


def id_list(ids: Iterable[str]) -> dict[str, Any]:
    """Ids as the APIs that take several want them."""
    return {"productIdList": [int(each) for each in ids]}


def page_of(items: Iterable[bytes], total: int | None = None) -> Page:
    """Each product's own bytes with its id; what is no JSON object at all is rejected by itself."""
    records, rejected = [], []
    for item in items:
        try:
            records.append(RawRecord(payload=item, source_id=source_id_of(item)))
        except ValueError as error:
            rejected.append((item, str(error)))
    return Page(records=tuple(records), rejected=tuple(rejected), total=total)


def _list_page(result: PageResult) -> ListPage:
    items, total = tuple(map(bytes, result.items or ())), total_of(result.total)
    page = page_of(items, total=total)
    known = tuple(record.source_id or repr(record.payload) for record in page.records)
    return ListPage(items=items, ids=known + tuple(repr(item) for item, _ in page.rejected), total=total, page=page)


def refused(product_id: str, error: BusinessError) -> Page:
    """What it means for one product that the platform refuses it: gone, or rejected with the platform's words."""
    if error.is_gone:
        return Page(gone=(product_id,))
    reason = {"productID": product_id, "code": error.code, "message": error.text}
    return Page(rejected=((msgspec.json.encode(reason), f"product {product_id}: {error.text or error.code}"),))


def total_of(value: Any) -> int | None:
    """A total or a page size.

    Raises:
        RetryableSourceError: not a number.
    """
    try:
        return whole_number(value, LARGEST_TOTAL)
    except ValueError:
        raise RetryableSourceError("The listing counts in something else than numbers.", code="bad_answer") from None
