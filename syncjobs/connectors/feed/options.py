"""The `options` document of a feed source."""

from typing import Any, Literal

import msgspec

from syncjobs.connectors.addresses import vet_url
from syncjobs.connectors.feed.encodings import known_name
from syncjobs.connectors.feed.mapping import Mapping
from syncjobs.engine.errors import FatalSourceError

Format = Literal["ndjson", "json", "csv"]


class FeedOptions(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where a feed is and how it is read; docs/feeds.md explains every key.

    `format` None = found out from the file's name and beginning. `items` is the dotted path of the array inside a
    JSON document, "" when the document is the array. `delimiter` "" = found out from the CSV header. `encoding` "" =
    found out from the bytes. There is either a `path` or a `url`.
    """

    mapping: dict[str, Any]
    path: str = ""
    url: str = ""
    format: Format | None = None
    items: str = ""
    delimiter: str = ""
    encoding: str = ""

    @property
    def place(self) -> str:
        """Where the feed is, for people: what stands behind a question mark may be a secret."""
        return self.path or self.url.partition("?")[0]


def read_options(document: dict[str, Any]) -> FeedOptions:
    """The options of a Source row.

    Raises:
        FatalSourceError: `invalid_options`, naming the key.
    """
    try:
        options = msgspec.convert(document, FeedOptions)
    except msgspec.ValidationError as error:
        raise _invalid(str(error)) from error
    if bool(options.path) == bool(options.url) or "\0" in options.path:
        raise _invalid("set either path or url; path holds no NUL character")
    if len(options.delimiter) > 1 or options.delimiter in {'"', "\r", "\n"}:
        raise _invalid("delimiter must be one character other than a quote or a line end")
    if options.encoding and known_name(options.encoding) is None:
        raise _invalid("encoding must be utf-8, gb18030, gbk, utf-16, utf-16le or utf-16be")
    return options


def check_options(document: dict[str, Any], allowed_hosts: frozenset[str]) -> None:
    """Look at the options of a Source row; the file itself may come later.

    Raises:
        FatalSourceError: `invalid_options` or `invalid_mapping`, naming the option; `url_refused`, `address_refused`.
    """
    options = read_options(document)
    Mapping(options.mapping)
    if options.url:
        vet_url(options.url, allowed_hosts)


def _invalid(reason: str) -> FatalSourceError:
    return FatalSourceError(
        f"the options of the feed are not valid: {reason}",
        code="invalid_options",
        suggestion="correct the options of the source; docs/feeds.md lists the keys",
    )
