"""What goes to PostgreSQL in its own form arrives as it was meant."""

from array import array
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta, timezone

import pytest
from django.db import DataError, connection
from hypothesis import given, settings
from hypothesis import strategies as some

from system import wire
from system.sql import copy_rows, execute, fetch_all

pytestmark = pytest.mark.django_db

TABLE = "pg_temp.forms"
INTEGERS = some.lists(some.integers(-(2**31), 2**31 - 1))
MOMENTS = some.datetimes(timezones=some.sampled_from([UTC, timezone(timedelta(hours=8))]))


def arrived(column: str, type_: str, values: Sequence[object]) -> list[object]:
    execute(f"DROP TABLE IF EXISTS {TABLE}")
    execute(f"CREATE TEMPORARY TABLE forms ({column}, place int)")
    copy_rows(TABLE, {"value": type_, "place": "int4"}, ((value, place) for place, value in enumerate(values)))
    return [row[0] for row in fetch_all(f"SELECT value FROM {TABLE} ORDER BY place")]  # noqa: S608 (ours)


@settings(deadline=None, max_examples=30)
@given(some.lists(INTEGERS))
def test_numbers(values: list[list[int]]) -> None:
    assert arrived("value integer[]", wire.INTEGERS, [wire.integers(array("i", each)) for each in values]) == values


@settings(deadline=None, max_examples=30)
@given(some.lists(MOMENTS))
def test_moments(values: list[datetime]) -> None:
    assert arrived("value timestamptz", wire.MOMENT, [wire.moment(each) for each in values]) == values


def test_documents_and_empty_arrays() -> None:
    text = '{"a": [1.50, "价", null]}'
    assert arrived("value jsonb", wire.JSONB, [wire.jsonb(text.encode())]) == [text]
    assert arrived("value varchar(50)[]", wire.VARCHARS, [wire.NO_VARCHARS, None]) == [[], None]


def test_a_moment_without_a_time_zone_is_refused() -> None:
    with pytest.raises(TypeError):
        wire.moment(datetime(2026, 1, 1))  # noqa: DTZ001 (that is the point)


def test_a_text_that_no_column_can_hold_is_told_as_the_database_tells_it() -> None:
    with pytest.raises(DataError), connection.cursor():
        arrived("value text", "text", ["a\0b"])
