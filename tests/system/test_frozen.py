"""A process that stands still in the middle of a COPY does not hold its locks for ever."""

from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import psycopg
import pytest
from django.db import connection

from system import queue
from system.database import frozen
from tests.conftest import eventually

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("redis_url")]

COPYING = "SELECT count(*) FROM pg_stat_activity WHERE pid = %s AND state = 'active' AND wait_event = 'ClientRead'"
STATEMENT = "COPY system_workerpulse (worker, seen_at) FROM STDIN (FORMAT BINARY)"


@pytest.fixture
def frozen_process() -> Iterator[psycopg.Connection[Any]]:
    """A process of ours that has begun a COPY and sends nothing more."""
    # Ends as it can: half a COPY is none, and its session may be gone.
    other = psycopg.connect(**connection.get_connection_params())
    with suppress(psycopg.Error), other, other.cursor().copy(STATEMENT) as copy:
        copy.write(b"PGCOPY")
        eventually(lambda: _is_copying(other))
        yield other


def _is_copying(other: psycopg.Connection[Any]) -> bool:
    with connection.cursor() as cursor:
        cursor.execute(COPYING, [other.info.backend_pid])
        return bool(cursor.fetchone() == (1,))


def test_the_sweeper_ends_it(frozen_process: psycopg.Connection[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(frozen, "FROZEN_SECONDS", 0)
    queue.sweep()
    eventually(lambda: not _is_copying(frozen_process))


def test_one_that_has_just_begun_is_left_alone(frozen_process: psycopg.Connection[Any]) -> None:
    assert frozen.end_frozen_copies() == 0
    assert _is_copying(frozen_process)
