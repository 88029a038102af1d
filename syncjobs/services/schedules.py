"""Schedules: rows of django-celery-beat that start syncs, kept so that API, admin and beat agree on them."""

from datetime import datetime
from typing import Any, Literal

import msgspec
from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django_celery_beat.models import CrontabSchedule, IntervalSchedule, PeriodicTask, PeriodicTasks

from syncjobs.models import ScheduleClock, ScheduledRun, Source
from syncjobs.services.slots import cron_text, digest, interval_seconds, next_slots, parse_cron, timing_digest
from system import audit
from system.errors import ApplicationError, ErrorCode
from system.models import Task
from system.preconditions import check_version

RUN_TASK = "syncjobs.run_schedule"
DEFAULT_ZONE = "Asia/Shanghai"
SHOWN_SLOTS = 5


class SyncConfig(msgspec.Struct, frozen=True, kw_only=True):
    """How hard the scheduled job works."""

    batch_size: int = settings.SYNC_BATCH_SIZE_DEFAULT
    max_workers: int = settings.SYNC_MAX_WORKERS_DEFAULT


class ScheduledSync(msgspec.Struct, frozen=True, kw_only=True):
    """What a schedule starts; the keyword arguments of its row. `source` None: whichever is the default by then.

    `overlap`: what becomes of a slot that meets a job of its scope: it is skipped, or waits for that job's end.
    `missed`: what becomes of the last slot that passed while nobody was there: it is caught up, or skipped like those
    before it.
    """

    type: str = "incremental"
    source: str | None = None
    category_id: int | None = None
    config: SyncConfig = SyncConfig()
    priority: str = Task.Queue.DEFAULT
    overlap: Literal["skip", "queue"] = "skip"
    missed: Literal["catch_up", "skip"] = "catch_up"


class Schedule(msgspec.Struct, frozen=True, kw_only=True):
    """A schedule as somebody describes it: either `cron`, read in `timezone`, or `every_seconds`."""

    name: str
    sync: ScheduledSync = ScheduledSync()
    cron: str | None = None
    every_seconds: int | None = None
    timezone: str = DEFAULT_ZONE
    start_time: datetime | None = None
    is_enabled: bool = True


def sync_of(task: PeriodicTask) -> ScheduledSync:
    """What a row starts.

    Raises:
        msgspec.ValidationError, msgspec.DecodeError: somebody edited its arguments into something else.
    """
    return msgspec.json.decode(task.kwargs or "{}", type=ScheduledSync)


def described(task: PeriodicTask) -> Schedule:
    """The description of a row, its crontab and interval joined; unreadable arguments count as none."""
    try:
        sync = sync_of(task)
    except (msgspec.ValidationError, msgspec.DecodeError):
        sync = ScheduledSync()
    return Schedule(
        name=task.name,
        sync=sync,
        cron=cron_text(task.crontab) if task.crontab else None,
        every_seconds=interval_seconds(task),
        timezone=str(task.crontab.timezone) if task.crontab else DEFAULT_ZONE,
        start_time=task.start_time,
        is_enabled=task.enabled,
    )


def version_of(task: PeriodicTask) -> int:
    """Changes with the description, also when it was changed in the back office; beat's own marks do not count."""
    return digest(msgspec.to_builtins(described(task), builtin_types=(datetime,)))


def create_schedule(fields: dict[str, Any]) -> PeriodicTask:
    """Store a schedule, described as in `update_schedule`; its first slot is the first one after now.

    Raises:
        ApplicationError: no such source (422), impossible timing (400), or the name is taken (409).
    """
    wanted = _overlaid(Schedule(name=fields["name"]), fields)
    _check_begin(wanted, None)
    task = PeriodicTask(task=RUN_TASK, queue=Task.Queue.CRITICAL, args="[]")
    with transaction.atomic():
        _save(task, wanted)
        audit.record("schedule.create", "schedule", task.pk, after=_audited(wanted))
    return task


def update_schedule(schedule_id: int, changes: dict[str, Any], expected: frozenset[int] | None = None) -> PeriodicTask:
    """Change some fields of a schedule; naming `cron` replaces `every_seconds` and the other way round.

    Args:
        changes: fields of `Schedule`; `sync` holds some of `ScheduledSync`, and its `config` some of `SyncConfig`.

    Raises:
        ApplicationError: 404, 412, or as `create_schedule`.
    """
    with transaction.atomic():
        task = find_schedule(schedule_id, lock=True)
        before = described(task)
        check_version(version_of(task), expected)
        wanted = _overlaid(before, changes)
        _check_begin(wanted, before.start_time)
        if wanted != before:
            _save(task, wanted)
            audit.record("schedule.update", "schedule", task.pk, before=_audited(before), after=_audited(wanted))
    return task


