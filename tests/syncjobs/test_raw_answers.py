"""The raw layer: what is kept of a source's answers, what that costs, and what goes again."""

import threading
from collections.abc import Callable
from datetime import timedelta

import pytest
from django.db import connection
from django.utils import timezone

from syncjobs.engine.errors import LeaseLost
from syncjobs.models import RawAnswer, Source
from syncjobs.services import raw_answers
from system import runtime, sql
from tests.conftest import HANG_SECONDS
from tests.syncjobs.conftest import start, work
from tests.syncjobs.scripted import World

OFFER = "100001"
Knob = Callable[[str, int], None]


@pytest.fixture
def knob(monkeypatch: pytest.MonkeyPatch) -> Knob:
    """Turn a runtime setting."""
    chosen: dict[str, int] = {}
    asked = runtime.integer
    monkeypatch.setattr(runtime, "integer", lambda key: chosen.get(key) if key in chosen else asked(key))
    return chosen.__setitem__


def kept(offer: str = OFFER) -> list[bytes]:
    """What is kept of a product, the last answer first."""
    rows = RawAnswer.objects.filter(source_id=offer).order_by("-seen_at", "-id")
    return [raw_answers.unpacked(row.payload) for row in rows]


def said(price: str, offer: str = OFFER) -> bytes:
    return f'["{offer}","{price}"]'.encode()


def sync(world: World, price: str) -> None:
    world.prices[OFFER] = price
    work(start())


def tidy_elsewhere() -> None:
    """What the nightly task does, on the connection of a thread."""
    try:
        raw_answers.tidy()
    finally:
        connection.close()


def test_every_answer_is_kept_as_it_came(source: Source, world: World) -> None:
    world.offer(12)
    job = work(start())
    assert kept() == [said("10.00")]
    assert set(RawAnswer.objects.values_list("source", "job_id")) == {("shop", job.pk)}
    assert RawAnswer.objects.count() == 12


def test_the_answers_of_rejected_records_are_kept_too(source: Source, world: World) -> None:
    sync(world, "broken")
    assert kept() == [said("broken")]


def test_the_same_bytes_again_are_the_same_row(source: Source, world: World) -> None:
    world.offer(12)
    work(start())
    before = list(RawAnswer.objects.order_by("pk").values_list("pk", "seen_at"))
    work(start())
    assert list(RawAnswer.objects.order_by("pk").values_list("pk", "seen_at")) == before


def test_an_answer_that_stays_is_noted_once_a_day(source: Source, world: World) -> None:
    sync(world, "10.00")
    RawAnswer.objects.update(seen_at=timezone.now() - timedelta(hours=25))
    sync(world, "10.00")
    assert RawAnswer.objects.get().seen_at > timezone.now() - timedelta(minutes=1)


def test_an_old_answer_that_comes_back_is_the_last_one_at_once(source: Source, world: World) -> None:
    for price in ("1.00", "2.00", "1.00"):
        sync(world, price)
    assert kept() == [said("1.00"), said("2.00")]


def test_a_clock_that_is_behind_cannot_hide_the_last_answer(source: Source, world: World) -> None:
    sync(world, "1.00")
    RawAnswer.objects.update(seen_at=timezone.now() + timedelta(minutes=5))
    sync(world, "2.00")
    assert kept()[0] == said("2.00")


def test_only_the_last_versions_stay(source: Source, world: World, knob: Knob) -> None:
    knob("sync.raw_versions", 2)
    for price in ("1.00", "2.00", "3.00", "4.00"):
        sync(world, price)
    assert kept() == [said("4.00"), said("3.00")]


def test_a_dry_run_keeps_nothing(source: Source, world: World) -> None:
    world.offer(3)
    work(start(dry_run=True))
    assert not RawAnswer.objects.exists()


def test_switched_off_it_keeps_nothing_and_forgets_what_it_had(source: Source, world: World, knob: Knob) -> None:
    sync(world, "1.00")
    knob("sync.raw_days", 0)
    sync(world, "2.00")
    assert kept() == [said("1.00")]
    assert raw_answers.tidy() == 1
    assert kept() == []


