"""Which URLs are called at all, and which addresses may stand behind a name."""

import socket
from ipaddress import ip_address

import pytest

from syncjobs.connectors.addresses import check_url, is_public
from syncjobs.connectors.http import HttpClient
from syncjobs.engine.errors import FatalSourceError, RetryableSourceError

REFUSED_FORMS = [
    "http://127.0.0.1/",
    "https://127.1/",
    "https://2130706433/",
    "https://0x7f.1/",
    "https://0177.0.0.1/",
    "https://1688.com@127.0.0.1/",
    "https://user:word@gw.open.1688.com/",
    "http://127.0.0.1#@1688.com",
    "https://127.0.0.1#@1688.com",
    "http://1688.com.evil.com",
    "http://evil.com/1688.com",
    "https://1688.com\\@127.0.0.1/",
    "https://１２７.０.０.１/",
    "https://127。0。0。1/",
    "https://gw。open。1688。com/",
    "https://1б88.com/",
    "https://127%2e0.0.1/",
    "https://gw.open.1688.com:22/",
    "https://gw.open.1688.com:25/",
    "https://gw.open.1688.com:6379/",
    "https://gw.open.1688.com:5432/",
    "http://gw.open.1688.com/",
    "file:///etc/passwd",
    "gopher://1688.com/",
    "ftp://1688.com/",
    "data:text/plain,1688",
    "//gw.open.1688.com/",
    "https:///openapi",
    "https://",
    "",
    "https://gw.open.1688.com/\r\nX-Injected: 1",
    "https://gw.open.1688.com/\x00",
    " https://gw.open.1688.com/",
    "https://[::1",
    "https://gw.open.1688.com:99999999/",
    "https://[fe80::1%25eth0]/",
]
PRIVATE = [
    "127.0.0.1",
    "0.0.0.0",  # noqa: S104 - an address to refuse
    "10.1.2.3",
    "172.16.0.1",
    "192.168.1.1",
    "100.64.0.1",
    "169.254.169.254",
    "198.18.0.1",
    "192.0.0.8",
    "192.88.99.1",
    "192.0.2.1",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "::1",
    "::",
    "::ffff:127.0.0.1",
    "::ffff:8.8.8.8",
    "::7f00:1",
    "fd00::1",
    "fe80::1",
    "fec0::1",
    "ff02::1",
    "64:ff9b::7f00:1",
    "64:ff9b:1::1",
    "2001::1",
    "2001:db8::1",
    "2002:7f00:1::1",
    "100::1",
]


@pytest.mark.parametrize("url", REFUSED_FORMS)
def test_a_tricky_url_is_refused(url: str) -> None:
    with pytest.raises(FatalSourceError) as refusal:
        HttpClient().request("GET", url)
    assert refusal.value.code in {"url_refused", "address_refused"}


@pytest.mark.parametrize(
    "url", ["https://gw.open.1688.com/openapi", "https://GW.open.1688.com:443/?a=b", "https://8.8.8.8/"]
)
def test_a_plain_https_url_is_accepted(url: str) -> None:
    assert check_url(url, frozenset()).scheme == "https"


@pytest.mark.parametrize(
    ("allowed", "url"),
    [
        ("127.0.0.1", "http://127.0.0.1:8123/"),
        ("127.0.0.1:8123", "http://127.0.0.1:8123/"),
        ("localhost", "https://localhost.:9000/"),
        ("[::1]:8123", "http://[::1]:8123/"),
        ("::1", "http://[::1]:8123/"),
    ],
)
def test_an_allowed_host_may_be_plain_http_on_any_port(allowed: str, url: str) -> None:
    assert check_url(url, frozenset({allowed})).host


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:8124/", "http://127.0.0.2:8123/", "http://localhost:8123/", "http://127.1:8123/"]
)
def test_an_allowed_host_and_port_allows_nothing_beside_it(url: str) -> None:
    with pytest.raises(FatalSourceError):
        check_url(url, frozenset({"127.0.0.1:8123"}))


@pytest.mark.parametrize("address", PRIVATE)
def test_an_address_that_is_not_of_the_internet_is_not_public(address: str) -> None:
    assert not is_public(ip_address(address))


@pytest.mark.parametrize("address", ["8.8.8.8", "47.88.1.1", "2400:3200::1", "2606:4700::1111"])
def test_an_address_of_the_internet_is_public(address: str) -> None:
    assert is_public(ip_address(address))


@pytest.mark.parametrize(
    "url", ["https://127.0.0.1/", "https://[::1]/", "https://[::ffff:127.0.0.1]/", "https://localhost/"]
)
def test_a_private_address_is_refused_on_connecting(url: str) -> None:
    with pytest.raises(FatalSourceError) as refusal:
        HttpClient().request("GET", url)
    assert refusal.value.code == "address_refused"
    assert refusal.value.suggestion


def _resolving_to(*addresses: str) -> object:
    return lambda _host, port, **_: [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (each, port)) for each in addresses]


def test_one_private_address_among_public_ones_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", _resolving_to("8.8.8.8", "10.0.0.1"))
    with pytest.raises(FatalSourceError) as refusal:
        HttpClient().request("GET", "https://gw.open.1688.com/")
    assert refusal.value.code == "address_refused"


def test_the_socket_goes_to_the_address_that_was_checked(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []
    connected: list[str] = []

    def refuse(address: tuple[str, int], *_: object, **__: object) -> socket.socket:
        connected.append(address[0])
        raise ConnectionRefusedError

    def rebinding(host: str, port: int, **_: object) -> list[tuple[object, ...]]:
        asked.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("8.8.8.8" if len(asked) == 1 else "127.0.0.1", port))]

    monkeypatch.setattr(socket, "getaddrinfo", rebinding)
    monkeypatch.setattr(socket, "create_connection", refuse)
    client = HttpClient()
    for _ in range(2):
        with pytest.raises(RetryableSourceError):
            client.request("GET", "https://gw.open.1688.com/")
    assert (asked, connected) == (["gw.open.1688.com"], ["8.8.8.8", "8.8.8.8"])


def test_a_name_that_does_not_resolve_may_resolve_later(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise socket.gaierror

    monkeypatch.setattr(socket, "getaddrinfo", fail)
    with pytest.raises(RetryableSourceError) as failure:
        HttpClient().request("GET", "https://gw.open.1688.com/openapi?access_token=hidden")
    assert failure.value.code == "dns_failed"
    assert "hidden" not in str(failure.value)
