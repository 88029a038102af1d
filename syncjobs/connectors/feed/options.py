"""The `options` document of a feed source."""

from typing import Any, Literal

import msgspec

from syncjobs.connectors.feed.encodings import known_name
from syncjobs.connectors.feed.mapping import Mapping
from syncjobs.engine.errors import FatalSourceError

Format = Literal["ndjson", "json", "csv"]


class FeedOptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where a feed is and how it is read; docs/feeds.md explains every key.

    `format` None = found out from the file's name and beginning. `items` is the dotted path of the array inside a
    JSON document, "" when the document is the array. `delimiter` "" = found out from the CSV header. `encoding` "" =
    found out from the bytes.
    """

    path: str
    mapping: dict[str, Any]
    format: Format | None = None
    items: str = ""
    delimiter: str = ""
    encoding: str = ""


def read_options(document: dict[str, Any]) -> FeedOptions:
    """The options of a Source row.

    Raises:
        FatalSourceError: `invalid_options`, naming the key.
    """
    try:
        options = msgspec.convert(document, FeedOptions)
    except msgspec.ValidationError as error:
        raise _invalid(str(error)) from error
    if not options.path or "\0" in options.path:
        raise _invalid("path is empty or holds a NUL character")
    if len(options.delimiter) > 1 or options.delimiter in {'"', "\r", "\n"}:
        raise _invalid("delimiter must be one character other than a quote or a line end")
    if options.encoding and known_name(options.encoding) is None:
        raise _invalid("encoding must be utf-8, gb18030, gbk, utf-16, utf-16le or utf-16be")
    return options


def check_options(document: dict[str, Any], _allowed_hosts: frozenset[str]) -> None:
    """Look at the options of a Source row; the file itself may come later.

    Raises:
        FatalSourceError: `invalid_options` or `invalid_mapping`, naming the option.
    """
    Mapping(read_options(document).mapping)


def _invalid(reason: str) -> FatalSourceError:
    return FatalSourceError(
        f"the options of the feed are not valid: {reason}",
        code="invalid_options",
        suggestion="correct the options of the source; docs/feeds.md lists the keys",
    )
