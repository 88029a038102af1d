"""A few hundred suppliers, some for every line of business, each at home in a real industrial town."""

from typing import NamedTuple

from .categories import TOP_LEVEL
from .draw import Draw
from .vocabulary import MAKER_NAMES, TRADE_OF_TOP

PER_LINE = 20
_FIRST_USER_ID = 2_200_000_000_001


class Supplier(NamedTuple):
    """A seller account; `user_id` is text on the platform."""

    user_id: str
    login: str
    address: str
    freight_template: int


def _supplier(seed: int, top: int, number: int) -> Supplier:
    draw = Draw("supplier", seed, top, number)
    trade = TRADE_OF_TOP[top]
    place = draw.pick(trade.places)
    town = place.split()[-1][:-1]
    # A running number keeps logins of one town and trade apart, the way sellers do it.
    login = f"{town}{MAKER_NAMES[number % len(MAKER_NAMES)]}{draw.pick(trade.makers)}{top % 97:02}"
    user_id = _FIRST_USER_ID + TOP_LEVEL.index(top) * 7_919_113 + number * 104_729
    return Supplier(str(user_id), login, place, draw.pick((0, 1, draw.between(100_000, 999_999))))


def build_suppliers(seed: int) -> dict[int, tuple[Supplier, ...]]:
    """The suppliers of one seed by level-one category."""
    return {top: tuple(_supplier(seed, top, number) for number in range(PER_LINE)) for top in TOP_LEVEL}
