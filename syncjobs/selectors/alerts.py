"""What somebody should look at, in words and with the next step. One list for the API, the back office and commands."""

from collections.abc import Iterable, Iterator
from datetime import timedelta
from typing import Any, TypedDict

from django.utils import timezone
from django.utils.translation import gettext as _

from products.selectors.indexed import rebuilt_percent
from syncjobs import knobs
from syncjobs.models import MessageListener, ScheduleClock, Source, SyncJob
from syncjobs.selectors.messages import LISTENER_ONLINE_SECONDS
from syncjobs.selectors.quota import quota_views
from system import sql

# Shared with health: a worker that has consumed nothing for so long counts as gone.
WORKER_ONLINE_SECONDS = 60
# A task that is due and waits longer has nobody to take it.
WAITING_SECONDS = 120
SCHEDULE_LATE = timedelta(minutes=3)
QUOTA_PERCENT = 80
MOST_OF_A_KIND = 20

START_WORKER = "celery -A config worker --queues critical,default,low"
START_BEAT = "celery -A config beat"
START_LISTENER = "python manage.py listen"
REINDEX = "python manage.py reindex_search"

WORKERS_SQL = """
SELECT (SELECT count(*) FROM system_workerpulse
        WHERE seen_at > now() - make_interval(secs => %(online)s::int)) AS online,
    (SELECT extract(epoch FROM now() - max(seen_at))::bigint FROM system_workerpulse) AS silent_seconds,
    count(*) AS waiting,
    coalesce(extract(epoch FROM now() - min(coalesce(not_before, created_at))), 0)::bigint AS oldest
FROM system_task WHERE state = 'pending' AND coalesce(not_before <= now(), true)
"""
REFUSED_SQL = """
SELECT t.name, r.reason ->> 'code' AS code, r.slot FROM django_celery_beat_periodictask t, LATERAL (
    SELECT * FROM syncjobs_scheduledrun WHERE schedule_id = t.id ORDER BY slot DESC LIMIT 1) AS r
WHERE t.task = 'syncjobs.run_schedule' AND t.enabled AND r.state = 'refused' ORDER BY r.slot DESC LIMIT 20
"""


class Alert(TypedDict):
    """`level` error: something stands still; warning: it will, or waits for somebody."""

    code: str
    level: str
    message: str
    next_step: str
    context: dict[str, Any]


def alerts() -> list[Alert]:
    """Everything that needs somebody, what stands still first; about a dozen queries, whatever the number of rows."""
    found = [
        *_workers(),
        *_beat(),
        *_authorizations(),
        *_quota(),
        *_held(),
        *_refused_schedules(),
        *_listeners(),
        *_search(),
    ]
    return sorted(found, key=lambda alert: alert["level"] != "error")


def _alert(code: str, message: str, next_step: str, *, level: str = "warning", **context: Any) -> Alert:
    return {"code": code, "level": level, "message": message, "next_step": next_step, "context": context}


def _workers() -> Iterator[Alert]:
    row = sql.one(WORKERS_SQL, {"online": WORKER_ONLINE_SECONDS}) or {}
    context = {"waiting": row["waiting"], "oldest_seconds": row["oldest"], "silent_seconds": row["silent_seconds"]}
    if not row["online"]:
        message = _("No worker is alive; {count} tasks wait.").format(count=row["waiting"])
        next_step = _("Start one: {command}").format(command=START_WORKER)
        yield _alert("no_worker", message, next_step, level="error", **context)
    elif row["oldest"] > WAITING_SECONDS:
        message = _("Workers are alive, but a task has waited for {seconds} s.").format(seconds=row["oldest"])
        next_step = _("Start more workers, and look whether each queue has one: {command}").format(command=START_WORKER)
        yield _alert("queue_waits", message, next_step, **context)


def _beat() -> Iterator[Alert]:
    late = ScheduleClock.objects.filter(next_slot__lt=timezone.now() - SCHEDULE_LATE).count()
    if late:
        message = _("{count} schedules are late: nobody rings them.").format(count=late)
        next_step = _("Start beat, and a worker: {command}").format(command=START_BEAT)
        yield _alert("schedules_late", message, next_step, level="error", count=late)


