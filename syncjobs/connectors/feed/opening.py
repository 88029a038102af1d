"""Open a feed: a file of UTF-8 where it lies, anything else as a snapshot that all batches of a job read."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from math import inf
from tempfile import TemporaryFile
from typing import BinaryIO, NamedTuple

import msgspec

from syncjobs.connectors.feed.encodings import Encoding, chunks_of, find_encoding, transcode
from syncjobs.connectors.feed.files import Feed, Identity, changed, identity_of, open_file
from syncjobs.connectors.feed.options import FeedOptions
from syncjobs.connectors.feed.snapshots import Snapshots
from syncjobs.engine.errors import RetryableSourceError

# Of a feed that is not read in place a check looks at this much, which holds at least one of the largest records.
SAMPLE_BYTES = 8 * 1024 * 1024


class Means(msgspec.Struct, frozen=True, kw_only=True):
    """What a feed is opened with: the folder of snapshots, and when to give up (monotonic)."""

    folder: str = ""
    until: float = inf

    def check_patience(self) -> None:
        """Raise RetryableSourceError `uncounted` when it is over."""
        if time.monotonic() > self.until:
            raise RetryableSourceError("The file is too large to be read while somebody waits.", code="uncounted")


class Sample(NamedTuple):
    """An open feed, or its beginning if it is not `whole`, and what was found out about it, for people."""

    feed: Feed
    whole: bool
    found: str


NOTHING = Means()


@contextmanager
def opened(options: FeedOptions, means: Means = NOTHING, planned: Identity | None = None) -> Iterator[Feed]:
    """The feed, closed at the end.

    Args:
        planned: the state that must be read; its snapshot is made again if it is missing.

    Raises:
        FatalSourceError: `feed_missing`, `feed_not_a_file`, `feed_unreadable`, `feed_format`, `feed_encoding`,
            `feed_cache`, `feed_changed`, and those of the readers.
        RetryableSourceError: the disk failed while the feed was read, or `uncounted`, it took too long.
    """
    file, snapshot = _again(options, means, planned) if planned else _first(options, means)
    with file:
        try:
            yield Feed(file, options, snapshot)
        except OSError as error:
            raise _unreadable(options, error) from error


@contextmanager
def sampled(options: FeedOptions) -> Iterator[Sample]:
    """The feed for a look at its beginning; makes no snapshot.

    Raises:
        FatalSourceError, RetryableSourceError: as `opened`.
    """
    with open_file(options.path) as source, TemporaryFile() as copy:
        try:
            encoding, reason = find_encoding(source, options.encoding)
            size = identity_of(source).size
            found = f"{size} bytes, {encoding} ({reason})"
            if encoding == "utf-8":
                yield Sample(Feed(source, options), True, found)
                return
            transcode(chunks_of(source, SAMPLE_BYTES), copy, encoding)
            copy.flush()
            yield Sample(Feed(copy, options), source.tell() >= size, found)
        except OSError as error:
            raise _unreadable(options, error) from error


def _first(options: FeedOptions, means: Means) -> tuple[BinaryIO, Identity | None]:
    """The feed as it is now."""
    source = open_file(options.path)
    try:
        encoding = find_encoding(source, options.encoding).encoding
        if encoding == "utf-8":
            return source, None
        store = Snapshots(means.folder)
        made = _snapshot(options, source, encoding, store, means)
    except OSError as error:
        source.close()
        raise _unreadable(options, error) from error
    except BaseException:
        source.close()
        raise
    source.close()
    return _opened_snapshot(store, made), made


def _again(options: FeedOptions, means: Means, planned: Identity) -> tuple[BinaryIO, Identity | None]:
    """The feed as it was planned, of whatever is there."""
    if not planned.digest:
        return open_file(options.path), None
    store = Snapshots(means.folder)
    if file := store.open(_name(planned)):
        return file, planned
    with store.turn(_name(planned)):
        if file := store.open(_name(planned)):
            return file, planned
        with open_file(options.path) as source:
            try:
                made = _snapshot(options, source, planned.encoding, store, means)
            except OSError as error:
                raise _unreadable(options, error) from error
        if made != planned:
            raise changed(options.path)
    return _opened_snapshot(store, planned), planned


def _snapshot(options: FeedOptions, source: BinaryIO, encoding: Encoding, store: Snapshots, means: Means) -> Identity:
    before = identity_of(source)
    with store.incoming() as target:
        digest = transcode(chunks_of(source), target, encoding, means.check_patience)
        made = Identity(target.tell(), 0, digest, encoding)
        if identity_of(source) != before:
            raise changed(options.path)
        store.keep(target, _name(made))
    return made


def _opened_snapshot(store: Snapshots, made: Identity) -> BinaryIO:
    file = store.open(_name(made))
    if file is None:
        raise RetryableSourceError("The snapshot of the feed was removed at this moment.", code="feed_cache")
    return file


def _name(made: Identity) -> str:
    return f"{made.digest}.{made.encoding}"


def _unreadable(options: FeedOptions, error: OSError) -> RetryableSourceError:
    return RetryableSourceError(f"{options.path} could not be read: {error.strerror}")
