"""Addresses that are asked for once."""

from urllib.parse import unquote

from benchmarks.sections.paging import ADDRESSES, respelled


def test_no_address_comes_twice_and_all_mean_the_same() -> None:
    paths = ["/api/v1/products?page=1&page_size=20"]
    addresses = respelled(paths, ADDRESSES)
    assert len(set(addresses)) == ADDRESSES
    assert {unquote(address) for address in addresses} == set(paths)
