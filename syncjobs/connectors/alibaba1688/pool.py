"""Offer pools: `pool.product.pull` page by page, and the details of the offers on each page."""

from collections.abc import Iterator
from uuid import uuid4

import msgspec

from syncjobs.connectors.alibaba1688.answers import PoolAnswer
from syncjobs.connectors.alibaba1688.apis import ID_LIST_SIZE, POOL_PULL, SEARCH_PAGE_SIZE
from syncjobs.connectors.alibaba1688.client import GatewayClient
from syncjobs.connectors.alibaba1688.details import OfferDetails, Way
from syncjobs.connectors.alibaba1688.failures import BusinessError
from syncjobs.connectors.alibaba1688.fields import offer_id
from syncjobs.connectors.alibaba1688.listing import total_of
from syncjobs.connectors.alibaba1688.options import PoolOptions
from syncjobs.connectors.alibaba1688.paginator import ListPage, PageWalk
from syncjobs.engine.contracts import BatchSpec, Page, Scope
from syncjobs.engine.errors import RetryableSourceError


class PoolPages(msgspec.Struct, frozen=True, kw_only=True, tag="pool", tag_field="walk"):
    """Some pages of a pool as one task sees it. `total` is that of the first page; `way` leads to the details."""

    task: str
    page: int
    pages: int
    size: int
    total: int
    way: Way
    category_id: int | None = None
    open_ended: bool = False


class PoolListing:
    """One offer pool. All pages of a walk carry one task id: another task sees another order."""

    def __init__(self, client: GatewayClient, options: PoolOptions, details: OfferDetails) -> None:
        self._client, self._options, self._details = client, options, details

    def measure(self, scope: Scope, way: Way) -> PoolPages:
        """A new task, and what its first page says. An empty pool tells no total: it is 0."""
        wanted = PoolPages(
            task=uuid4().hex,
            page=1,
            pages=1,
            size=min(scope.batch_size, SEARCH_PAGE_SIZE),
            total=0,
            way=way,
            category_id=scope.category_id or self._options.category_id,
        )
        first = self._page(wanted, 1)
        total, delivered = first.total or 0, len(first.ids)
        size = delivered if 0 < delivered < min(wanted.size, total) else wanted.size
        return msgspec.structs.replace(wanted, size=size, total=total)

    def batches(self, wanted: PoolPages, batch_size: int) -> Iterator[BatchSpec]:
        """Ranges like `wanted` of about `batch_size` offers; the last one is open-ended."""
        size, total = wanted.size, wanted.total
        in_batch, pages = max(1, batch_size // size), max(1, -(-total // size))
        for page in range(1, pages + 1, in_batch):
            count = min(in_batch, pages - page + 1)
            part = msgspec.structs.replace(wanted, page=page, pages=count, open_ended=page + count > pages)
            expected = min(count * size, max(0, total - (page - 1) * size))
            calls = count + (expected if wanted.way != "relation" else 2 * -(-expected // ID_LIST_SIZE))
            yield BatchSpec(params=msgspec.to_builtins(part), expected=expected, calls=calls)

    def pages(self, wanted: PoolPages) -> Iterator[Page]:
        """One page for each call, each with the total that the pool claimed at that moment."""
        walk = PageWalk(
            lambda number: self._page(wanted, number),
            first=wanted.page,
            count=wanted.pages,
            size=wanted.size,
            open_ended=wanted.open_ended,
        )
        for page in walk:
            yield Page(total=page.total)
            for detail in self._details.pages(page.ids, wanted.way):
                yield msgspec.structs.replace(detail, total=page.total)

    def _page(self, wanted: PoolPages, number: int) -> ListPage:
        """An empty page tells no total, so the walk's own is held against it."""
        query = {
            "offerPoolId": self._options.offer_pool_id,
            "taskId": wanted.task,
            "language": self._options.country,
            "pageNo": number,
            "pageSize": wanted.size,
        }
        if wanted.category_id:
            query["cateId"] = wanted.category_id
        try:
            result = self._client.call(POOL_PULL, {"offerPoolQueryParam": query}, PoolAnswer).result
        except BusinessError as error:
            raise error.as_engine_error(POOL_PULL) from None
        if result is None:
            raise RetryableSourceError("The pool has no page.", code="bad_answer")
        if refusal := result.refusal():
            raise BusinessError(*refusal).as_engine_error(POOL_PULL)
        rows = [row for row in result.rows or () if row is not None]
        try:
            ids = tuple(offer_id(row.offer_id) for row in rows)
        except ValueError:
            raise RetryableSourceError("The pool names an offer without an id.", code="bad_answer") from None
        totals = [total for row in rows if (total := total_of(row.total)) is not None]
        return ListPage(items=tuple(map(str.encode, ids)), ids=ids, total=max(totals, default=wanted.total))
