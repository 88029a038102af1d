"""Runs schedules: every slot once, however many beats ring, however often a bell is delivered, whoever dies.

Beat and the sweeper only ring. Which slots are due is read from the schedules' clocks, and a slot, its job and the
clock's next slot are committed together.
"""

import logging
from collections import deque
from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import partial

import msgspec
from django.db import InterfaceError, OperationalError, transaction
from django_celery_beat.models import PeriodicTask, PeriodicTasks

from syncjobs.models import ScheduleClock, ScheduledRun, SyncJob
from syncjobs.services.jobs import StartSync, start_sync
from syncjobs.services.schedules import RUN_TASK, ScheduledSync, described, find_schedule, sync_of, wind
from syncjobs.services.slots import slots_after, timing_digest
from system import sql
from system.actor import Actor, actor_scope
from system.errors import ApplicationError, ErrorCode

logger = logging.getLogger(__name__)

# Slots that passed longer ago than this are not even recorded as missed, nor more of them than that.
MISSED_WITHIN = timedelta(days=1)
MISSED_KEPT = 100
# A slot looked at later than this was missed; until then it only waited for the next look.
LATE = timedelta(minutes=2)
REQUESTED_BY_LENGTH = 50

State = ScheduledRun.State


def run_due(now: datetime | None = None) -> int:
    """Run what is due in all schedules; returns how many slots were dealt with. Safe to run many times at once.

    Args:
        now: the moment to look at; the database's clock when left out.
    """
    now = now or _database_clock()
    _stop_clocks()
    _run_waiting()
    return sum(_guarded(partial(run_schedule, schedule_id, now)) for schedule_id in _due(now))


def run_schedule(schedule_id: int, now: datetime) -> int:
    """Run the latest slot of one schedule that is due; those before it were missed. Returns the number of slots."""
    with transaction.atomic():
        # Whoever holds the clock does all there is to do.
        clock = ScheduleClock.objects.select_for_update(skip_locked=True).filter(pk=schedule_id).first()
        if clock is None:
            return 0
        task = find_schedule(schedule_id)
        if clock.definition != timing_digest(task):
            wind(task, now)
            return 0
        due = _due_slots(task, clock, now)
        for slot in due[:-1]:
            _record(schedule_id, slot, State.MISSED)
        if due:
            _run_last(task, due[-1], now)
            wind(task, now)
        return len(due)


def _database_clock() -> datetime:
    found: tuple[datetime] = sql.fetch_one("SELECT now()")  # type: ignore[assignment] # there is always one row
    return found[0]


def _stop_clocks() -> None:
    """A schedule that was switched off or removed, wherever, starts afresh when it is switched on again."""
    sql.execute(
        "DELETE FROM syncjobs_scheduleclock c WHERE NOT EXISTS (SELECT 1 FROM django_celery_beat_periodictask t"
        " WHERE t.id = c.schedule_id AND t.task = %s AND t.enabled)",
        [RUN_TASK],
    )


def _due(now: datetime) -> Iterator[int]:
    """Schedules with work to do. One that has no clock yet, or was changed in the back office, gets its clock wound."""
    clocks = ScheduleClock.objects.in_bulk()
    for task in PeriodicTask.objects.filter(task=RUN_TASK, enabled=True).select_related("crontab", "interval"):
        clock = clocks.get(task.pk)
        if clock is None:
            ScheduleClock.objects.bulk_create(
                [ScheduleClock(schedule_id=task.pk, definition=-1)], ignore_conflicts=True
            )
        if clock is None or clock.definition != timing_digest(task) or (clock.next_slot and clock.next_slot <= now):
            yield task.pk


def _guarded(work: "partial[int]") -> int:
    """One schedule that cannot be run must not keep the others from running."""
    try:
        return work()
    except (OperationalError, InterfaceError):
        raise
    except Exception:
        logger.exception("a schedule could not be run and is tried again: %s", work.args[0])
        return 0


def _due_slots(task: PeriodicTask, clock: ScheduleClock, now: datetime) -> list[datetime]:
    if clock.next_slot is None or clock.next_slot > now:
        return []
    begin = max(clock.next_slot - timedelta(microseconds=1), now - MISSED_WITHIN)
    due: deque[datetime] = deque(maxlen=MISSED_KEPT + 1)
    for slot in slots_after(task, begin):
        if slot > now:
            break
        due.append(slot)
    return list(due) or [clock.next_slot]


