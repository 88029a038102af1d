"""However many beats run, one sends."""

from collections.abc import Iterator

import pytest
from celery import current_app

from config.beat import SingleScheduler
from system import sql
from tests.conftest import eventually

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def beats() -> Iterator[tuple[SingleScheduler, SingleScheduler]]:
    """Two schedulers of one database."""
    pair = SingleScheduler(app=current_app, lazy=True), SingleScheduler(app=current_app, lazy=True)
    yield pair
    for beat in pair:
        beat._guard.close()


def test_the_second_beat_sends_only_when_the_first_is_gone(beats: tuple[SingleScheduler, SingleScheduler]) -> None:
    first, second = beats
    assert [first._is_leader(), second._is_leader(), first._is_leader()] == [True, False, True]
    first._guard.close()
    assert eventually(second._is_leader)


def test_a_beat_whose_connection_broke_does_not_believe_it_leads(
    beats: tuple[SingleScheduler, SingleScheduler],
) -> None:
    first, second = beats
    assert first._is_leader()
    sql.fetch_all(
        "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory' AND pid <> pg_backend_pid()"
        " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
    )
    assert not first._is_leader()
    assert eventually(second._is_leader)
    assert not first._is_leader()


def test_the_sweep_is_on_the_schedule() -> None:
    assert current_app.conf.beat_schedule["sweep"]["task"] == "system.sweep"
