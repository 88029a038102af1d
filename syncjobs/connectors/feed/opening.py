"""Open a feed: a local file of UTF-8 where it lies, anything else as a snapshot that all batches of a job read."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from tempfile import TemporaryFile
from typing import BinaryIO, NamedTuple

from syncjobs.connectors.feed.encodings import chunks_of, find_encoding, transcode
from syncjobs.connectors.feed.files import Feed, Identity, changed, identity_of, open_file
from syncjobs.connectors.feed.options import FeedOptions
from syncjobs.connectors.feed.remote import current, downloaded, head
from syncjobs.connectors.feed.snapshots import Snapshots
from syncjobs.connectors.feed.storing import Means, name_of, store_text
from syncjobs.engine.errors import RetryableSourceError

# Of a feed that is not read in place a check looks at this much, which holds at least one of the largest records.
SAMPLE_BYTES = 8 * 1024 * 1024
NOTHING = Means()


class Sample(NamedTuple):
    """An open feed, or its beginning if it is not `whole`, and what was found out about it, for people."""

    feed: Feed
    whole: bool
    found: str


class _Opened(NamedTuple):
    file: BinaryIO
    snapshot: Identity | None = None
    unchanged_since: datetime | None = None


@contextmanager
def opened(options: FeedOptions, means: Means = NOTHING, planned: Identity | None = None) -> Iterator[Feed]:
    """The feed, closed at the end.

    Args:
        planned: the state that must be read; its snapshot is made again if it is missing.

    Raises:
        FatalSourceError: `feed_missing`, `feed_not_a_file`, `feed_unreadable`, `feed_format`, `feed_encoding`,
            `feed_cache`, `feed_changed`, those of the readers, and what refuses an address.
        RetryableSourceError: the disk or the network failed, or `uncounted`, it took too long.
    """
    found = _again(options, means, planned) if planned else _first(options, means)
    with found.file, _reading(options):
        yield Feed(found.file, options, found.snapshot, found.unchanged_since)


@contextmanager
def sampled(options: FeedOptions, means: Means = NOTHING) -> Iterator[Sample]:
    """The feed for a look at its beginning; makes no snapshot.

    Raises:
        FatalSourceError, RetryableSourceError: as `opened`.
    """
    with _beginning(options, means) as (source, size, whole), TemporaryFile() as copy, _reading(options):
        encoding, reason = find_encoding(source, options.encoding)
        found = f"{size}, {encoding} ({reason})"
        if encoding == "utf-8":
            yield Sample(Feed(source, options), whole, found)
            return
        transcode(chunks_of(source, SAMPLE_BYTES), copy, encoding)
        copy.flush()
        yield Sample(Feed(copy, options), whole and source.tell() >= identity_of(source).size, found)


@contextmanager
def _beginning(options: FeedOptions, means: Means) -> Iterator[tuple[BinaryIO, str, bool]]:
    """A file with the feed or its beginning, its size for people, and whether it is whole."""
    if not options.url:
        with open_file(options.path) as file:
            yield file, f"{identity_of(file).size} bytes", True
        return
    with TemporaryFile() as copy:
        size, whole = head(options, means, copy, SAMPLE_BYTES)
        yield copy, size, whole


def _first(options: FeedOptions, means: Means) -> _Opened:
    """The feed as it is now."""
    if options.url:
        state = current(options, means)
        return _Opened(_snapshot(means, state.identity), state.identity, state.seen_at)
    source = open_file(options.path)
    try:
        with _reading(options):
            encoding = find_encoding(source, options.encoding).encoding
            if encoding == "utf-8":
                return _Opened(source)
            made = _transcoded(options, means, source)
        source.close()
    except BaseException:
        source.close()
        raise
    return _Opened(_snapshot(means, made), made)


def _again(options: FeedOptions, means: Means, planned: Identity) -> _Opened:
    """The feed as it was planned, of whatever is there."""
    if not planned.digest:
        return _Opened(open_file(options.path))
    store, name = Snapshots(means.folder), name_of(planned)
    if file := store.open(name):
        return _Opened(file, planned)
    with store.turn(name):
        if file := store.open(name):
            return _Opened(file, planned)
        made = downloaded(options, means) if options.url else _made_again(options, means)
        if made != planned:
            raise changed(options.place)
    return _Opened(_snapshot(means, planned), planned)


def _made_again(options: FeedOptions, means: Means) -> Identity:
    with open_file(options.path) as source, _reading(options):
        return _transcoded(options, means, source)


def _transcoded(options: FeedOptions, means: Means, source: BinaryIO) -> Identity:
    before = identity_of(source)
    made = store_text(Snapshots(means.folder), source, options.encoding, means.check_patience)
    if identity_of(source) != before:
        raise changed(options.place)
    return made


def _snapshot(means: Means, made: Identity) -> BinaryIO:
    file = Snapshots(means.folder).open(name_of(made))
    if file is None:
        raise RetryableSourceError("The snapshot of the feed was removed at this moment.", code="feed_cache")
    return file


@contextmanager
def _reading(options: FeedOptions) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise RetryableSourceError(f"{options.place} could not be read: {error.strerror}") from error
