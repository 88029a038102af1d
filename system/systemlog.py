"""Warnings and errors of all processes, kept in a table without slowing or failing whoever logs them.

A line goes into a bounded queue; a thread a process writes what has gathered, with a connection it closes again. What
does not fit is dropped and counted, and the count is logged itself. Logging begins before the models are loaded, so
none is imported here.
"""

import logging
import os
import queue
import socket
from datetime import UTC, datetime
from typing import Any, NamedTuple

import orjson
from django.conf import settings
from django.db import Error as DatabaseProblem
from django.db import connection, transaction

from system.background import Background
from system.logs import STANDARD_ATTRIBUTES
from system.redaction import redact

MOST_WAITING = 1_000
MOST_AT_ONCE = 200
WRITE_SECONDS = 0.5
LONGEST_MESSAGE = 4_000
LONGEST_TRACEBACK = 8_000
LONGEST_CONTEXT = 8_000

INSERT = """
INSERT INTO system_systemlog (at, level, logger, message, process, request_id, context)
VALUES (%s, %s, %s, %s, %s, %s, %s::text::jsonb)
"""

_formatter = logging.Formatter()


class Line(NamedTuple):
    """A row of the table."""

    at: datetime
    level: str
    logger: str
    message: str
    process: str
    request_id: str
    context: str


class TableHandler(logging.Handler):
    """Keeps lines in the table of `SystemLog`. Its filters must have taken the secrets out."""

    def __init__(self, level: int = logging.NOTSET) -> None:
        super().__init__(level)
        self._waiting: queue.Queue[Line] = queue.Queue(MOST_WAITING)
        self._dropped = 0
        self._writer = Background("system-log", self.write, WRITE_SECONDS)
        os.register_at_fork(after_in_child=self._begin_anew)

    def _begin_anew(self) -> None:
        # The parent writes what it has; a queue locked at the moment of the fork would stay locked.
        self._waiting, self._dropped = queue.Queue(MOST_WAITING), 0

    def emit(self, record: logging.LogRecord) -> None:
        """Take a line; never waits, never raises."""
        if self._writer.is_own_thread():
            # A line about our own writing would only make the next one.
            return
        try:
            self._waiting.put_nowait(_line(record))
            self._writer.wake()
        except Exception:  # noqa: BLE001 (whatever a line holds, logging it must not fail its author)
            self._dropped += 1

    def close(self) -> None:
        """Write what waits, then end."""
        self._writer.stop()
        super().close()

    def write(self) -> None:
        """Write what has gathered; what the database does not take now is dropped and counted."""
        lines = self._gathered()
        if not lines:
            return
        try:
            with transaction.atomic(), connection.cursor() as cursor:
                cursor.executemany(INSERT, lines)
        except (DatabaseProblem, ValueError):
            self._dropped += len(lines)
        finally:
            if self._writer.is_own_thread():
                connection.close()

    def _gathered(self) -> list[Line]:
        lines: list[Line] = []
        while len(lines) < MOST_AT_ONCE and not self._waiting.empty():
            lines.append(self._waiting.get_nowait())
        if self._dropped:
            dropped, self._dropped = self._dropped, 0
            lines.append(_line_of_dropped(dropped))
        return lines


def _line(record: logging.LogRecord) -> Line:
    return Line(
        at=datetime.fromtimestamp(record.created, UTC),
        level=record.levelname[:10],
        logger=_text(record.name, 100),
        message=_text(record.getMessage(), LONGEST_MESSAGE),
        process=_process(),
        request_id=_text(getattr(record, "request_id", ""), 64),
        context=_context(record),
    )


def _line_of_dropped(count: int) -> Line:
    context = orjson.dumps({"dropped": count}).decode()
    return Line(datetime.now(UTC), "WARNING", __name__, "log lines were dropped", _process(), "", context)


def _context(record: logging.LogRecord) -> str:
    """The extra fields and the traceback as JSON that PostgreSQL can keep."""
    context: dict[str, Any] = {
        name: _plain(value) for name, value in vars(record).items() if name not in STANDARD_ATTRIBUTES
    }
    if record.exc_info and record.exc_info[0]:
        context["traceback"] = _text(redact(_formatter.formatException(record.exc_info))[-LONGEST_TRACEBACK:])
    return orjson.dumps(context).decode()


def _plain(value: Any) -> Any:
    if value is None or isinstance(value, bool | int | float):
        return value
    text = _text(value if isinstance(value, str) else orjson.dumps(value, default=str).decode(), LONGEST_CONTEXT)
    return text if isinstance(value, str) or "\\u0000" in text or len(text) == LONGEST_CONTEXT else orjson.loads(text)


def _text(text: object, length: int = LONGEST_TRACEBACK) -> str:
    """What PostgreSQL can keep: no NUL, no half surrogate pairs."""
    return str(text).replace("\0", "").encode("utf-8", "replace").decode()[:length]


def _process() -> str:
    return f"{settings.PROCESS_NAME} {socket.gethostname()}:{os.getpid()}"[:100]