def _authorizations() -> Iterator[Alert]:
    now, first = timezone.now(), knobs.authorization_warn_days()[-1]
    ending = Source.objects.filter(is_enabled=True, refresh_expires_at__lte=now + timedelta(days=first))
    again = _("Authorise the app again with the 1688 account and store the new tokens in the source.")
    for source in ending.order_by("refresh_expires_at")[:MOST_OF_A_KIND]:
        if source.refresh_expires_at is None:
            continue
        context: dict[str, Any] = {"source": source.name, "ends_at": source.refresh_expires_at}
        if source.refresh_expires_at <= now:
            message = _("The authorisation of source {name} has ended.").format(name=source.name)
            yield _alert("authorization_ended", message, again, level="error", **context)
        else:
            days = (source.refresh_expires_at - now).days
            message = _("The authorisation of source {name} ends in {days} days.").format(name=source.name, days=days)
            yield _alert("authorization_ending", message, again, **context, days_left=days)


def _quota() -> Iterator[Alert]:
    for view in quota_views():
        name, percent = view["app_key"] or view["sources"][0], view["used_percent"]
        context = {name: view[name] for name in ("app_key", "sources", "used_today", "limit", "left", "resets_at")}
        if view["used_up_at"]:
            message = _("The platform says that the calls of {name} are used up.").format(name=name)
            step = _("Wait for midnight in China, or buy more calls; held jobs go on by themselves then.")
            yield _alert("quota_used_up", message, step, level="error", **context)
        elif percent is not None and percent >= QUOTA_PERCENT:
            message = _("{percent} percent of today's calls of {name} are used.").format(percent=percent, name=name)
            yield _alert("quota_nearly_used", message, _("Start only what is urgent today."), **context)
        elif view["fits"] is False:
            message = _("What is left of today's calls of {name} is not enough for the running jobs.").format(name=name)
            yield _alert("quota_short", message, _("They are held then, and go on after midnight."), **context)


def _held() -> Iterator[Alert]:
    held: Iterable[SyncJob] = SyncJob.objects.filter(state=SyncJob.State.HELD).order_by("-id")[:MOST_OF_A_KIND]
    for job in held:
        error = job.error or {}
        context = {"task_id": job.task_id, "reason": error.get("code", "")}
        if until := error.get("until"):
            message = _("Sync {task_id} waits for its calls.").format(task_id=job.task_id)
            yield _alert("job_held", message, _("It goes on by itself at {moment}.").format(moment=until), **context)
        else:
            message = _("Sync {task_id} waits for a decision.").format(task_id=job.task_id)
            next_step = _("Look at what it would delist, then approve it, or start it anew: sync/jobs/{task_id}")
            yield _alert("job_held", message, next_step.format(task_id=job.task_id), **context)


def _refused_schedules() -> Iterator[Alert]:
    for row in sql.rows(REFUSED_SQL):
        message = _("The last slot of schedule {name} was refused.").format(name=row["name"])
        next_step = _("Look at its reason ({code}): its source may be switched off or gone.").format(code=row["code"])
        context = {"schedule": row["name"], "reason": row["code"], "slot": row["slot"]}
        yield _alert("schedule_refused", message, next_step, **context)


def _listeners() -> Iterator[Alert]:
    seen_after = timezone.now() - timedelta(seconds=LISTENER_ONLINE_SECONDS)
    known = MessageListener.objects.select_related("source").filter(source__is_enabled=True)
    down = known.exclude(connected_at__isnull=False, seen_at__gt=seen_after)
    for listener in down[:MOST_OF_A_KIND]:
        name = listener.source.name
        message = _("Nobody listens to the change messages of source {name}.").format(name=name)
        next_step = _("Start the listener: {command}").format(command=START_LISTENER)
        yield _alert("listener_down", message, next_step, source=name, reason=listener.error)


def _search() -> Iterator[Alert]:
    percent = rebuilt_percent()
    if percent is not None:
        message = _("Search does not find everything yet: {percent} percent of its index are rebuilt.")
        next_step = _("A task on the queue low goes on with it. To do it at once: {command}").format(command=REINDEX)
        yield _alert("search_rebuilding", message.format(percent=percent), next_step, percent=percent)
