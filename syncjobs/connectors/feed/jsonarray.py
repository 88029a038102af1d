"""Feeds that are one JSON array, or one document that holds it, cut by the places of their brackets and commas."""

import os
import re
from collections.abc import Iterator
from typing import BinaryIO

import ijson

from syncjobs.connectors.feed.readers import BOM, KEPT_BYTES, MAX_RECORD_BYTES, Piece, too_long
from syncjobs.engine.errors import FatalSourceError

CHUNK_BYTES = 256 * 1024
MAX_DEPTH = 64

# Each runs over text and whole strings up to group 1: what may change the place in the document, or the quote of a
# string that the chunk cuts off; none at the chunk's end. As the group is optional a match cannot fail, so nothing is
# tried twice. (Possessive quantifiers would say so, but Python 3.11.2 matches them wrongly.)
_STRING = rb'"[^"\\]*(?:\\.[^"\\]*)*"'
_BETWEEN_ELEMENTS = re.compile(rb'(?:[^",{}\[\]]+|' + _STRING + rb')*([,{}\[\]"])?', re.DOTALL)
_INSIDE_ELEMENT = re.compile(rb'(?:[^"{}\[\]]+|' + _STRING + rb')*([{}\[\]"])?', re.DOTALL)
_REST_OF_STRING = re.compile(rb'[^"\\]*(?:\\.[^"\\]*)*(["\\])?', re.DOTALL)


class _Scanner:
    """Finds the commas between the elements of an array, and its end, in chunk after chunk."""

    def __init__(self) -> None:
        self._depth = 0
        self._in_string = False
        self._escaped = False
        self.closed = False

    def borders(self, chunk: bytes) -> Iterator[int]:
        """The offsets of the commas and of the closing bracket; nothing more once it came."""
        offset = int(self._escaped)
        self._escaped = False
        while offset < len(chunk) and not self.closed:
            if self._in_string:
                offset = self._leave_string(chunk, offset)
                continue
            match = (_INSIDE_ELEMENT if self._depth else _BETWEEN_ELEMENTS).match(chunk, offset)
            offset = match.end() if match else len(chunk)
            if match and match[1] and self._is_border(match[1]):
                yield offset - 1

    def _leave_string(self, chunk: bytes, offset: int) -> int:
        match = _REST_OF_STRING.match(chunk, offset)
        stop = match[1] if match else None
        self._in_string = stop != b'"'
        self._escaped = stop == b"\\"
        return match.end() if match else len(chunk)

    def _is_border(self, token: bytes) -> bool:
        if token == b'"':
            self._in_string = True
        elif token in b"{[":
            self._depth += 1
        elif token in b"}]":
            self.closed = self._depth == 0
            self._depth -= 1
        return self.closed or token == b","


class JsonArrayReader:
    """Every element of the array is a record; its payload is the element's own bytes."""

    def __init__(self, file: BinaryIO, items: str = "") -> None:
        """`items` is the dotted path of the array, "" for the document itself."""
        self._file = file
        self._items = items

    def pieces(self, start: int, end: int) -> Iterator[Piece]:
        """See `Reader`. A document that ends before its array does gives a last piece that says so."""
        start = start or array_start(self._file, self._items)
        size = os.fstat(self._file.fileno()).st_size
        scanner = _Scanner()
        for border in self._borders(scanner, start, end):
            yield from self._piece(start, border)
            start = border + 1
        if scanner.closed:
            return
        if end >= size:
            yield Piece(start, size, self._bytes(start, size, KEPT_BYTES), "the document ends inside its list")
        else:
            yield from self._piece(start, end)

    def _borders(self, scanner: _Scanner, start: int, end: int) -> Iterator[int]:
        while start < end and not scanner.closed:
            chunk = self._bytes(start, end, CHUNK_BYTES)
            if not chunk:
                return
            for offset in scanner.borders(chunk):
                yield start + offset
            start += len(chunk)

    def _piece(self, start: int, end: int) -> Iterator[Piece]:
        if end - start > MAX_RECORD_BYTES:
            yield Piece(start, end, self._bytes(start, end, KEPT_BYTES), too_long(end - start))
        elif payload := self._bytes(start, end, MAX_RECORD_BYTES).strip():
            yield Piece(start, end, payload)

    def _bytes(self, start: int, end: int, limit: int) -> bytes:
        return os.pread(self._file.fileno(), min(end - start, limit), start)


def array_start(file: BinaryIO, items: str) -> int:
    """The offset behind the bracket that opens the array.

    Raises:
        FatalSourceError: `items_not_found`, there is no array at `items`.
    """
    if not items:
        return _top_level_start(file)
    # The parser says that the array opens, but not where: so once by chunks to find the chunk, then by single bytes.
    near = _parse_to_array(file, items, 0)
    return _parse_to_array(file, items, max(near - CHUNK_BYTES, 0), step=1)


class _Counted:
    """A file for ijson: reads `until` in chunks, then in steps, and counts."""

    def __init__(self, file: BinaryIO, until: int, step: int) -> None:
        self._file = file
        self._until = until
        self._step = step
        self.position = 0

    def read(self, size: int) -> bytes:
        """At most `size` bytes; ijson takes b"" for the end and asks for none to learn the type."""
        left = self._until - self.position
        data = self._file.read(min(size, left if left > 0 else self._step))
        self.position += len(data)
        return data


def _parse_to_array(file: BinaryIO, items: str, until: int, step: int = CHUNK_BYTES) -> int:
    file.seek(_behind_bom(file))
    counted = _Counted(file, until, step)
    try:
        if _reaches_array(counted, items.split(".")):
            return _behind_bom(file) + counted.position if step == 1 else counted.position
    except ijson.JSONError as error:
        raise _no_items(items, f"it is not valid JSON: {error}"[:200]) from error
    raise _no_items(items, "there is no list")


def _reaches_array(file: _Counted, wanted: list[str]) -> bool:
    """Parse up to the array at `wanted`. ijson's own prefixes would grow with the square of the depth."""
    path: list[str | None] = []
    for event, value in ijson.basic_parse(file, buf_size=CHUNK_BYTES):
        if event == "map_key":
            path[-1] = value
        elif event == "start_array" and path == wanted:
            return True
        elif event in {"start_map", "start_array"}:
            path.append(None)
        elif event in {"end_map", "end_array"}:
            path.pop()
        if len(path) > MAX_DEPTH:
            return False
    return False


def _top_level_start(file: BinaryIO) -> int:
    offset = _behind_bom(file)
    head = os.pread(file.fileno(), KEPT_BYTES, offset)
    if not head.strip():
        return offset + len(head)
    if not head.lstrip().startswith(b"["):
        raise _no_items("", "the document is not a list")
    return offset + head.index(b"[") + 1


def _behind_bom(file: BinaryIO) -> int:
    return len(BOM) if os.pread(file.fileno(), len(BOM), 0) == BOM else 0


def _no_items(items: str, reason: str) -> FatalSourceError:
    where = f"at {items!r}" if items else "at its top"
    return FatalSourceError(
        f"the JSON document has no list of records {where}: {reason}",
        code="items_not_found",
        suggestion="set the option items to the dotted path of the list, or format to ndjson for one object a line",
    )
