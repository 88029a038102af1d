"""WebSockets are opened to nobody whom HTTP would not call."""

import socket
from typing import Any

import pytest

from syncjobs.connectors.alibaba1688.options import check_options
from syncjobs.connectors.sockets import open_socket
from syncjobs.engine.errors import FatalSourceError, RetryableSourceError
from tests.connectors.alibaba1688.support import http_answer, serving

REFUSED = [
    "ws://message.1688.com/websocket",
    "wss://message.1688.com:8443/websocket",
    "wss://user:word@message.1688.com/",
    "wss://127.0.0.1/",
    "wss://[::1]/",
    "wss://169.254.169.254/latest",
    "wss://2130706433/",
    "https://message.1688.com/",
    "file:///etc/passwd",
    "",
]


@pytest.mark.parametrize("url", REFUSED)
def test_an_address_that_may_not_be_called_gets_no_connection(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def connect(*_: Any, **__: Any) -> Any:
        raise AssertionError("a connection was tried")

    monkeypatch.setattr(socket, "create_connection", connect)
    with pytest.raises(FatalSourceError) as refusal:
        open_socket(url, (), max_size=1000)
    assert refusal.value.code in {"url_refused", "address_refused"}
    if url:
        with pytest.raises(FatalSourceError):
            check_options({"message_url": url}, frozenset())


def test_a_name_that_resolves_anew_is_judged_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    """The address that was checked is the one that is called: there is no second look at the name."""
    answers = iter(["10.0.0.1", "8.8.8.8"])
    called: list[str] = []

    def resolve(*_: Any, **__: Any) -> Any:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (next(answers), 443))]

    def connect(address: tuple[str, int], **_: Any) -> Any:
        called.append(address[0])
        raise OSError

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    monkeypatch.setattr(socket, "create_connection", connect)
    with pytest.raises(FatalSourceError):
        open_socket("wss://message.example.com/", (), max_size=1000)
    with pytest.raises(RetryableSourceError):
        open_socket("wss://message.example.com/", (), max_size=1000)
    assert called == ["8.8.8.8"]


def test_a_redirect_is_not_followed() -> None:
    with serving(http_answer(b"")) as (elsewhere, visits):
        moved = http_answer(b"", "302 Found", Location=elsewhere.replace("http", "ws"))
        with serving(moved) as (url, _), pytest.raises(RetryableSourceError):
            open_socket(url.replace("http", "ws"), ("127.0.0.1",), max_size=1000)
        assert visits == []


def test_who_speaks_something_else_is_tried_again_later() -> None:
    with serving(http_answer(b"hello")) as (url, _), pytest.raises(RetryableSourceError):
        open_socket(url.replace("http", "ws"), ("127.0.0.1",), max_size=1000)