def delete_schedule(schedule_id: int, expected: frozenset[int] | None = None) -> None:
    """Remove a schedule and what is remembered of its slots; its jobs stay.

    Raises:
        ApplicationError: 404 or 412.
    """
    with transaction.atomic():
        task = find_schedule(schedule_id, lock=True)
        check_version(version_of(task), expected)
        audit.record("schedule.delete", "schedule", task.pk, before=_audited(described(task)))
        ScheduleClock.objects.filter(pk=task.pk).delete()
        ScheduledRun.objects.filter(schedule_id=task.pk).delete()
        task.no_changes = True
        task.delete()
        PeriodicTasks.update_changed()


def find_schedule(schedule_id: int, *, lock: bool = False) -> PeriodicTask:
    """The schedule with this id; beat's other rows are none of ours.

    Raises:
        ApplicationError: 404.
    """
    rows = PeriodicTask.objects.filter(task=RUN_TASK).select_related("crontab", "interval")
    found = (rows.select_for_update(of=("self",)) if lock else rows).filter(pk=schedule_id).first()
    if found is None:
        raise ApplicationError(ErrorCode.NOT_FOUND)
    return found


def wind(task: PeriodicTask, now: datetime) -> None:
    """Set the schedule's clock to its first slot after `now`: it is new, was changed, or was switched on."""
    upcoming = next_slots(task, now, 1)
    values = {"definition": timing_digest(task), "next_slot": upcoming[0] if upcoming else None, "updated_at": now}
    ScheduleClock.objects.update_or_create(schedule_id=task.pk, defaults=values)


def _overlaid(schedule: Schedule, changes: dict[str, Any]) -> Schedule:
    """A description with changes over it; `sync` and its `config` are laid over each other likewise."""
    changes = dict(changes)
    sync = dict(changes.pop("sync", {}))
    config = msgspec.structs.replace(schedule.sync.config, **sync.pop("config", {}))
    changes["sync"] = msgspec.structs.replace(schedule.sync, **sync, config=config)
    if changes.get("cron"):
        changes.setdefault("every_seconds", None)
    elif changes.get("every_seconds"):
        changes.setdefault("cron", None)
    return msgspec.structs.replace(schedule, **changes)


def _save(task: PeriodicTask, wanted: Schedule) -> None:
    _check_source(wanted.sync.source)
    task.name, task.enabled, task.start_time = wanted.name, wanted.is_enabled, wanted.start_time
    task.kwargs = msgspec.json.encode(wanted.sync).decode()
    task.crontab, task.interval = _crontab(wanted), _interval(wanted)
    # Beat is told once, not by each of its own signals.
    task.no_changes = True
    try:
        with transaction.atomic():
            task.save()
    except (IntegrityError, ValidationError) as error:
        raise ApplicationError(ErrorCode.SCHEDULE_TAKEN, details={"name": wanted.name}) from error
    PeriodicTasks.update_changed()
    wind(task, timezone.now())


def _check_begin(wanted: Schedule, before: datetime | None) -> None:
    """What lies behind us cannot begin; what has begun may be said again."""
    begin = wanted.start_time
    if begin and begin != before and begin <= timezone.now():
        raise ApplicationError(ErrorCode.INVALID_PARAMETER, details={"start_time": [_("Lies in the past.")]})


def _check_source(name: str | None) -> None:
    if name is not None and not Source.objects.filter(name=name).exists():
        raise ApplicationError(ErrorCode.SYNC_SOURCE_UNKNOWN, details={"source": name})


def _crontab(wanted: Schedule) -> CrontabSchedule | None:
    if (wanted.cron is None) == (wanted.every_seconds is None):
        reason = [_("Give either cron or every_seconds.")]
        raise ApplicationError(ErrorCode.INVALID_PARAMETER, details={"cron": reason, "every_seconds": reason})
    if wanted.cron is None:
        return None
    fields = {**parse_cron(wanted.cron), "timezone": wanted.timezone}
    return _one_of(CrontabSchedule, fields)


def _interval(wanted: Schedule) -> IntervalSchedule | None:
    if wanted.every_seconds is None:
        return None
    fields = {"every": wanted.every_seconds, "period": IntervalSchedule.SECONDS}
    return _one_of(IntervalSchedule, fields)


def _one_of(model: Any, fields: dict[str, Any]) -> Any:
    """Beat's rows of timing are shared and not unique, so any of equals will do."""
    return model.objects.filter(**fields).first() or model.objects.bulk_create([model(**fields)])[0]


def _audited(schedule: Schedule) -> dict[str, Any]:
    document: dict[str, Any] = msgspec.to_builtins(schedule)
    return document
