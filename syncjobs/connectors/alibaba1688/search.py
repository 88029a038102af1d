"""Searches: what a keyword finds, part by part, read into batches of offers.

The rows of a search are read while the walk is planned, one call for fifty of them, and batches hold the ids: so an
offer that several parts show is fetched once, and a search that changes its order later changes nothing. Where details
are not granted, batches are pages of rows.
"""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import msgspec

from syncjobs.connectors.alibaba1688.answers import SearchAnswer
from syncjobs.connectors.alibaba1688.apis import ID_LIST_SIZE, SEARCH, SEARCH_PAGE_SIZE, SEARCH_WINDOW
from syncjobs.connectors.alibaba1688.bands import Band, Children, Fitting, Partition
from syncjobs.connectors.alibaba1688.client import GatewayClient
from syncjobs.connectors.alibaba1688.details import Offers, Way
from syncjobs.connectors.alibaba1688.doubts import Doubts
from syncjobs.connectors.alibaba1688.failures import BusinessError
from syncjobs.connectors.alibaba1688.listing import page_of, total_of
from syncjobs.connectors.alibaba1688.mapping import source_id_of
from syncjobs.connectors.alibaba1688.options import SearchOptions
from syncjobs.engine.contracts import BatchSpec, Page, Plan, Scope
from syncjobs.engine.errors import RetryableSourceError


class Window(msgspec.Struct, frozen=True, kw_only=True, tag="window", tag_field="walk"):
    """Some pages of a band's rows."""

    band: Band
    page: int
    pages: int
    size: int


class Rows(msgspec.Struct, frozen=True):
    """One page of a search."""

    items: tuple[bytes, ...]
    total: int | None


class SearchListing:
    """`product.search.keywordQuery`, one page of one band at a time."""

    def __init__(self, client: GatewayClient, options: SearchOptions) -> None:
        self._client, self._options = client, options

    def roots(self, category_id: int | None) -> list[Band]:
        """What the whole search is made of: every keyword in every category, or in the one asked for."""
        low, high = self._options.fen()
        chosen: list[int | None] = [category_id] if category_id else [*self._options.category_ids] or [None]
        return [
            Band(keyword=keyword, category_id=category, low=low, high=high)
            for keyword in dict.fromkeys(self._options.keywords)
            for category in dict.fromkeys(chosen)
        ]

    def page(self, band: Band, number: int, size: int = SEARCH_PAGE_SIZE) -> Rows:
        """One page.

        Raises:
            RetryableSourceError, FatalSourceError, QuotaExhausted: the platform did not answer, or refused.
        """
        asked = {
            "keyword": band.keyword,
            "beginPage": number,
            "pageSize": size,
            "country": self._options.country,
            "filter": ",".join(self._options.filter) or None,
            "categoryId": band.category_id,
            "priceStart": _yuan(band.low),
            "priceEnd": _yuan(band.high),
        }
        query = {name: value for name, value in asked.items() if value is not None}
        try:
            result = self._client.call(SEARCH, {"offerQueryParam": query}, SearchAnswer).result
        except BusinessError as error:
            raise error.as_engine_error(SEARCH) from None
        if result and (refusal := result.refusal()):
            raise BusinessError(*refusal).as_engine_error(SEARCH)
        if result is None or result.page is None:
            raise RetryableSourceError("The search has no page.", code="bad_answer")
        return Rows(tuple(map(bytes, result.page.items or ())), total_of(result.page.total))

    def pages(self, window: Window) -> Iterator[Page]:
        """The rows of a window; one that shrank meanwhile ends early."""
        for number in range(window.page, window.page + window.pages):
            rows = self.page(window.band, number, window.size)
            yield page_of(rows.items)
            if not rows.items:
                return