def test_what_a_batch_said_goes_with_the_batch(source: Source, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    def lost(*_args: object, **_named: object) -> None:
        raise LeaseLost("too late")

    world.offer(3)
    monkeypatch.setattr("syncjobs.services.batches.count", lost)
    work(start())
    assert not RawAnswer.objects.exists()


def test_old_answers_go_and_the_others_stay(source: Source, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(raw_answers, "ROWS_AT_ONCE", 4)
    world.offer(10)
    work(start())
    old = timezone.now() - timedelta(days=40)
    RawAnswer.objects.filter(source_id__gte="100006").update(seen_at=old)
    assert raw_answers.tidy() == 5
    assert raw_answers.tidy() == 0
    assert RawAnswer.objects.count() == 5


def test_a_smaller_number_of_versions_takes_effect_at_night(source: Source, world: World, knob: Knob) -> None:
    for price in ("1.00", "2.00", "3.00"):
        sync(world, price)
    knob("sync.raw_versions", 1)
    assert raw_answers.tidy() == 2
    assert kept() == [said("3.00")]


@pytest.mark.django_db(transaction=True)
def test_an_answer_that_is_used_again_while_it_is_tidied_stays(source: Source, world: World) -> None:
    sync(world, "1.00")
    RawAnswer.objects.update(seen_at=timezone.now() - timedelta(days=40))
    waiting, found = threading.Event(), raw_answers._old

    def slowly(*args: object) -> list[raw_answers.Kept]:
        rows = found(*args)  # type: ignore[arg-type]
        waiting.set()
        over.wait(HANG_SECONDS)
        return rows

    over = threading.Event()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(raw_answers, "_old", slowly)
        tidying = threading.Thread(target=tidy_elsewhere)
        tidying.start()
        assert waiting.wait(HANG_SECONDS)
        sync(world, "1.00")
        over.set()
        tidying.join()
    assert kept() == [said("1.00")]


@pytest.mark.django_db(transaction=True)
def test_an_answer_that_was_tidied_under_a_batch_is_written_again(
    source: Source, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    sync(world, "1.00")
    RawAnswer.objects.update(seen_at=timezone.now() - timedelta(days=40))
    asked = raw_answers._versions

    def tidied(*args: object) -> dict[str, list[raw_answers.Kept]]:
        rows = asked(*args)  # type: ignore[arg-type]
        tidying = threading.Thread(target=tidy_elsewhere)
        tidying.start()
        tidying.join()
        return rows

    monkeypatch.setattr(raw_answers, "_versions", tidied)
    sync(world, "1.00")
    assert kept() == [said("1.00")]


@pytest.mark.django_db(transaction=True)
def test_two_batches_that_hear_the_same_keep_it_once(source: Source) -> None:
    both = threading.Barrier(2)

    def hear() -> None:
        both.wait(HANG_SECONDS)
        raw_answers.keep("shop", 1, {str(number): b"[1]" for number in range(300)})
        connection.close()

    hearing = [threading.Thread(target=hear) for _ in range(2)]
    for each in hearing:
        each.start()
    for each in hearing:
        each.join()
    assert RawAnswer.objects.count() == 300


def test_an_unchanged_walk_reads_one_statement_a_batch(source: Source, world: World) -> None:
    world.offer(10)
    work(start())
    asked: list[str] = []

    def note(execute: Callable[..., object], statement: str, *rest: object) -> object:
        asked.extend([statement] if "rawanswer" in statement and "unnest" in statement else [])
        return execute(statement, *rest)

    with connection.execute_wrapper(note):
        work(start())
    assert len(asked) == 1


def test_a_huge_answer_is_not_kept(source: Source, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(raw_answers, "LARGEST", 5)
    raw_answers.keep("shop", 1, {"1": b"123456", "2": b"1"})
    assert list(RawAnswer.objects.values_list("source_id", flat=True)) == ["2"]


def test_payloads_lie_outside_of_their_rows(db: None) -> None:
    found = sql.one(
        "SELECT attstorage FROM pg_attribute WHERE attrelid = 'syncjobs_rawanswer'::regclass AND attname = 'payload'"
    )
    assert found == {"attstorage": "e"}
