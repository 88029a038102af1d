"""The address of the client: the peer of the socket, unless that is a proxy of ours that says for whom it asks."""

import re
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from django.conf import settings
from django.http import HttpRequest

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

# Headers by which a proxy speaks for its client.
PROXY_HEADERS = ("HTTP_X_FORWARDED_FOR", "HTTP_X_FORWARDED_PROTO", "HTTP_X_FORWARDED_HOST", "HTTP_X_FORWARDED_PORT")
REMEMBERED_ADDRESSES = 4096
# Nobody honest sends more; what a client made up must not fill the memory.
REMEMBERED_LENGTH = 512
# A provider hands a customer a whole network of this size; a limit by single address would be no limit.
IPV6_CUSTOMER_BITS = 64
_WITH_PORT = re.compile(r"\[(?P<v6>[0-9A-Fa-f:.]+)\](?::[0-9]+)?|(?P<v4>[0-9.]+):[0-9]+")


def client_ip(request: HttpRequest) -> str:
    """The address the request comes from, in its normal form; "" when the server does not know.

    X-Forwarded-For counts only from TRUSTED_PROXIES, and of it the right-most address that is none of them: what
    stands left of that, the client may have written itself (CVE-2026-3902 is of this kind).
    """
    meta = request.META
    peer, forwarded = meta.get("REMOTE_ADDR", ""), meta.get("HTTP_X_FORWARDED_FOR", "")
    find = _client_ip if len(forwarded) <= REMEMBERED_LENGTH else _client_ip.__wrapped__
    return find(peer, forwarded, trusted_proxies())


def distrust_proxy_headers(request: HttpRequest) -> None:
    """Drop the X-Forwarded headers of whoever is not one of TRUSTED_PROXIES, so that nobody later can believe them."""
    meta = request.META
    if not _is_trusted(meta.get("REMOTE_ADDR", ""), trusted_proxies()):
        for name in PROXY_HEADERS:
            meta.pop(name, None)


def limit_owner(address: str) -> str:
    """Whose rate limit an address counts for: the address itself, of IPv6 its /64 network."""
    parsed = _parsed(address)
    if isinstance(parsed, IPv6Address):
        return str(ip_network((parsed, IPV6_CUSTOMER_BITS), strict=False))
    return address


def trusted_proxies() -> tuple[Network, ...]:
    """The networks of TRUSTED_PROXIES."""
    networks: tuple[Network, ...] = settings.TRUSTED_PROXIES
    return networks


@lru_cache(REMEMBERED_ADDRESSES)
def _client_ip(peer: str, forwarded: str, proxies: tuple[Network, ...]) -> str:
    found = _parsed(peer)
    if found is None:
        return ""
    for hop in reversed(forwarded.split(",") if forwarded else []):
        if not _within(found, proxies):
            break
        address = _parsed(hop)
        if address is None:
            # Not an address: nobody we trust can say more than the proxy that received it.
            break
        found = address
    return str(found)


@lru_cache(REMEMBERED_ADDRESSES)
def _is_trusted(peer: str, proxies: tuple[Network, ...]) -> bool:
    address = _parsed(peer)
    return address is not None and _within(address, proxies)


def _within(address: Address, networks: tuple[Network, ...]) -> bool:
    return any(address in network for network in networks)


def _parsed(text: str) -> Address | None:
    """An address as proxies write it: with a port, a zone, or as IPv4 inside IPv6."""
    text = text.strip()
    with_port = _WITH_PORT.fullmatch(text)
    if with_port:
        text = with_port["v6"] or with_port["v4"]
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    return (isinstance(address, IPv6Address) and address.ipv4_mapped) or address
