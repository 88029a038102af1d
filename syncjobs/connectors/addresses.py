"""Which addresses may be called: the forms of a URL, and what stands behind its name."""

import re
import socket
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address

import httpx

from syncjobs.engine.errors import FatalSourceError, RetryableSourceError

DEFAULT_PORTS = {"http": 80, "https": 443}
# Names that never leave a machine or a site (RFC 6761, RFC 8375, ICANN's reserved .internal).
_LOCAL_NAMES = ("localhost", "local", "internal", "home.arpa", "localdomain", "onion", "test", "invalid")

_PRINTABLE_ASCII = re.compile(r"[!-\[\]-~]+")  # no blanks, no control characters, no backslash
_DNS_NAME = re.compile(r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z](?:[a-z0-9-]{0,61}[a-z0-9])?\.?")
# What `is_global` of Python 3.11.2 still calls public: special-purpose registries of IANA.
_NOT_PUBLIC_V4 = tuple(map(IPv4Network, ("192.0.0.0/24", "192.88.99.0/24", "198.18.0.0/15", "240.0.0.0/4")))
_PUBLIC_V6 = IPv6Network("2000::/3")
_NOT_PUBLIC_V6 = tuple(map(IPv6Network, ("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20")))


def check_url(url: str, allowed: frozenset[str]) -> httpx.URL:
    """The parsed URL, if its form may be called at all; the address behind its name is judged on connecting.

    `allowed` holds lower-case hosts and host:port pairs.

    Raises:
        FatalSourceError: code `url_refused`.
    """
    if not _PRINTABLE_ASCII.fullmatch(url):
        raise _refused_url("blanks, backslashes and characters beyond ASCII have no place in it")
    try:
        parsed = httpx.URL(url)
    except httpx.InvalidURL:
        raise _refused_url("it is not a URL") from None
    if parsed.scheme not in ("http", "https") or not parsed.host or parsed.userinfo or parsed.fragment:
        raise _refused_url("only http(s)://host/… without user name and fragment is called")
    host, port = normalized(parsed.host), parsed.port or DEFAULT_PORTS[parsed.scheme]
    if _is_allowed(host, port, allowed):
        return parsed
    if parsed.scheme != "https" or port != DEFAULT_PORTS["https"]:
        raise _refused_url("only https on port 443 is called, except hosts that are allowed by name")
    if "%" in host or not (_is_address(host) or _DNS_NAME.fullmatch(host)):
        raise _refused_url("its host is neither a name nor a plainly written address")
    return parsed


def vet_url(url: str, allowed: frozenset[str]) -> None:
    """Judge a URL that somebody wants called later: its form, its name and, if it resolves now, its addresses.

    What passes is judged again whenever it is called, because a name may resolve to something else by then.

    Raises:
        FatalSourceError: code `url_refused` or `address_refused`.
    """
    parsed = check_url(url, allowed)
    host, port = normalized(parsed.host), parsed.port or DEFAULT_PORTS[parsed.scheme]
    if _is_allowed(host, port, allowed):
        return
    if not _is_address(host) and ("." not in host or host.endswith(tuple(f".{name}" for name in _LOCAL_NAMES))):
        raise _refused_url("its name is one of a private network")
    try:
        resolve(host, port, allowed)
    except RetryableSourceError:
        return


def is_public(address: IPv4Address | IPv6Address) -> bool:
    """Whether an address belongs to the public internet (IANA special-purpose address registries)."""
    if isinstance(address, IPv4Address):
        return address.is_global and not address.is_multicast and not any(address in net for net in _NOT_PUBLIC_V4)
    return address in _PUBLIC_V6 and not any(address in net for net in _NOT_PUBLIC_V6)


def resolve(host: str, port: int, allowed: frozenset[str]) -> list[str]:
    """The addresses of `host`, all of them public unless the host is in `allowed`.

    Raises:
        RetryableSourceError: code `dns_failed`.
        FatalSourceError: code `address_refused`, when any of them is not public.
    """
    try:
        rows = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        raise RetryableSourceError(f"The name {host} cannot be resolved.", code="dns_failed") from None
    addresses = list(dict.fromkeys(str(row[4][0]) for row in rows))
    if _is_allowed(normalized(host), port, allowed) or all(map(is_public, map(ip_address, addresses))):
        return addresses
    raise FatalSourceError(
        f"The host {host} has an address that is not public.",
        code="address_refused",
        suggestion="Use a public host, or list this one in OUTBOUND_ALLOWED_HOSTS if it is yours.",
    )


def normalized(host: str) -> str:
    """A host or host:port as it is compared: lower case, without the dot of the DNS root."""
    return host.lower().rstrip(".")


def _refused_url(reason: str) -> FatalSourceError:
    return FatalSourceError(
        f"The address is refused: {reason}.", code="url_refused", suggestion="Correct the address of the source."
    )


def _is_allowed(host: str, port: int, allowed: frozenset[str]) -> bool:
    return host in allowed or f"{host}:{port}" in allowed or f"[{host}]:{port}" in allowed


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True
