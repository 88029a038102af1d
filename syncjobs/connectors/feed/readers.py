"""Cut an open feed into its records, by byte ranges, in flat memory: the common parts and NDJSON."""

import json
from collections.abc import Callable, Iterable, Iterator
from decimal import Decimal
from typing import Any, BinaryIO, NamedTuple, NoReturn, Protocol, TypedDict

import msgspec

MAX_RECORD_BYTES = 5 * 1024 * 1024
KEPT_BYTES = 64 * 1024  # of a record that is no record: enough to see what it was
BOM = b"\xef\xbb\xbf"

# Numbers keep the digits the source wrote: 39.80 stays 39.80, and 1e400 is no infinity.
_decoder = msgspec.json.Decoder(float_hook=Decimal)


class Piece(NamedTuple):
    """The bytes [start, end) of one record. `payload` is JSON, or the raw bytes when `reason` says what is wrong."""

    start: int
    end: int
    payload: bytes
    reason: str = ""


class Reader(Protocol):
    """One format. Any `start` and `end` that earlier pieces had cut the same pieces again."""

    def pieces(self, start: int, end: int) -> Iterator[Piece]:
        """The records of the byte range, in order; blank lines are none."""
        ...


def decode(payload: bytes) -> dict[str, Any]:
    """One record's JSON object.

    Raises:
        ValueError: not JSON, not UTF-8, nested too deep, or no object.
    """
    try:
        record = _decoder.decode(payload)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        record = _with_lone_surrogates(payload, error)
    if not isinstance(record, dict):
        raise ValueError("the record is not a JSON object")  # noqa: TRY004
    return record


def decode_part(names: Iterable[str]) -> Callable[[bytes], dict[str, Any]]:
    """`decode` for who needs no more than the fields of these names, at a fifth of its cost."""
    part: Any = TypedDict("part", dict.fromkeys(names, Any), total=False)  # type: ignore[misc]
    decoder: msgspec.json.Decoder[dict[str, Any]] = msgspec.json.Decoder(part, float_hook=Decimal)

    def decode_some(payload: bytes) -> dict[str, Any]:
        try:
            # What is passed over is not looked at for UTF-8.
            payload.decode()
            return decoder.decode(payload)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return decode(payload)

    return decode_some


def _with_lone_surrogates(payload: bytes, error: Exception) -> Any:
    """Decode what is wrong only in half a surrogate pair, which msgspec refuses; the coercers replace it."""
    try:
        if b"\\ud" not in payload.lower():
            raise error
        # Decoded here, since json would take the UTF-8 form of half a pair for text, which marks a broken byte.
        return json.loads(payload.decode(), parse_float=Decimal, parse_constant=_refuse)
    except (ValueError, RecursionError) as cause:
        raise ValueError(f"the record is not valid JSON: {cause}"[:300]) from cause


def _refuse(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is not JSON")


class NdjsonReader:
    """One JSON object a line."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    def pieces(self, start: int, end: int) -> Iterator[Piece]:
        """See `Reader`."""
        self._file.seek(start)
        while start < end and (line := self._file.readline(MAX_RECORD_BYTES + 1)):
            length = len(line)
            if length > MAX_RECORD_BYTES:
                length += skip_line(self._file, line)
                yield Piece(start, start + length, line[:KEPT_BYTES], too_long(length))
            elif payload := line.removeprefix(BOM).strip():
                yield Piece(start, start + length, payload)
            start += length


def skip_line(file: BinaryIO, line: bytes) -> int:
    """Read on to the end of a line that was read in part; the number of bytes skipped."""
    skipped = 0
    while line and not line.endswith(b"\n"):
        line = file.readline(MAX_RECORD_BYTES)
        skipped += len(line)
    return skipped


def too_long(length: int) -> str:
    """The reason to refuse a record of this many bytes."""
    return f"the record has {length} bytes, at most {MAX_RECORD_BYTES} are read"
