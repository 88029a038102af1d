"""Products as CSV, XLSX and NDJSON files, written a few rows at a time.

Cells that a spreadsheet would take for a formula begin with an apostrophe (ASVS 1.2.10); ids, SKUs and whatever else is
a name are text, in quotes, so that nothing shortens them to 6E+11.
"""

import csv
import io
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import IO, Any, NamedTuple

from django.conf import settings
from xlsxwriter import Workbook

from products.selectors.tables import COLUMNS, json_rows, table_rows
from system.naming import Naming

# Also as Chinese keyboards write them; some programs pass over blanks before them.
_FORMULA = re.compile("[\t\r\n\0]|[\\s\u180e\u200b-\u200f\u2060\ufeff]*[=+\\-@＝＋－＠]")
# Microsoft's limits for a worksheet: rows (one is the heading), characters in a cell.
XLSX_ROWS = 1_048_576 - 1
XLSX_CELL = 32_767

Row = Sequence[Any]


class Contents(NamedTuple):
    """What goes into a file: filters as `products.selectors.products` takes them, and columns, None for all."""

    filters: Mapping[str, Any]
    columns: Sequence[str] | None
    naming: Naming


class Format(NamedTuple):
    """A kind of file; `write` returns the number of rows, and calls `tick` between some of them."""

    content_type: str
    write: Callable[[IO[bytes], Contents, Callable[[], None]], int]
    most_rows: int | None = None


def guarded(row: Row) -> list[Any]:
    """The cells of a row, those that a spreadsheet would take for a formula made text (ASVS 1.2.10)."""
    return [f"'{cell}" if isinstance(cell, str) and _FORMULA.match(cell) else cell for cell in row]


def _table(contents: Contents) -> tuple[list[str], Iterable[Sequence[Row]]]:
    columns = list(contents.columns or COLUMNS)
    return [contents.naming.outgoing(name) for name in columns], table_rows(contents.filters, columns)


def _write_csv(file: IO[bytes], contents: Contents, tick: Callable[[], None]) -> int:
    heading, steps = _table(contents)
    # The mark at the beginning tells spreadsheets that it is UTF-8.
    text = io.TextIOWrapper(file, encoding="utf-8-sig", newline="", write_through=False)
    writer = csv.writer(text, quoting=csv.QUOTE_NONNUMERIC)
    writer.writerow(heading)
    count = 0
    for rows in steps:
        writer.writerows(map(guarded, rows))
        count += len(rows)
        tick()
    text.flush()
    text.detach()
    return count


def _write_ndjson(file: IO[bytes], contents: Contents, tick: Callable[[], None]) -> int:
    count = 0
    for lines in json_rows(contents.filters, contents.columns, contents.naming):
        file.write("".join(f"{line}\n" for line in lines).encode())
        count += len(lines)
        tick()
    return count


def _write_xlsx(file: IO[bytes], contents: Contents, tick: Callable[[], None]) -> int:
    heading, steps = _table(contents)
    book = Workbook(file, {"constant_memory": True, "tmpdir": str(settings.EXPORT_DIR)})
    sheet = book.add_worksheet("products")
    sheet.freeze_panes(1, 0)
    _put_row(sheet, 0, heading)
    count = 0
    for rows in steps:
        for count, row in enumerate(rows, count + 1):  # noqa: B020 (counting goes on)
            _put_row(sheet, count, guarded(row))
        tick()
    book.close()
    return count


def _put_row(sheet: Any, number: int, row: Row) -> None:
    for place, cell in enumerate(row):
        if isinstance(cell, str):
            sheet.write_string(number, place, cell[:XLSX_CELL])
        elif cell is not None:
            sheet.write_number(number, place, cell)


FORMATS: dict[str, Format] = {
    "csv": Format("text/csv; charset=utf-8", _write_csv),
    "xlsx": Format("application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", _write_xlsx, XLSX_ROWS),
    "ndjson": Format("application/x-ndjson", _write_ndjson),
}
