"""Which options a 1688 source takes, and what it says of those it does not."""

from typing import Any

import pytest

from syncjobs.connectors.alibaba1688.options import check_options, read_options
from syncjobs.engine.errors import FatalSourceError

SEARCH = {"keywords": ["连衣裙"]}


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"walk": "seller"},
        {"walk": "search", "search": SEARCH},
        {"walk": "search", "search": SEARCH | {"category_ids": [10166], "price_from": "1.50", "price_to": 20}},
        {"walk": "search", "search": SEARCH | {"country": "ja", "filter": ["shipIn24Hours"], "max_offers": 5}},
        {"walk": "pool", "pool": {"offer_pool_id": 7, "category_id": 68}, "details": "required"},
    ],
)
def test_options_that_work(options: dict[str, Any]) -> None:
    check_options(options, frozenset())


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"walk": "all"}, "$.walk"),
        ({"walk": "search"}, "search"),
        ({"search": SEARCH}, "walk is seller"),
        ({"walk": "pool", "pool": {}}, "offer_pool_id"),
        ({"walk": "pool", "pool": {"offer_pool_id": "7"}}, "$.pool.offer_pool_id"),
        ({"walk": "pool", "pool": {"offer_pool_id": 7}, "details": "never"}, "never"),
        ({"walk": "search", "search": {"keywords": []}}, "$.search.keywords"),
        ({"walk": "search", "search": {"keywords": [" "]}}, "$.search.keywords"),
        ({"walk": "search", "search": SEARCH | {"country": "zh"}}, "$.search.country"),
        ({"walk": "search", "search": SEARCH | {"category_ids": [0]}}, "$.search.category_ids"),
        ({"walk": "search", "search": SEARCH | {"price_from": "面"}}, "$.search"),
        ({"walk": "search", "search": SEARCH | {"price_from": -1}}, "$.search"),
        ({"walk": "search", "search": SEARCH | {"price_from": 2, "price_to": 1}}, "price_from is above price_to"),
        ({"walk": "search", "search": SEARCH | {"filter": ["a,b"]}}, "$.search.filter"),
        ({"walk": "search", "search": SEARCH | {"max_offers": 0}}, "$.search.max_offers"),
        ({"walk": "search", "search": SEARCH | {"keyword": "x"}}, "keyword"),
    ],
)
def test_options_that_do_not_name_the_place(options: dict[str, Any], words: str) -> None:
    with pytest.raises(FatalSourceError) as error:
        check_options(options, frozenset())
    assert error.value.code == "invalid_options"
    assert words in error.value.message


def test_prices_are_read_in_fen() -> None:
    search = read_options({"walk": "search", "search": SEARCH | {"price_from": "1.50", "price_to": 20.99}}).search
    assert search
    assert search.fen() == (150, 2099)
