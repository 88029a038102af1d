"""WebSockets to outside addresses, as guarded as HTTP: the socket goes to the very address that was checked."""

import socket
from collections.abc import Iterable
from contextlib import ExitStack
from urllib.parse import urlsplit, urlunsplit

from websockets.exceptions import WebSocketException
from websockets.sync.client import ClientConnection, connect

from syncjobs.connectors.addresses import DEFAULT_PORTS, check_url, normalized, resolve, vet_url
from syncjobs.connectors.http import CONNECT_SECONDS, tls_context
from syncjobs.engine.errors import FatalSourceError, RetryableSourceError

PING_SECONDS = 30.0
CLOSE_SECONDS = 2.0
# The frames that wait to be read; beyond them the sender has to wait.
MOST_WAITING = 16
_SCHEMES = {"ws": "http", "wss": "https"}


def check_socket_url(url: str, allowed: frozenset[str]) -> None:
    """Judge the address of a WebSocket that is to be opened later, as `vet_url` does for HTTP.

    Raises:
        FatalSourceError: code `url_refused` or `address_refused`.
    """
    vet_url(_as_http(url), allowed)


def open_socket(url: str, allowed_hosts: Iterable[str], *, max_size: int) -> ClientConnection:
    """A WebSocket to a host that may be called: wss on port 443 of public hosts, anything of hosts that are allowed.

    No proxy, no compression (a bomb is as long as it is), no redirects (there are none for an open socket).

    Raises:
        FatalSourceError: the address is refused.
        RetryableSourceError: DNS, connection, time-out, or the other side speaks something else.
    """
    allowed = frozenset(map(normalized, allowed_hosts))
    target = check_url(_as_http(url), allowed)
    is_secure = target.scheme == "https"
    tcp = _connected(target.host, target.port or DEFAULT_PORTS[target.scheme], allowed)
    try:
        # Its users close it; only entering a context tells the library that somebody will.
        return ExitStack().enter_context(
            connect(
                url,
                sock=tcp,
                ssl=tls_context() if is_secure else None,
                server_hostname=target.host if is_secure else None,
                proxy=None,
                compression=None,
                open_timeout=CONNECT_SECONDS,
                close_timeout=CLOSE_SECONDS,
                ping_interval=PING_SECONDS,
                ping_timeout=PING_SECONDS,
                max_size=max_size,
                max_queue=MOST_WAITING,
                user_agent_header="1688sync",
            )
        )
    except (OSError, ValueError, WebSocketException) as error:
        # A redirect is a ValueError: the library does not follow one from a socket that was handed to it.
        tcp.close()
        raise RetryableSourceError(
            f"{target.host} opened no WebSocket ({type(error).__name__}).", code="connection_failed"
        ) from None


def _as_http(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in _SCHEMES:
        raise FatalSourceError(
            "The address is refused: only ws(s)://host/… is called.",
            code="url_refused",
            suggestion="Correct the address of the source.",
        )
    return urlunsplit(parts._replace(scheme=_SCHEMES[parts.scheme]))


def _connected(host: str, port: int, allowed: frozenset[str]) -> socket.socket:
    for address in resolve(host, port, allowed):
        try:
            return socket.create_connection((address, port), timeout=CONNECT_SECONDS)
        except OSError:
            continue
    raise RetryableSourceError(f"The connection to {host} failed.", code="connection_failed")
