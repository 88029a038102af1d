"""Values as PostgreSQL itself holds them, for rows that go in by COPY (`system.sql.copy_rows`).

The server need not read them from text, which is a sixth of what a COPY of products costs it, and they are made faster
than the driver makes them. Each form says by which type of the driver its values are passed on as they are.
"""

import sys
from array import array
from datetime import UTC, datetime, timedelta

# Of columns of these types: values made by `moment`, `jsonb` and `integers`, and NO_VARCHARS.
MOMENT, JSONB, INTEGERS, VARCHARS = "int8", "bytea", "bytea", "bytea"
# An empty varchar[]: no dimensions, no null, type.
NO_VARCHARS = b"\0\0\0\0\0\0\0\0\0\0\x04\x13"

_EPOCH, _MICROSECOND = datetime(2000, 1, 1, tzinfo=UTC), timedelta(microseconds=1)
_INTEGER_TYPE, _INTEGER_BYTES = (23).to_bytes(4), 4


def moment(value: datetime) -> int:
    """A point in time as timestamptz. Raises TypeError for one without a time zone."""
    return (value - _EPOCH) // _MICROSECOND


def jsonb(text: bytes) -> bytes:
    """JSON as jsonb: its version before it."""
    return b"\x01" + text


def integers(values: "array[int]") -> bytes:
    """Numbers of 32 bits (`array("i")`) as integer[]: dimensions, no null, type, length, first index; then each behind
    its size.
    """
    count = len(values)
    if not count:
        return b"\0\0\0\0\0\0\0\0" + _INTEGER_TYPE
    body = array("i", (_INTEGER_BYTES,)) * (2 * count)
    body[1::2] = values
    if sys.byteorder == "little":
        body.byteswap()
    head = b"\0\0\0\x01\0\0\0\0" + _INTEGER_TYPE + count.to_bytes(4) + b"\0\0\0\x01"
    return head + body.tobytes()