def _record(schedule_id: int, slot: datetime, state: str) -> int | None:
    """The new row's id; None when this slot has been dealt with before."""
    found = sql.one(
        "INSERT INTO syncjobs_scheduledrun (schedule_id, slot, state, task_id, created_at)"
        " VALUES (%s, %s, %s, '', now()) ON CONFLICT (schedule_id, slot) DO NOTHING RETURNING id",
        [schedule_id, slot, state],
    )
    return found["id"] if found else None


def _run_last(task: PeriodicTask, slot: datetime, now: datetime) -> None:
    if now - slot > LATE and _policy(task).missed == "skip":
        _record(task.pk, slot, State.MISSED)
    else:
        _run_slot(task, slot)


def _policy(task: PeriodicTask) -> ScheduledSync:
    """What a schedule says about its slots; of one that cannot be read, the usual."""
    return described(task).sync


def _run_waiting() -> None:
    """Start what waited for a job that has ended by now."""
    for run_id in ScheduledRun.objects.filter(state=State.WAITING).order_by("slot").values_list("pk", flat=True):
        _guarded(partial(_try_again, run_id))


@transaction.atomic
def _try_again(run_id: int) -> int:
    """A schedule that was switched off meanwhile lets its slot go."""
    rows = ScheduledRun.objects.select_for_update(skip_locked=True)
    run = rows.filter(pk=run_id, state=State.WAITING).first()
    if run is None:
        return 0
    task = PeriodicTask.objects.filter(pk=run.schedule_id, task=RUN_TASK).select_related("crontab", "interval").first()
    outcome = _started_as(task) if task and task.enabled else {"state": State.SKIPPED}
    ScheduledRun.objects.filter(pk=run.pk).update(**{"state": State.STARTED, "reason": None, **outcome})
    return 1


def _run_slot(task: PeriodicTask, slot: datetime) -> None:
    run_id = _record(task.pk, slot, State.STARTED)
    if run_id is None:
        return
    outcome = _started_as(task)
    others = ScheduledRun.objects.filter(schedule_id=task.pk, state=State.WAITING)
    if outcome.get("state") == State.WAITING and others.exists():
        outcome["state"] = State.SKIPPED
    ScheduledRun.objects.filter(pk=run_id).update(**outcome)
    if task.one_off:
        PeriodicTask.objects.filter(pk=task.pk).update(enabled=False)
        PeriodicTasks.update_changed()


def _started_as(task: PeriodicTask) -> dict[str, object]:
    with actor_scope(Actor("schedule", name=task.name)):
        return _started(task)


def _started(task: PeriodicTask) -> dict[str, object]:
    """What became of a slot, as columns of its row."""
    try:
        job = start_sync(_request(task))
    except ApplicationError as refusal:
        return _refused(refusal, waits=_policy(task).overlap == "queue")
    except (msgspec.ValidationError, msgspec.DecodeError) as error:
        return {
            "state": State.REFUSED,
            "reason": {"code": ErrorCode.INVALID_PARAMETER.value, "details": {"kwargs": [str(error)[:500]]}},
        }
    return {"task_id": job.task_id}


def _request(task: PeriodicTask) -> StartSync:
    sync = sync_of(task)
    return StartSync(
        type=sync.type,
        source=sync.source,
        category_id=sync.category_id,
        batch_size=sync.config.batch_size,
        max_workers=sync.config.max_workers,
        priority=sync.priority,
        trigger=SyncJob.Trigger.SCHEDULE,
        requested_by=task.name[:REQUESTED_BY_LENGTH],
    )


def _refused(refusal: ApplicationError, *, waits: bool) -> dict[str, object]:
    """A job of the same scope that is still at work covers the slot, or is waited for; any other refusal needs
    somebody's attention.
    """
    details = refusal.details if isinstance(refusal.details, dict) else {}
    met = refusal.code is ErrorCode.SYNC_ALREADY_RUNNING
    logger.log(logging.INFO if met else logging.WARNING, "a scheduled sync did not start: %s", refusal)
    return {
        "state": State.REFUSED if not met else State.WAITING if waits else State.SKIPPED,
        "task_id": str(details.get("task_id") or ""),
        "reason": {"code": refusal.code.value},
    }