class SearchWalk:
    """One plan over a search. It proves nothing: what a search does not show may well be on sale."""

    def __init__(self, listing: SearchListing, options: SearchOptions, children: Children, doubts: Doubts) -> None:
        self._listing, self._options, self._doubts = listing, options, doubts
        self._first: dict[Band, Rows] = {}
        self._partition = Partition(self._measured, children, doubts)

    def plan(self, scope: Scope, way: Way | None, tick: Callable[[], None]) -> Plan:
        """Batches of offers to ask for in this way, or of rows without one.

        Args:
            tick: called between the calls of a long plan; may raise.
        """
        roots = self._listing.roots(scope.category_id)
        # A wrong keyword or a missing permission is told at once, and not only when the batches are taken.
        first = self._first[roots[0]] = self._listing.page(roots[0], 1)
        whole = len(roots) == 1 and first.total is not None and first.total < SEARCH_WINDOW
        fitting = self._fitting(roots, tick)
        if way:
            batches = _offer_batches(self._new_ids(fitting, tick), scope.batch_size, way)
        else:
            batches = self._windows(fitting, scope.batch_size)
        return Plan(batches=batches, total=first.total if whole else None, doubts=self._doubts)

    def _measured(self, band: Band) -> Rows:
        return self._first.pop(band, None) or self._listing.page(band, 1)

    def _fitting(self, roots: Iterable[Band], tick: Callable[[], None]) -> Iterator[Fitting[Rows]]:
        for root in roots:
            for part in self._partition.fitting(root):
                tick()
                yield part

    def _new_ids(self, fitting: Iterable[Fitting[Rows]], tick: Callable[[], None]) -> Iterator[str]:
        """The ids of all parts, each once, until the limit of offers."""
        known: set[str] = set()
        for part in fitting:
            for offer in self._ids(part, tick):
                if offer in known:
                    continue
                if len(known) >= self._options.max_offers:
                    self._doubts.add("limit_reached", max_offers=self._options.max_offers)
                    return
                known.add(offer)
                yield offer

    def _ids(self, part: Fitting[Rows], tick: Callable[[], None]) -> Iterator[str]:
        """The ids of one part, page by page, until as many rows came as it counts, or none."""
        band, page, number, rows = part.band, part.first, 1, 0
        total, known = page.total, set[str]()
        longest = SEARCH_WINDOW // max(1, len(page.items)) + 1
        while page.items:
            found = [offer for offer in map(_offer, page.items) if offer]
            yield from found
            known.update(found)
            rows += len(page.items)
            if number >= longest or (total is not None and rows >= total):
                break
            tick()
            number += 1
            page = self._listing.page(band, number)
        if len(known) < (total or 0):
            self._doubts.add("order_drifts", **band.described(), total=total, seen=len(known))

    def _windows(self, fitting: Iterable[Fitting[Rows]], batch_size: int) -> Iterator[BatchSpec]:
        taken = 0
        for band, first in fitting:
            total = first.total or len(first.items)
            delivered = min(len(first.items) or SEARCH_PAGE_SIZE, SEARCH_PAGE_SIZE)
            size = min(batch_size, SEARCH_PAGE_SIZE if delivered >= total else delivered)
            for window, expected in _cut(band, total, size, batch_size):
                if taken >= self._options.max_offers:
                    self._doubts.add("limit_reached", max_offers=self._options.max_offers)
                    return
                taken += expected
                yield BatchSpec(params=msgspec.to_builtins(window), expected=expected, calls=window.pages)


def _cut(band: Band, total: int, size: int, batch_size: int) -> Iterator[tuple[Window, int]]:
    pages, in_batch = max(1, -(-total // size)), max(1, batch_size // size)
    for page in range(1, pages + 1, in_batch):
        count = min(in_batch, pages - page + 1)
        yield Window(band=band, page=page, pages=count, size=size), min(count * size, total - (page - 1) * size)


def _offer_batches(ids: Iterable[str], batch_size: int, way: Way) -> Iterator[BatchSpec]:
    """At least one batch, so that a search that finds nothing is a walk too."""
    pending: list[str] = []
    started = False
    for offer in ids:
        pending.append(offer)
        if len(pending) == batch_size:
            yield offers_spec(pending, way)
            pending, started = [], True
    if pending or not started:
        yield offers_spec(pending, way)


def offers_spec(ids: Iterable[str], way: Way) -> BatchSpec:
    """A batch of offers; by detail each takes a call, by relation twenty take two."""
    offers = Offers(ids=tuple(ids), way=way)
    count = len(offers.ids)
    calls = count if way != "relation" else 2 * -(-count // ID_LIST_SIZE)
    return BatchSpec(params=msgspec.to_builtins(offers), expected=count, calls=calls)


def _offer(row: bytes) -> str | None:
    try:
        return source_id_of(row)
    except ValueError:
        return None


def _yuan(fen: int | None) -> Any:
    return None if fen is None else f"{fen // 100}.{fen % 100:02d}"
