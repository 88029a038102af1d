"""When schedules are due, over the changes of the clock and the ends of months."""

from datetime import UTC, datetime, timedelta
from itertools import islice

import pytest
from django_celery_beat.models import CrontabSchedule, IntervalSchedule, PeriodicTask

from syncjobs.services.slots import parse_cron, slots_after, zone_named


def schedule(cron: str = "", *, zone: str = "UTC", every: int = 0, **fields: object) -> PeriodicTask:
    """An unsaved schedule."""
    if cron:
        return PeriodicTask(crontab=CrontabSchedule(**parse_cron(cron), timezone=zone_named(zone)), **fields)
    return PeriodicTask(interval=IntervalSchedule(every=every, period=IntervalSchedule.SECONDS), **fields)


def first(task: PeriodicTask, after: str, count: int) -> list[str]:
    """The first slots after a moment of 2026, in UTC."""
    moment = datetime.fromisoformat(f"2026-{after}+00:00")
    return [f"{slot:%m-%d %H:%M}" for slot in islice(slots_after(task, moment), count)]


def test_a_slot_follows_from_the_zone() -> None:
    task = schedule("0 3 * * *", zone="Asia/Shanghai")
    assert first(task, "11-18T12:00", 2) == ["11-18 19:00", "11-19 19:00"]


def test_a_slot_at_the_very_moment_is_over() -> None:
    assert first(schedule("*/30 * * * *"), "11-18T12:30", 2) == ["11-18 13:00", "11-18 13:30"]


def test_a_fixed_hour_that_does_not_exist_runs_after_the_gap() -> None:
    task = schedule("30 2 * * *", zone="Europe/Berlin")
    assert first(task, "03-28T00:00", 3) == ["03-28 01:30", "03-29 01:30", "03-30 00:30"]


def test_a_fixed_hour_that_comes_twice_runs_once() -> None:
    task = schedule("30 2 * * *", zone="Europe/Berlin")
    assert first(task, "10-24T00:00", 3) == ["10-24 00:30", "10-25 00:30", "10-26 01:30"]


@pytest.mark.parametrize("day", ["03-29", "10-25"])
@pytest.mark.parametrize("zone", ["Europe/Berlin", "Asia/Shanghai", "Australia/Lord_Howe", "America/Santiago"])
def test_every_minute_is_every_minute_whatever_the_clock_does(zone: str, day: str) -> None:
    begin = datetime.fromisoformat(f"2026-{day}T00:00+00:00") - timedelta(hours=3)
    slots = list(islice(slots_after(schedule("* * * * *", zone=zone), begin), 900))
    assert slots == [begin + timedelta(minutes=number) for number in range(1, 901)]


def test_both_day_fields_must_fit() -> None:
    assert first(schedule("0 0 13 * fri"), "01-01T00:00", 2) == ["02-13 00:00", "03-13 00:00"]


@pytest.mark.parametrize("sunday", ["0", "7", "sun"])
def test_sunday_has_three_names(sunday: str) -> None:
    assert first(schedule(f"0 0 * * {sunday}"), "11-18T00:00", 1) == ["11-22 00:00"]


def test_an_interval_runs_at_its_multiples_wherever_one_begins_to_look() -> None:
    task = schedule(every=900)
    assert first(task, "11-18T12:01", 2) == ["11-18 12:15", "11-18 12:30"]
    assert first(task, "11-18T12:14:59", 1) == ["11-18 12:15"]


def test_slots_begin_and_end_with_the_schedule() -> None:
    begin, end = datetime(2026, 11, 18, 12, tzinfo=UTC), datetime(2026, 11, 18, 14, tzinfo=UTC)
    task = schedule("0 * * * *", start_time=begin, expires=end)
    assert first(task, "11-01T00:00", 5) == ["11-18 12:00", "11-18 13:00"]


BAD_LINES = [
    "",
    "* * * *",
    "* * * * * *",
    "61 * * * *",
    "* 24 * * *",
    "* * 0 * *",
    "* * 32 * *",
    "* * * 13 *",
    "* * * * 8",
    "*/0 * * * *",
    "*/5x * * * *",
    "1,,2 * * * *",
    "-1 * * * *",
    "mon * * * *",
    "* * * mon *",
    "5/2 * * * *",
    "0 0 31 2 *",
    "0 0 30 feb *",
    "@daily",
    "٣ * * * *",
    "* * * * * ; drop",
]


@pytest.mark.parametrize("line", BAD_LINES)
def test_a_line_that_is_no_cron_is_refused(line: str) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        parse_cron(line)
