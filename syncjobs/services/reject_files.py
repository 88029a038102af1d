"""Rejected records as files, written a few at a time: NDJSON as the API shows them, CSV for spreadsheets."""

import csv
import io
import tempfile
from collections.abc import Mapping
from typing import IO, Any

import orjson
from django.conf import settings
from django.utils.translation import gettext_lazy as _

from products.services.export_files import guarded
from syncjobs.selectors.rejects import RejectView, matching, whole_rejects
from system.api.renderers import dumps
from system.errors import ApplicationError, ErrorCode
from system.naming import Naming

CONTENT_TYPES = {"ndjson": "application/x-ndjson", "csv": "text/csv; charset=utf-8"}
COLUMNS = (
    "id",
    "source",
    "source_id",
    "step",
    "code",
    "field",
    "message",
    "retries",
    "outcome",
    "resolved_at",
    "created_at",
    "payload",
)
TOO_MANY = _("Too many rejected records for one file")
NARROW = _("Narrow them, for example by code, field or step.")


def rejects_file(job_id: int, filters: Mapping[str, Any], file_format: str, naming: Naming) -> IO[bytes]:
    """The rejected records of a run as an open file that vanishes when it is closed.

    Raises:
        ApplicationError: more of them than a caller should wait for (422).
    """
    most = int(settings.EXPORT_STREAM_MAX_ROWS)
    if matching(job_id, filters).order_by()[: most + 1].count() > most:
        raise ApplicationError(ErrorCode.UNPROCESSABLE, TOO_MANY, details={"limit": most}, suggestion=NARROW)
    file = tempfile.TemporaryFile()  # noqa: SIM115 (the caller closes it)
    try:
        write_rejects(file, job_id, filters, file_format, naming)
        file.seek(0)
    except BaseException:
        file.close()
        raise
    return file


def write_rejects(file: IO[bytes], job_id: int, filters: Mapping[str, Any], file_format: str, naming: Naming) -> int:
    """Write the rejected records that match; returns how many."""
    write = _write_csv if file_format == "csv" else _write_ndjson
    return write(file, job_id, filters, naming)


def _write_ndjson(file: IO[bytes], job_id: int, filters: Mapping[str, Any], naming: Naming) -> int:
    count = 0
    for items in whole_rejects(job_id, filters):
        file.writelines(dumps(naming.rename(dict(item))) + b"\n" for item in items)
        count += len(items)
    return count


def _write_csv(file: IO[bytes], job_id: int, filters: Mapping[str, Any], naming: Naming) -> int:
    """With the mark that tells spreadsheets it is UTF-8, and no cell that they would take for a formula."""
    text = io.TextIOWrapper(file, encoding="utf-8-sig", newline="", write_through=False)
    writer = csv.writer(text, quoting=csv.QUOTE_NONNUMERIC)
    writer.writerow([naming.outgoing(name) for name in COLUMNS])
    count = 0
    for items in whole_rejects(job_id, filters):
        writer.writerows(guarded(_row(item)) for item in items)
        count += len(items)
    text.flush()
    text.detach()
    return count


def _row(item: RejectView) -> list[Any]:
    cells: dict[str, Any] = dict(item)
    for name in ("resolved_at", "created_at"):
        cells[name] = cells[name].isoformat() if cells[name] else ""
    payload = item["payload"]
    cells["payload"] = payload if isinstance(payload, str) else orjson.dumps(payload).decode()
    return ["" if cells[name] is None else cells[name] for name in COLUMNS]
