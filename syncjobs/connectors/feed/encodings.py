"""In which encoding a feed is, and its text as UTF-8, in flat memory.

The readers cut UTF-8 only: in GB18030 the second and fourth bytes of a character may be digits, letters, brackets or a
backslash, in UTF-16 any byte may be anything. So everything else is written down as UTF-8 once. A byte that is no text
becomes a lone surrogate in it (PEP 383), which no UTF-8 has: it spoils its own record, and its value can be had back.
"""

import codecs
import hashlib
import os
import re
from collections.abc import Callable, Iterable, Iterator
from math import inf
from typing import BinaryIO, Literal, NamedTuple

from syncjobs.engine.errors import FatalSourceError

Encoding = Literal["utf-8", "gb18030", "utf-16-le", "utf-16-be"]

CHUNK_BYTES = 256 * 1024
# As many characters beyond ASCII settle what a file without a byte order mark is.
TELLING_CHARACTERS = 2_000
BOMS: tuple[tuple[bytes, Encoding], ...] = (
    (codecs.BOM_UTF8, "utf-8"),
    (b"\x84\x31\x95\x33", "gb18030"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
# GBK and GB2312 are parts of GB18030 (as browsers read them, WHATWG Encoding 10.1).
NAMES: dict[str, Encoding | Literal["utf-16"]] = {
    "utf8": "utf-8",
    "utf8sig": "utf-8",
    "gb18030": "gb18030",
    "gbk": "gb18030",
    "gb2312": "gb18030",
    "cp936": "gb18030",
    "utf16": "utf-16",
    "utf16le": "utf-16-le",
    "utf16be": "utf-16-be",
}
_NAME_MARKS = re.compile("[-_ ]")


class Finding(NamedTuple):
    """An encoding, and how it was found out, for people."""

    encoding: Encoding
    reason: str


def known_name(name: str) -> Encoding | Literal["utf-16"] | None:
    """The encoding that somebody means by `GBK` or `utf_16le`; None for none that can be read."""
    return NAMES.get(_NAME_MARKS.sub("", name.lower()))


def find_encoding(file: BinaryIO, declared: str = "") -> Finding:
    """What the file is in: a byte order mark says it, else the source's options, else the bytes themselves.

    Raises:
        FatalSourceError: `feed_encoding`, UTF-16 without a byte order mark that is not declared in full.
    """
    head = os.pread(file.fileno(), 4, 0)
    for mark, encoding in BOMS:
        if head.startswith(mark):
            return Finding(encoding, "by its byte order mark")
    name = known_name(declared)
    # Text of a feed begins with a bracket or a name: in UTF-16 every second byte of it is zero.
    if name is None and b"\0\0" not in (head[::2], head[1::2]):
        return Finding(_most_likely(file), "found out")
    if name is not None and name != "utf-16":
        return Finding(name, "as declared")
    raise FatalSourceError(
        "the feed seems to be UTF-16, but has no byte order mark",
        code="feed_encoding",
        suggestion="set the option encoding to utf-16le or utf-16be",
    )


class _Reading:
    """How well a file reads in one encoding: characters beyond ASCII, and places that are none."""

    def __init__(self, encoding: Encoding) -> None:
        self._decoder = codecs.getincrementaldecoder(encoding)("replace")
        self.good = self.bad = 0

    def take(self, chunk: bytes) -> None:
        """Read on. A character cut off at the very end of the file is none of either."""
        text = self._decoder.decode(chunk)
        bad = text.count("\N{REPLACEMENT CHARACTER}")
        self.good += len(text) - len(text.encode("ascii", "ignore")) - bad
        self.bad += bad


def _most_likely(file: BinaryIO) -> Encoding:
    """UTF-8 as long as most of what is beyond ASCII is UTF-8, else GB18030 if that reads better.

    One broken byte must not turn a whole UTF-8 feed into nonsense that happens to be valid GB18030; and by chance no
    Chinese text in GB18030 is mostly valid UTF-8.
    """
    utf8, gb18030 = _Reading("utf-8"), _Reading("gb18030")
    for chunk in chunks_of(file):
        if chunk.isascii():
            continue
        utf8.take(chunk)
        gb18030.take(chunk)
        if utf8.good + utf8.bad > TELLING_CHARACTERS:
            break
    return "gb18030" if utf8.bad >= max(utf8.good, 1) and gb18030.bad < utf8.bad else "utf-8"


def chunks_of(file: BinaryIO, limit: float = inf) -> Iterator[bytes]:
    """The file from its beginning, up to `limit` bytes or a little more."""
    file.seek(0)
    while limit > 0 and (chunk := file.read(CHUNK_BYTES)):
        limit -= len(chunk)
        yield chunk


def transcode(
    chunks: Iterable[bytes], target: BinaryIO, encoding: Encoding, tick: Callable[[], None] = lambda: None
) -> str:
    """Write text down as UTF-8 without a byte order mark; returns the SHA-256 of the bytes it was made of.

    Args:
        tick: called for every chunk.
    """
    digest = hashlib.sha256()
    first = True
    for text in _texts(_hashed(chunks, digest, tick), encoding):
        target.write((text.removeprefix("\ufeff") if first else text).encode("utf-8", "surrogatepass"))
        first = first and not text
    return digest.hexdigest()


def _hashed(chunks: Iterable[bytes], digest: "hashlib._Hash", tick: Callable[[], None]) -> Iterator[bytes]:
    for chunk in chunks:
        tick()
        digest.update(chunk)
        yield chunk


def _texts(chunks: Iterable[bytes], encoding: Encoding) -> Iterator[str]:
    decoder = codecs.getincrementaldecoder(encoding)(_escape(encoding))
    for chunk in chunks:
        yield decoder.decode(chunk)
    # The incremental decoders lose bytes of a character that the end cuts off, or refuse it.
    rest = decoder.getstate()[0]
    whole = len(rest) if encoding in {"gb18030", "utf-8"} else len(rest) // 2 * 2
    yield rest[:whole].decode(encoding, _escape(encoding)) + "".join(chr(0xDC00 + byte) for byte in rest[whole:])


def original(payload: bytes, encoding: Encoding) -> bytes:
    """The bytes that a piece of a transcoded feed had in it; a character cut off at the end is left out."""
    if encoding == "utf-8":
        return payload
    text = codecs.getincrementaldecoder("utf-8")("surrogatepass").decode(payload)
    return text.encode(encoding, _escape(encoding))


def _escape(encoding: Encoding) -> str:
    """What keeps broken bytes: as single bytes, or for UTF-16 as the half of a pair that they are."""
    return "surrogateescape" if encoding in {"gb18030", "utf-8"} else "surrogatepass"
