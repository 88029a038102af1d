"""Raw SQL in short, on Django's connection and inside its transaction: rows out, rows in by COPY."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, cast

from django.db import connection

# Positional (`%s`) or named (`%(name)s`).
Parameters = Sequence[Any] | Mapping[str, Any]

_QUOTED = frozenset('"\\')


def array(values: Collection[str] | Collection[int] | Collection[bytes]) -> str:
    """Values as PostgreSQL writes an array, for a parameter that the statement casts, such as `%s::text[]`.

    The driver takes 3 µs an element for a list, which is more than all else that many statements cost; this takes 0.1.
    """
    kinds = set(map(type, values))
    if not kinds:
        return "{}"
    if kinds == {bytes}:
        return '{"\\\\x' + '","\\\\x'.join(value.hex() for value in cast("Collection[bytes]", values)) + '"}'
    if kinds == {int}:
        return f"{{{','.join(map(str, values))}}}"
    texts = cast("Collection[str]", values)
    if _QUOTED.isdisjoint("".join(texts)):
        return '{"' + '","'.join(texts) + '"}'
    return "{" + ",".join('"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"' for text in texts) + "}"


def fetch_all(sql: str, params: Parameters = ()) -> list[tuple[Any, ...]]:
    """All rows of a statement. Parameters are bound by the server, so lists go as `= ANY(%s)`."""
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        rows: list[tuple[Any, ...]] = cursor.fetchall()
        return rows


def fetch_all_planned(sql: str, params: Parameters = ()) -> list[tuple[Any, ...]]:
    """The same, planned for these very parameters.

    A statement that comes again is planned once for all values, which is a guess where they leave very different
    numbers of rows.
    """
    connection.ensure_connection()
    driver: Any = connection.connection
    threshold, driver.prepare_threshold = driver.prepare_threshold, None
    try:
        return fetch_all(sql, params)
    finally:
        driver.prepare_threshold = threshold


def fetch_one(sql: str, params: Parameters = ()) -> tuple[Any, ...] | None:
    """The first row of a statement, None without one."""
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        row: tuple[Any, ...] | None = cursor.fetchone()
        return row


def rows(sql: str, params: Parameters = ()) -> list[dict[str, Any]]:
    """All rows as dicts by column name."""
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        names = [column.name for column in cursor.description or ()]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def one(sql: str, params: Parameters = ()) -> dict[str, Any] | None:
    """The first row as a dict, None without one."""
    found = rows(sql, params)
    return found[0] if found else None


def execute(sql: str, params: Parameters = ()) -> int:
    """Run a statement; returns the number of rows it wrote."""
    with connection.cursor() as cursor:
        cursor.execute(sql, params)
        count: int = cursor.rowcount
        return count


def copy_rows(table: str, columns: Mapping[str, str], rows: Iterable[Sequence[object]]) -> None:
    """Write rows by COPY, the cheapest way in, as PostgreSQL has them in memory and not as text.

    Args:
        table: like `columns` a constant of ours, never input.
        columns: names, and the types in which the rows hold the values (`system.wire`). A whole number that its column
            has no room for is to be refused before: "int2" and "int4" cut it off.
    """
    statement = f"COPY {table} ({', '.join(columns)}) FROM STDIN (FORMAT BINARY)"
    # Django translates the driver's errors for execute(), but not for COPY.
    with connection.cursor() as cursor, connection.wrap_database_errors, cursor.copy(statement) as copy:
        copy.set_types([*columns.values()])
        write = copy.write_row
        for row in rows:
            write(row)
