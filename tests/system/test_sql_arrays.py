"""Arrays that are written here are read by PostgreSQL as they were meant."""

from collections.abc import Collection

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from system.sql import array, fetch_one

# What a text of PostgreSQL can hold.
TEXTS = some.text(some.characters(codec="utf-8", exclude_characters="\0"))


def read(values: Collection[str] | Collection[int] | Collection[bytes], kind: str) -> list[object]:
    row = fetch_one(f"SELECT %s::{kind}[]", [array(values)])
    assert row is not None
    return list(row[0])


@pytest.mark.django_db
@settings(deadline=None, max_examples=60)
@given(some.lists(TEXTS))
def test_texts_of_any_characters(values: list[str]) -> None:
    assert read(values, "text") == values


@pytest.mark.django_db
@pytest.mark.parametrize("values", [["NULL", "", "{}", 'a"b', "a\\b", ",", " a "], ["1", "2"], []])
def test_texts_that_look_like_something_else(values: list[str]) -> None:
    assert read(values, "text") == values


@pytest.mark.django_db
def test_numbers_and_bytes() -> None:
    assert read([1, -2, 2**62], "bigint") == [1, -2, 2**62]
    assert [bytes(each) for each in read([b"", b"\\x", bytes(range(256))], "bytea")] == [b"", b"\\x", bytes(range(256))]  # type: ignore[call-overload]
    assert read({"a": 1, "b": 2}, "text") == ["a", "b"]
