"""CSV feeds: a header row, then one record a row, quoted line ends included (RFC 4180)."""

import csv
import os
from collections.abc import Iterator
from typing import BinaryIO

import msgspec

from syncjobs.connectors.feed.readers import BOM, KEPT_BYTES, MAX_RECORD_BYTES, Piece, skip_line, too_long
from syncjobs.engine.errors import FatalSourceError

DELIMITERS = ",;\t|"

# The module's own limit of 128 KiB a field is less than a product description may have; ours is the whole record's.
csv.field_size_limit(MAX_RECORD_BYTES)


class _Lines:
    """The lines of a file as the csv module wants them: it takes exactly those that one row needs."""

    def __init__(self, file: BinaryIO, position: int) -> None:
        self._file = file
        self.position = position
        self.ended = True  # whether the last line has its line end
        self._begin = position
        self._after_first = position
        file.seek(position)

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self._file.readline(MAX_RECORD_BYTES + 1)
        if not line:
            raise StopIteration
        first = self.position == self._begin
        self.ended = line.endswith(b"\n")
        self.position += len(line) + (skip_line(self._file, line) if len(line) > MAX_RECORD_BYTES else 0)
        if first:
            self._after_first = self.position
            line = line.removeprefix(BOM)
        if self.position - self._begin > MAX_RECORD_BYTES:
            raise csv.Error(too_long(self.position - self._begin))
        return line.decode("utf-8", "surrogateescape")

    def begin_row(self) -> int:
        """Note that a row begins here."""
        self._begin = self.position
        return self.position

    def give_up_row(self) -> None:
        """Go on behind the row's first line: an open quote must not swallow the rows below it."""
        self.position = self._after_first
        self._file.seek(self.position)


class CsvReader:
    """Each row becomes a JSON object of column name and text; a short row lacks its last columns."""

    def __init__(self, file: BinaryIO, delimiter: str) -> None:
        """Read the header; `delimiter` "" takes the one the header has most of.

        Raises:
            FatalSourceError: `feed_header`, the header cannot be read or names a column twice.
        """
        self._file = file
        self._delimiter = delimiter or _guess_delimiter(file)
        self._header, self._first_row = self._read_header()

    def pieces(self, start: int, end: int) -> Iterator[Piece]:
        """See `Reader`."""
        lines = _Lines(self._file, max(start, self._first_row))
        rows = self._rows(lines)
        while lines.position < end:
            begin = lines.begin_row()
            try:
                row = next(rows, None)
            except csv.Error as error:
                lines.give_up_row()
                rows = self._rows(lines)
                yield self._broken(begin, lines.position, f"the row is not valid CSV: {error}")
                continue
            if row is None:
                return
            if len(row) < len(self._header) and not lines.ended:
                yield self._broken(begin, lines.position, "the file ends inside the row")
            elif any(row):
                yield self._piece(begin, lines.position, row)

    def _rows(self, lines: _Lines) -> Iterator[list[str]]:
        # strict: text behind a closing quote is an error of this row instead of a guess.
        return csv.reader(lines, delimiter=self._delimiter, strict=True)

    def _piece(self, start: int, end: int, row: list[str]) -> Piece:
        columns = len(self._header)
        if any(row[columns:]):
            return self._broken(start, end, f"the row has {len(row)} columns, the header {columns}")
        record = {name: value for name, value in zip(self._header, row, strict=False) if name}
        try:
            return Piece(start, end, msgspec.json.encode(record))
        except UnicodeEncodeError:
            return self._broken(start, end, "the row is not UTF-8")

    def _broken(self, start: int, end: int, reason: str) -> Piece:
        return Piece(start, end, os.pread(self._file.fileno(), min(end - start, KEPT_BYTES), start), reason)

    def _read_header(self) -> tuple[list[str], int]:
        lines = _Lines(self._file, 0)
        try:
            header = [name.strip() for name in next(self._rows(lines), [])]
        except csv.Error as error:
            raise _header_error(f"it is not valid CSV: {error}") from error
        named = [name for name in header if name]
        if len(set(named)) < len(named):
            raise _header_error("it names a column twice")
        if not all(name.isprintable() for name in header):
            raise _header_error("it is not UTF-8 text")
        return header, lines.position


def _guess_delimiter(file: BinaryIO) -> str:
    file.seek(0)
    line = file.readline(KEPT_BYTES).decode("utf-8", "replace")
    return max(DELIMITERS, key=line.count)


def _header_error(reason: str) -> FatalSourceError:
    return FatalSourceError(
        f"the header row of the feed cannot be used: {reason}",
        code="feed_header",
        suggestion="save the file as CSV in UTF-8 with one row of column names, or set the option format",
    )
