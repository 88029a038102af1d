"""Whose call it is: the peer, or what a proxy of ours says of it. Nobody else's word counts."""

from ipaddress import ip_network

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.test import RequestFactory
from pytest_django import Settings

from config.env import networks
from system.client_ip import _client_ip, client_ip, limit_owner

PEER = "203.0.113.5"
PROXY = "10.0.0.7"


def seen(peer: str, forwarded: str | None = None) -> str:
    headers = {} if forwarded is None else {"X-Forwarded-For": forwarded}
    return client_ip(RequestFactory().get("/", REMOTE_ADDR=peer, headers=headers))


@pytest.fixture
def proxies(settings: Settings) -> None:
    settings.TRUSTED_PROXIES = (ip_network("10.0.0.0/8"), ip_network("fd00::/8"))


def test_by_default_nobody_is_believed() -> None:
    assert seen(PEER, "1.2.3.4") == PEER
    assert seen("127.0.0.1", "1.2.3.4") == "127.0.0.1"


@pytest.mark.usefixtures("proxies")
@pytest.mark.parametrize(
    ("peer", "forwarded", "client"),
    [
        (PEER, "1.2.3.4", PEER),
        (PROXY, None, PROXY),
        (PROXY, "", PROXY),
        (PROXY, "1.2.3.4", "1.2.3.4"),
        (PROXY, "6.6.6.6, 1.2.3.4", "1.2.3.4"),
        (PROXY, "6.6.6.6, 1.2.3.4, 10.9.9.9", "1.2.3.4"),
        (PROXY, "10.1.1.1, 10.9.9.9", "10.1.1.1"),
        (PROXY, "1.2.3.4, unknown", PROXY),
        (PROXY, "1.2.3.4, , 10.9.9.9", "10.9.9.9"),
        (PROXY, "1.2.3.4:5678", "1.2.3.4"),
        (PROXY, "[2001:db8::1]:5678", "2001:db8::1"),
        (PROXY, "2001:DB8:0:0::1", "2001:db8::1"),
        (PROXY, "::ffff:1.2.3.4", "1.2.3.4"),
        ("fd00::1", "1.2.3.4", "1.2.3.4"),
        ("::ffff:10.0.0.7", "1.2.3.4", "1.2.3.4"),
        ("fe80::1%eth0", "1.2.3.4", "fe80::1"),
        ("", "1.2.3.4", ""),
        (PROXY, "1.2.3.4\u0661", PROXY),
        (PROXY, "x" * 8000, PROXY),
    ],
)
def test_the_right_most_address_that_is_no_proxy_of_ours_counts(peer: str, forwarded: str | None, client: str) -> None:
    assert seen(peer, forwarded) == client


@pytest.mark.parametrize(
    ("address", "owner"),
    [
        ("1.2.3.4", "1.2.3.4"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::", "2001:db8:1:2::/64"),
        ("", ""),
    ],
)
def test_an_ipv6_customer_is_a_network(address: str, owner: str) -> None:
    assert limit_owner(address) == owner


def test_a_wrong_network_stops_the_start() -> None:
    assert networks("TRUSTED_PROXIES", ["10.0.0.7", "fd00::/8"]) == (ip_network("10.0.0.7/32"), ip_network("fd00::/8"))
    with pytest.raises(ImproperlyConfigured, match="TRUSTED_PROXIES"):
        networks("TRUSTED_PROXIES", ["proxy.internal"])


@pytest.mark.usefixtures("proxies")
def test_a_made_up_chain_that_is_long_is_read_and_not_remembered() -> None:
    _client_ip.cache_clear()
    assert seen(PROXY, "6.6.6.6, " * 200 + "1.2.3.4") == "1.2.3.4"
    assert _client_ip.cache_info().currsize == 0
