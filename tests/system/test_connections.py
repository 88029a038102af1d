"""Database connections that are kept: a request of a healthy one pays no round trip, one that was ended is replaced."""

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from django.db import connection, transaction

from tests.conftest import eventually


@pytest.fixture
def kept(transactional_db: None) -> Iterator[Any]:
    """A connection as it is between two requests."""
    connection.ensure_connection()
    yield connection
    connection.close()


@pytest.fixture
def observer(kept: Any) -> Iterator["psycopg.Connection[Any]"]:
    """Somebody who looks at the server from beside."""
    with psycopg.connect(**kept.get_connection_params() | {"cursor_factory": psycopg.Cursor}, autocommit=True) as other:
        yield other


def latest_statement(observer: "psycopg.Connection[Any]", pid: int) -> Any:
    row = observer.execute("SELECT query FROM pg_stat_activity WHERE pid = %s", [pid]).fetchone()
    return row and row[0]


def test_the_check_before_a_request_sends_nothing(kept: Any, observer: "psycopg.Connection[Any]") -> None:
    with kept.cursor() as cursor:
        cursor.execute("SELECT 1688")
    kept.close_if_unusable_or_obsolete()
    kept.close_if_health_check_failed()
    assert kept.connection is not None
    assert latest_statement(observer, kept.connection.info.backend_pid) == "SELECT 1688"


def test_a_connection_the_server_has_ended_is_replaced_before_it_is_used(
    kept: Any, observer: "psycopg.Connection[Any]"
) -> None:
    pid = kept.connection.info.backend_pid
    kept.close_if_unusable_or_obsolete()
    observer.execute("SELECT pg_terminate_backend(%s)", [pid])
    eventually(lambda: latest_statement(observer, pid) is None)
    with kept.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        assert cursor.fetchone() != (pid,)


def test_a_connection_in_the_middle_of_something_is_asked(kept: Any, observer: "psycopg.Connection[Any]") -> None:
    with transaction.atomic(), kept.cursor() as cursor:
        cursor.execute("SELECT 1688")
        assert kept.is_usable()
        assert latest_statement(observer, kept.connection.info.backend_pid) == "SELECT 1"
