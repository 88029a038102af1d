"""Walks over `pageNo`/`pageSize` listings that always end, whatever the platform answers."""

from collections.abc import Callable, Iterator

import msgspec

from syncjobs.engine.contracts import Page
from syncjobs.engine.errors import RetryableSourceError

# How far a growing listing may outrun the total it claims before we stop believing it.
PAGES_BEYOND_TOTAL = 3
# How many pages a walk may find behind its planned end; a listing that grows faster would never end.
LONGEST_TAIL = 10_000


class ListPage(msgspec.Struct, frozen=True):
    """One page: each product's bytes, its ids for the comparison of pages, and the total claimed with it.

    `page` is the same for the engine, where whoever looked for the ids had to make it.
    """

    items: tuple[bytes, ...]
    ids: tuple[str, ...]
    total: int | None
    page: Page | None = None


class PageWalk:
    """The pages from `first` on: `count` of them, or with `open_ended` also what was added behind them meanwhile.

    `load` fetches one page by its number, from 1. Some listings answer a page beyond the end with the last one
    again: such a page ends the walk. The same repetition, or an empty page, where the total still claims products
    is a fault of the source.
    """

    def __init__(
        self, load: Callable[[int], ListPage], *, first: int, count: int, size: int, open_ended: bool = False
    ) -> None:
        self._load, self._first, self._size, self._open_ended = load, first, size, open_ended
        self._last = first + count - 1

    def __iter__(self) -> Iterator[ListPage]:
        """Raises RetryableSourceError, code `page_loop` or `page_empty`, and what `load` raises."""
        number, previous = self._first, None
        while True:
            page = self._load(number)
            if page.ids and page.ids == previous:
                self._check(page, number, "page_loop")
                return
            if not page.items:
                self._check(page, number, "page_empty")
            yield page
            if self._ends_with(page, number):
                return
            number, previous = number + 1, page.ids

    def _check(self, page: ListPage, number: int, code: str) -> None:
        if self._claims(page, number):
            raise RetryableSourceError(f"Page {number} of the listing contradicts its total.", code=code)

    def _claims(self, page: ListPage, number: int) -> bool:
        """Whether by its own total the listing has products on this page."""
        return page.total is not None and (number - 1) * self._size < page.total

    def _ends_with(self, page: ListPage, number: int) -> bool:
        if not page.items:
            return True
        if number < self._last:
            return False
        return not self._open_ended or self._tail_ends_with(page, number)

    def _tail_ends_with(self, page: ListPage, number: int) -> bool:
        if number - self._last > LONGEST_TAIL or self._is_far_beyond(page, number):
            raise RetryableSourceError("The listing goes on and on beyond its total.", code="page_loop")
        # Without a total a short page proves nothing: the platform clamps page sizes without saying so.
        return page.total is not None and len(page.items) < self._size and not self._claims(page, number + 1)

    def _is_far_beyond(self, page: ListPage, number: int) -> bool:
        return page.total is not None and not self._claims(page, number - PAGES_BEYOND_TOTAL)
