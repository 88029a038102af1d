"""A feed's file: know it again, and find out its format."""

import os
import stat
from datetime import datetime
from typing import BinaryIO

import msgspec

from syncjobs.connectors.feed.csvrows import DELIMITERS, CsvReader
from syncjobs.connectors.feed.encodings import Encoding
from syncjobs.connectors.feed.jsonarray import JsonArrayReader
from syncjobs.connectors.feed.options import FeedOptions, Format
from syncjobs.connectors.feed.readers import BOM, KEPT_BYTES, NdjsonReader, Reader, decode
from syncjobs.engine.errors import FatalSourceError

_BY_EXTENSION: dict[str, Format] = {
    ".ndjson": "ndjson",
    ".jsonl": "ndjson",
    ".csv": "csv",
    ".tsv": "csv",
}


class Identity(msgspec.Struct, frozen=True):
    """What tells one state of a feed from another: its size in bytes and the nanosecond it was last written.

    Of a snapshot: its size, and the digest and encoding of what it was made of; it has no time.
    """

    size: int
    mtime_ns: int
    digest: str = ""
    encoding: Encoding = "utf-8"


class Feed:
    """An open feed: its reader, the state of the file it was opened in, and since when it is known to be in it."""

    def __init__(
        self,
        file: BinaryIO,
        options: FeedOptions,
        snapshot: Identity | None = None,
        unchanged_since: datetime | None = None,
    ) -> None:
        self._file = file
        self._place = options.place
        self.unchanged_since = unchanged_since
        self.identity = snapshot or identity_of(file)
        self.format = options.format or find_format(file, options)
        self.reader = _reader(file, self.format, options)

    def require(self, identity: Identity) -> None:
        """Make sure that the file still is what it was.

        Raises:
            FatalSourceError: `feed_changed`.
        """
        # A snapshot never changes.
        now = self.identity if self.identity.digest else identity_of(self._file)
        if now != identity:
            raise changed(self._place)


def changed(place: str) -> FatalSourceError:
    """The error for a feed that is another one than was planned."""
    return FatalSourceError(
        f"{place} has changed since the sync was planned",
        code="feed_changed",
        suggestion="start the sync anew; replace a feed by renaming a finished file, not by writing over it",
    )


def find_format(file: BinaryIO, options: FeedOptions) -> Format:
    """The format by the file's extension, else by its beginning.

    Raises:
        FatalSourceError: `feed_format`.
    """
    name = options.place.lower().removesuffix(".gz")
    by_name = _BY_EXTENSION.get(os.path.splitext(name)[1])
    if by_name:
        return by_name
    head = os.pread(file.fileno(), KEPT_BYTES, 0).removeprefix(BOM).lstrip()
    if options.items or head[:1] == b"[":
        return "json"
    if head[:1] == b"{":
        return "ndjson" if _is_object(head.splitlines()[0]) else "json"
    first_line = head.split(b"\n", 1)[0]
    if b"\0" not in head and any(delimiter.encode() in first_line for delimiter in DELIMITERS):
        return "csv"
    raise FatalSourceError(
        f"{options.place} is neither NDJSON, nor JSON, nor CSV",
        code="feed_format",
        suggestion="unpack the file if it is packed, or set the option format to ndjson, json or csv",
    )


def _is_object(line: bytes) -> bool:
    try:
        decode(line)
    except ValueError:
        return False
    return True


def _reader(file: BinaryIO, kind: Format, options: FeedOptions) -> Reader:
    match kind:
        case "ndjson":
            return NdjsonReader(file)
        case "csv":
            return CsvReader(file, options.delimiter)
        case "json":
            return JsonArrayReader(file, options.items)


def identity_of(file: BinaryIO) -> Identity:
    """The state of an open file that is read in place."""
    status = os.fstat(file.fileno())
    return Identity(status.st_size, status.st_mtime_ns)


def open_file(path: str) -> BinaryIO:
    """The file of this path.

    Raises:
        FatalSourceError: `feed_missing`, `feed_not_a_file`, `feed_unreadable`.
    """
    try:
        # Asked before opening: to open a pipe would wait for its writer.
        if not stat.S_ISREG(os.stat(path).st_mode):
            raise FatalSourceError(
                f"{path} is not a file",
                code="feed_not_a_file",
                suggestion="set the option path to the feed file itself",
            )
        return open(path, "rb")
    except (FileNotFoundError, NotADirectoryError) as error:
        raise FatalSourceError(
            f"{path} does not exist", code="feed_missing", suggestion="put the feed there or correct the option path"
        ) from error
    except OSError as error:
        raise FatalSourceError(
            f"{path} cannot be opened: {error.strerror}",
            code="feed_unreadable",
            suggestion="give the user that runs the workers the right to read the file and its folders",
        ) from error
