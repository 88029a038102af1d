"""Walks over listings that shrink, grow, repeat themselves or lie."""

import pytest

from syncjobs.connectors.alibaba1688.paginator import LONGEST_TAIL, ListPage, PageWalk
from syncjobs.engine.errors import RetryableSourceError

SIZE = 2


class Listing:
    """A listing of `rows` products; `total` is what it claims, and beyond its end it may repeat its last page."""

    def __init__(self, rows: int, total: int | None = None, *, repeats: bool = False, silent: bool = False) -> None:
        self.rows, self.repeats = rows, repeats
        self.total = None if silent else rows if total is None else total
        self.loaded: list[int] = []

    def __call__(self, number: int) -> ListPage:
        self.loaded.append(number)
        last = max(1, -(-self.rows // SIZE))
        start = (min(number, last) if self.repeats else number) * SIZE - SIZE
        ids = tuple(map(str, range(start, min(start + SIZE, self.rows))))
        return ListPage(items=tuple(map(str.encode, ids)), ids=ids, total=self.total)


def ids_of(listing: Listing, first: int = 1, count: int = 1, *, open_ended: bool = False) -> list[str]:
    walk = PageWalk(listing, first=first, count=count, size=SIZE, open_ended=open_ended)
    return [each for page in walk for each in page.ids]


def test_a_bounded_walk_asks_for_its_pages_and_no_more() -> None:
    listing = Listing(20)
    assert ids_of(listing, first=2, count=2) == ["2", "3", "4", "5"]
    assert listing.loaded == [2, 3]


@pytest.mark.parametrize("rows", [0, 1, 4, 5])
@pytest.mark.parametrize("repeats", [False, True])
@pytest.mark.parametrize("silent", [False, True])
def test_an_open_walk_ends_behind_the_last_product(rows: int, repeats: bool, silent: bool) -> None:
    assert ids_of(Listing(rows, repeats=repeats, silent=silent), open_ended=True) == list(map(str, range(rows)))


def test_an_open_walk_meets_what_was_added_behind_its_planned_end() -> None:
    assert ids_of(Listing(9), first=2, count=1, open_ended=True) == ["2", "3", "4", "5", "6", "7", "8"]


def test_a_listing_that_shrank_ends_the_walk() -> None:
    listing = Listing(3)
    assert ids_of(listing, first=2, count=5) == ["2"]
    assert listing.loaded == [2, 3]


def test_a_short_page_in_the_middle_does_not_end_an_open_walk() -> None:
    listing = Listing(6)

    def with_a_gap(number: int) -> ListPage:
        page = listing(number)
        return ListPage(items=page.items[:1], ids=page.ids[:1], total=6) if number == 1 else page

    walk = PageWalk(with_a_gap, first=1, count=1, size=SIZE, open_ended=True)
    assert [each for page in walk for each in page.ids] == ["0", "2", "3", "4", "5"]


def test_pages_that_are_clamped_without_a_word_are_walked_to_the_end() -> None:
    walk = PageWalk(Listing(5, silent=True), first=1, count=1, size=SIZE * 2, open_ended=True)
    assert [each for page in walk for each in page.ids] == ["0", "1", "2", "3", "4"]


@pytest.mark.parametrize("open_ended", [False, True])
def test_a_repeated_page_where_there_should_be_more_is_a_fault(open_ended: bool) -> None:
    with pytest.raises(RetryableSourceError) as fault:
        ids_of(Listing(4, total=100, repeats=True), count=10, open_ended=open_ended)
    assert fault.value.code == "page_loop"


def test_an_empty_page_where_there_should_be_more_is_a_fault() -> None:
    with pytest.raises(RetryableSourceError) as fault:
        ids_of(Listing(0, total=100))
    assert fault.value.code == "page_empty"


@pytest.mark.parametrize(("total", "silent"), [(4, False), (None, True), (10**12, False)])
def test_a_listing_without_an_end_is_left(total: int | None, silent: bool) -> None:
    listing = Listing(10**9, total=total, silent=silent)
    with pytest.raises(RetryableSourceError) as fault:
        ids_of(listing, open_ended=True)
    assert fault.value.code == "page_loop"
    assert len(listing.loaded) <= LONGEST_TAIL + 2
