"""What a feed is opened with, and its snapshots by what they were made of."""

import time
from collections.abc import Callable
from math import inf
from typing import BinaryIO

import msgspec

from syncjobs.connectors.feed.encodings import chunks_of, find_encoding, transcode
from syncjobs.connectors.feed.files import Identity
from syncjobs.connectors.feed.snapshots import SUFFIX, Snapshots
from syncjobs.engine.errors import RetryableSourceError


class Means(msgspec.Struct, frozen=True, kw_only=True):
    """The folder of snapshots, when to give up (monotonic), and what a feed from an address is fetched with.

    `key` tells sources and their options apart. `authorization` gives the header of that name, "" for none.
    """

    folder: str = ""
    until: float = inf
    key: str = ""
    allowed_hosts: tuple[str, ...] = ()
    max_bytes: int = 2 * 1024**3
    seconds: float = 1800.0
    authorization: Callable[[], str] = str

    def check_patience(self) -> None:
        """Raise RetryableSourceError `uncounted` when it is over."""
        if time.monotonic() > self.until:
            raise RetryableSourceError("The file is too large to be read while somebody waits.", code="uncounted")


def name_of(identity: Identity) -> str:
    """The file name of a snapshot."""
    return f"{identity.digest}.{identity.encoding}{SUFFIX}"


def store_text(store: Snapshots, source: BinaryIO, declared: str, tick: Callable[[], None]) -> Identity:
    """Make the snapshot of a file in any encoding.

    Raises:
        FatalSourceError: `feed_encoding`, `feed_cache`.
        RetryableSourceError: `feed_cache`.
    """
    encoding = find_encoding(source, declared).encoding
    with store.incoming() as target:
        digest = transcode(chunks_of(source), target, encoding, tick)
        made = Identity(target.tell(), 0, digest, encoding)
        store.keep(target, name_of(made))
    return made
