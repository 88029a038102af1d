"""When a schedule is due: its slots follow from its definition, never from the moment somebody looks.

A cron slot is a minute of the wall clock in the schedule's zone. Where the clock is put forward, a fixed hour that does
not exist runs right after the gap; where it is put back, it runs once. A schedule of every hour knows no such hour and
runs by real time. Slots of an interval are its multiples since 1970, so all workers agree on them.
"""

import re
from collections.abc import Collection, Iterator
from datetime import UTC, date, datetime, timedelta
from hashlib import blake2b
from itertools import islice
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo, available_timezones

import msgspec
from celery.schedules import ParseException, crontab
from django.utils.translation import gettext as _
from django_celery_beat.models import CrontabSchedule, PeriodicTask

# A leap day on a certain weekday comes every 28 years; whoever means that may start it by hand.
HORIZON_DAYS = 9 * 366
HOURS_A_DAY = 24
FOLDS = (0, 1)
# The digests fit into the version of an ETag.
DIGEST_LIMIT = 10**18

CRON_FIELDS = ("minute", "hour", "day_of_month", "month_of_year", "day_of_week")
_NAMES = {
    "month_of_year": "jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec",
    "day_of_week": "sun|mon|tue|wed|thu|fri|sat",
}
_SUNDAY = re.compile(r"(?<!/)\b7\b")
_MICROSECOND = timedelta(microseconds=1)


class Cron(NamedTuple):
    """The numbers that fit, field by field; Sunday is 0."""

    minutes: Collection[int]
    hours: Collection[int]
    days: Collection[int]
    months: Collection[int]
    weekdays: Collection[int]


def _form(field: str) -> re.Pattern[str]:
    value = rf"(?:[0-9]{{1,2}}|{_NAMES[field]})" if field in _NAMES else "[0-9]{1,2}"
    item = rf"(?:{value}|(?:\*|{value}-{value})(?:/[1-9][0-9]?)?)"
    return re.compile(rf"{item}(?:,{item}){{0,30}}", re.IGNORECASE)


_FORMS = {field: _form(field) for field in CRON_FIELDS}


def parse_cron(text: str) -> dict[str, str]:
    """The five fields of `minute hour day month weekday`, by their names in django-celery-beat.

    A day must match both day fields, as beat reads them. Celery's own parser takes nearly anything that begins well,
    so the form is checked first.

    Raises:
        ValueError: not five fields, one of them means nothing, or no day ever fits; the text says which.
    """
    parts = text.split()
    if len(parts) != len(CRON_FIELDS):
        raise ValueError(_("Needs five fields: minute hour day month weekday."))
    fields = {name: part.lower() for name, part in zip(CRON_FIELDS, parts, strict=True)}
    fields["day_of_week"] = _SUNDAY.sub("0", fields["day_of_week"])
    for name, part in fields.items():
        if not _FORMS[name].fullmatch(part):
            raise ValueError(_("The field {name} cannot be read.").format(name=name))
    try:
        cron = _parsed(fields)
    except (ParseException, ValueError) as error:
        raise ValueError(_("A field is out of its range.")) from error
    if next(_cron_slots(cron, ZoneInfo("UTC"), datetime.now(UTC)), None) is None:
        raise ValueError(_("No day in the next nine years fits."))
    return fields


def zone_named(name: str) -> ZoneInfo:
    """The time zone of the IANA database.

    Raises:
        ValueError: there is none of this name.
    """
    if name not in available_timezones():
        raise ValueError(_("Not a time zone of the IANA database."))
    return ZoneInfo(name)


def cron_text(row: CrontabSchedule) -> str:
    """The five fields as one line."""
    return " ".join(str(getattr(row, name)).replace(" ", "") for name in CRON_FIELDS)


def interval_seconds(task: PeriodicTask) -> int | None:
    """The interval of a schedule in whole seconds; None for one that has no such interval."""
    if task.interval is None or task.interval.period == task.interval.MICROSECONDS:
        return None
    return int(timedelta(**{task.interval.period: task.interval.every}).total_seconds())


def slots_after(task: PeriodicTask, after: datetime) -> Iterator[datetime]:
    """The slots of a schedule later than `after`, in UTC and in order; its crontab and interval must be joined."""
    if task.start_time and task.start_time > after:
        after = task.start_time - _MICROSECOND
    for slot in _slots(task, after):
        if task.expires and slot >= task.expires:
            return
        yield slot


def next_slots(task: PeriodicTask, after: datetime, count: int) -> list[datetime]:
    """The next few slots; none while the schedule is switched off."""
    return list(islice(slots_after(task, after), count)) if task.enabled else []


def timing_digest(task: PeriodicTask) -> int:
    """A number that changes when the schedule's slots do."""
    return digest(_timing(task))


def digest(value: Any) -> int:
    """A number below 10^18 for a value that JSON can hold."""
    return int.from_bytes(blake2b(msgspec.json.encode(value), digest_size=8).digest()) % DIGEST_LIMIT


def _timing(task: PeriodicTask) -> list[Any]:
    cron = task.crontab and [cron_text(task.crontab), str(task.crontab.timezone)]
    return [cron, interval_seconds(task), task.start_time, task.expires, task.enabled]


def _slots(task: PeriodicTask, after: datetime) -> Iterator[datetime]:
    every = interval_seconds(task)
    if task.crontab:
        fields = {name: str(getattr(task.crontab, name)) for name in CRON_FIELDS}
        return _cron_slots(_parsed(fields), task.crontab.timezone, after)
    return _interval_slots(every, after) if every else iter(())


def _parsed(fields: dict[str, str]) -> Cron:
    """Raises ParseException or ValueError as Celery's parser does."""
    cron: Any = crontab(**fields)
    return Cron(cron.minute, cron.hour, cron.day_of_month, cron.month_of_year, cron.day_of_week)


def _interval_slots(every: int, after: datetime) -> Iterator[datetime]:
    number = int(after.timestamp()) // every
    while True:
        number += 1
        yield datetime.fromtimestamp(number * every, UTC)


def _cron_slots(cron: Cron, zone: Any, after: datetime) -> Iterator[datetime]:
    last = after
    # The day before, because a clock put back at midnight repeats some of it.
    first = after.astimezone(zone).date() - timedelta(days=1)
    for day in (first + timedelta(days=number) for number in range(HORIZON_DAYS)):
        for slot in _slots_of_day(cron, zone, day):
            if slot > last:
                last = slot
                yield slot


def _slots_of_day(cron: Cron, zone: Any, day: date) -> Iterator[datetime]:
    fits = (day.month in cron.months, day.day in cron.days, day.isoweekday() % 7 in cron.weekdays)
    if not all(fits):
        return
    folds = FOLDS if len(cron.hours) == HOURS_A_DAY else FOLDS[:1]
    for hour in sorted(cron.hours):
        moments = (
            datetime(day.year, day.month, day.day, hour, minute, tzinfo=zone, fold=fold).astimezone(UTC)
            for minute in cron.minutes
            for fold in folds
        )
        yield from sorted(set(moments))
