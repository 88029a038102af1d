"""A search is split until each part fits, and says where it cannot."""

from collections.abc import Callable
from typing import NamedTuple

import pytest

from syncjobs.connectors.alibaba1688 import bands
from syncjobs.connectors.alibaba1688.bands import Band, Partition
from syncjobs.connectors.alibaba1688.doubts import Doubts

WINDOW = 2000
ROOT = Band(keyword="x")


class Counted(NamedTuple):
    total: int


class World:
    """Offers as (category, price in fen), None for a hidden price, and the tree they lie in."""

    def __init__(self, offers: list[tuple[int, int | None]], tree: dict[int | None, tuple[int, ...]]) -> None:
        self.offers, self.tree, self.calls = offers, tree, 0
        self.doubts = Doubts()

    def inside(self, band: Band) -> list[tuple[int, int | None]]:
        within = {band.category_id, *self.tree.get(band.category_id, ())} if band.category_id else None
        is_limited = band.low is not None or band.high is not None
        return [
            (category, price)
            for category, price in self.offers
            if (within is None or category in within)
            and (not is_limited or (price is not None and (band.low or 0) <= price <= (band.high or 10**9)))
        ]

    def measure(self, band: Band) -> Counted:
        self.calls += 1
        return Counted(min(len(self.inside(band)), WINDOW))

    def parts(self, root: Band = ROOT) -> list[Band]:
        partition = Partition(self.measure, lambda number: self.tree.get(number, ()), self.doubts)
        return [part.band for part in partition.fitting(root)]

    def codes(self) -> list[str]:
        return [doubt.code for doubt in self.doubts]


def spread(count: int, category: int = 1, price: Callable[[int], int] = lambda number: 10 + number * 7) -> World:
    return World([(category, price(number)) for number in range(count)], {})


def test_what_fits_is_read_as_it_is() -> None:
    world = spread(WINDOW - 1)
    assert world.parts() == [ROOT]
    assert (world.calls, world.codes()) == (1, [])


@pytest.mark.parametrize("count", [WINDOW, WINDOW + 1, 30_000])
def test_parts_by_price_fit_and_hold_everything_once(count: int) -> None:
    world = spread(count)
    parts = world.parts()
    assert all(len(world.inside(part)) < WINDOW for part in parts)
    assert sum(len(world.inside(part)) for part in parts) == count
    assert world.codes() == []
    assert world.calls < 4 * (count // WINDOW + 1) + 12


def test_categories_come_before_prices_and_the_last_level_is_split_by_price() -> None:
    tree: dict[int | None, tuple[int, ...]] = {None: (1, 2), 1: (11, 12)}
    world = World([*((11, 500 + number) for number in range(3000)), (12, 9), (2, 9)], tree)
    parts = world.parts()
    assert {part.category_id for part in parts} == {11, 12, 2}
    assert all(part.low is not None or part.high is not None for part in parts if part.category_id == 11)
    assert sum(len(world.inside(part)) for part in parts) == 3002


def test_more_offers_at_one_price_than_the_window_shows_are_told() -> None:
    world = spread(2500, price=lambda _: 990)
    parts = world.parts()
    assert (990, 990) in {(part.low, part.high) for part in parts}
    doubt = next(doubt for doubt in world.doubts if doubt.code == "band_exceeds_window")
    assert doubt.details["examples"][0]["price_from"] == "9.90"


def test_offers_that_are_in_no_part_are_told() -> None:
    world = World([(1, 10 + number) for number in range(1990)] + [(1, None)] * 30, {})
    world.parts()
    assert "split_loses_offers" in world.codes()


def test_a_limit_of_prices_is_kept_while_halving() -> None:
    world = spread(9000)
    root = Band(keyword="x", low=5_000, high=40_000)
    parts = world.parts(root)
    assert min(part.low or 0 for part in parts) == 5_000
    assert max(part.high or 10**9 for part in parts) == 40_000
    assert sum(len(world.inside(part)) for part in parts) == len(world.inside(root))


def test_the_calls_for_measuring_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bands, "MOST_MEASURES", 5)
    world = spread(100_000)
    world.parts()
    assert world.calls < 15
    assert "too_many_parts" in world.codes()


def test_a_doubt_that_comes_up_often_is_one_doubt_with_examples() -> None:
    doubts = Doubts()
    for number in range(20):
        doubts.add("order_drifts", seen=number)
    (doubt,) = doubts
    assert (doubt.details["count"], len(doubt.details["examples"])) == (20, 5)
