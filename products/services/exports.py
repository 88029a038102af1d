"""Exports: a small one is written while its caller waits, a large one by a task into a folder that all servers see."""

import os
import re
import tempfile
import time
import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import IO, Any, NamedTuple

from django.conf import settings
from django.db import transaction

from products.selectors.exports import EXPORT_KIND
from products.selectors.tables import counted
from products.services.export_files import FORMATS, Contents
from system.api.versions import version_named
from system.errors import ApplicationError, ErrorCode
from system.models import Task
from system.queue import LEASE_SECONDS, TaskContext, enqueue

# While a task is written, its worker says so this often.
HEARTBEAT_SECONDS = 5

_TIMES = frozenset({"updated_since", "start_time", "end_time"})
# A finished file, an attempt at one, and what XLSX is put together from.
_OURS = re.compile(rf"\.?[0-9a-f-]{{36}}\.(?:{'|'.join(FORMATS)})(?:\.[0-9]+)?|tmp\w{{8}}")


class ExportOrder(NamedTuple):
    """What somebody wants exported; `version` is that of the API whose names the file has."""

    format: str
    filters: Mapping[str, Any]
    columns: Sequence[str] | None = None
    version: str = "v1"

    @property
    def contents(self) -> Contents:
        """What goes into the file."""
        return Contents(self.filters, self.columns, version_named(self.version).naming)


def fits_an_answer(order: ExportOrder) -> bool:
    """Whether an export is small enough for its caller to wait for it."""
    most = int(settings.EXPORT_STREAM_MAX_ROWS)
    return counted(order.filters, most) <= most


def written(order: ExportOrder) -> IO[bytes]:
    """An export as an open file that vanishes when it is closed."""
    file = tempfile.TemporaryFile(dir=_folder())  # noqa: SIM115 (the caller closes it)
    try:
        FORMATS[order.format].write(file, order.contents, _nothing)
        file.seek(0)
    except BaseException:
        file.close()
        raise
    return file


def start_export(order: ExportOrder, user_id: int) -> Task:
    """Have an export written by a task; the same one twice is one task while that is not done.

    Raises:
        ApplicationError: E01021 more rows than the format can hold.
    """
    most = FORMATS[order.format].most_rows
    if most is not None and counted(order.filters, most) > most:
        raise ApplicationError(ErrorCode.EXPORT_TOO_LARGE, details={"format": order.format, "limit": most})
    payload = _payload(order, user_id)
    with transaction.atomic():
        same = (
            Task.objects.filter(kind=EXPORT_KIND, state__in=Task.OPEN_STATES, payload=payload)
            .order_by("-created_at")
            .first()
        )
        return same or enqueue(EXPORT_KIND, payload, queue=Task.Queue.LOW)


def run_export(payload: dict[str, Any], context: TaskContext) -> dict[str, Any]:
    """Write an export's file; a second run, after a worker was lost, writes it again.

    Returns:
        file, rows and bytes.

    Raises:
        TaskGone: cancelled meanwhile.
    """
    order = _order(payload)
    path = export_path(context.task_id, order.format)
    part = path.with_name(f".{path.name}.{context.fence}")
    try:
        with open(part, "wb", opener=_private) as file:
            rows = FORMATS[order.format].write(file, order.contents, _Heartbeat(context))
            file.flush()
            os.fsync(file.fileno())
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
    return {"file": path.name, "rows": rows, "bytes": path.stat().st_size}


def export_path(task_id: uuid.UUID, file_format: str) -> Path:
    """Where an export's file lies once it is complete."""
    return _folder() / f"{task_id}.{file_format}"


def remove_old_exports() -> None:
    """Delete files that nobody may fetch any more, and what broken attempts left."""
    oldest = time.time() - settings.EXPORT_KEEP_SECONDS
    for path in filter(_is_ours, _folder().iterdir()):
        try:
            if path.stat().st_mtime < oldest:
                path.unlink()
        except FileNotFoundError:
            continue


def _is_ours(path: Path) -> bool:
    """The folder may hold what others keep there."""
    return _OURS.fullmatch(path.name) is not None and path.is_file()


class _Heartbeat:
    """Keeps a task's lease while its file grows, and ends the work when the task is cancelled."""

    def __init__(self, context: TaskContext) -> None:
        self._context = context
        self._next = 0.0

    def __call__(self) -> None:
        if time.monotonic() >= self._next:
            self._context.heartbeat(LEASE_SECONDS)
            self._next = time.monotonic() + HEARTBEAT_SECONDS


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


def _nothing() -> None:
    """Between the rows of a small export nothing happens."""


def _folder() -> Path:
    folder = Path(settings.EXPORT_DIR)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder


def _payload(order: ExportOrder, user_id: int) -> dict[str, Any]:
    filters = {name: _as_json(value) for name, value in order.filters.items() if value is not None}
    columns = None if order.columns is None else list(order.columns)
    return {
        "user_id": user_id,
        "format": order.format,
        "filters": filters,
        "columns": columns,
        "version": order.version,
    }


def _as_json(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.isoformat()
    return str(value) if isinstance(value, Decimal) else value


def _order(payload: Mapping[str, Any]) -> ExportOrder:
    filters = {
        name: datetime.fromisoformat(value) if name in _TIMES else value for name, value in payload["filters"].items()
    }
    return ExportOrder(payload["format"], filters, payload["columns"], payload["version"])
