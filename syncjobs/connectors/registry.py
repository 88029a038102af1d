"""Which connectors exist, and what each is handed. A connector never sees a Django object."""

import time
from collections.abc import Callable
from datetime import datetime
from importlib import import_module
from math import inf
from typing import Any, Protocol

import msgspec

from syncjobs.engine.contracts import Connector


class Credentials(msgspec.Struct, frozen=True, kw_only=True):
    """What a source authenticates with. Times are UTC; None = the source never said when it ends."""

    app_key: str = ""
    app_secret: str = ""
    access_token: str = ""
    refresh_token: str = ""
    access_expires_at: datetime | None = None
    refresh_expires_at: datetime | None = None

    def __repr__(self) -> str:
        return f"Credentials(app_key={self.app_key!r}, …)"


class CredentialStore(Protocol):
    """Where credentials live (the Source row, encrypted)."""

    def load(self) -> Credentials:
        """The credentials as stored now."""
        ...

    def refresh(self, stale: Credentials, exchange: Callable[[Credentials], Credentials]) -> Credentials:
        """Replace `stale` once among all workers: a caller that comes late gets what the winner stored.

        `exchange` is called at most once, under the row's lock, and its answer is stored before the lock goes.
        """
        ...


class CallGate(Protocol):
    """The shared right to call the source: a token bucket per app key and a daily ledger."""

    def acquire(self, api: str) -> None:
        """Wait for a permit (a few seconds at most) and count the call.

        Raises:
            RetryableSourceError: the wait would be longer; `retry_after` says how long.
            QuotaExhausted: the day's ledger is full.
        """
        ...

    def slow_down(self, seconds: float) -> None:
        """The source said "too fast": no worker calls it for this long."""
        ...

    def refused(self, api: str, *, used_up: bool = False) -> None:
        """The source refused a call because of the number of calls: too fast, or all are used up."""
        ...


class ConnectorContext(msgspec.Struct, frozen=True, kw_only=True):
    """Everything a connector is built from. `options` is the Source's own configuration (JSON).

    `cache_folder`: where all workers may keep files that can be made again; "" = nowhere. `download_bytes` and
    `download_seconds` bound what is fetched into it. `patience`: seconds after which the connector gives up whatever
    it does, for a caller who waits; None = never.
    """

    source_name: str
    options: dict[str, Any]
    credentials: CredentialStore
    gate: CallGate
    allowed_hosts: tuple[str, ...] = ()
    cache_folder: str = ""
    download_bytes: int = 2 * 1024**3
    download_seconds: float = 1800.0
    patience: float | None = None

    def gives_up_at(self) -> float:
        """The end of its patience on the monotonic clock; infinity without one."""
        return inf if self.patience is None else time.monotonic() + self.patience


# kind -> "module:factory", called with a ConnectorContext. A new connector is one line here.
CONNECTORS = {
    "alibaba1688": "syncjobs.connectors.alibaba1688.connector:Alibaba1688Connector",
    "feed": "syncjobs.connectors.feed.connector:FeedConnector",
}
# kind -> "module:function", called with the options of a source and the hosts that may be private; raises
# FatalSourceError for what the connector could not work with.
OPTION_CHECKS = {
    "alibaba1688": "syncjobs.connectors.alibaba1688.options:check_options",
    "feed": "syncjobs.connectors.feed.options:check_options",
}


def check_options(kind: str, options: dict[str, Any], allowed_hosts: frozenset[str]) -> None:
    """Let the connector of this kind look at options before they are stored.

    Raises:
        FatalSourceError: its text names the option.
    """
    if kind in OPTION_CHECKS:
        _load(OPTION_CHECKS[kind])(options, allowed_hosts)


def build(kind: str, context: ConnectorContext) -> Connector:
    """Build the connector of this kind.

    Raises:
        KeyError: no connector of that kind.
    """
    connector: Connector = _load(CONNECTORS[kind])(context)
    return connector


def _load(place: str) -> Callable[..., Any]:
    module, _, name = place.partition(":")
    found: Callable[..., Any] = getattr(import_module(module), name)
    return found
