"""Will today's calls be enough? Told when a job starts, by its last run, and again once it is planned."""

from datetime import UTC
from typing import Any, Literal

import msgspec
from django.utils import timezone

from syncjobs.connectors.alibaba1688.dates import next_china_midnight
from syncjobs.engine.errors import RetryableSourceError
from syncjobs.models import Source, SyncJob
from syncjobs.services import announce
from syncjobs.services.gates import call_gate, pace_of

Basis = Literal["last_run", "plan"]
SHORT = "the calls that are left today will not be enough"
ENDED_WELL = (SyncJob.State.SUCCEEDED, SyncJob.State.PARTIAL)


class Forecast(msgspec.Struct, frozen=True, kw_only=True):
    """What a job needs of its app key's calls. `calls` and `left` are None while nobody knows, `fits` with them.

    `left`: what such a job may still call today, `limit` of how many; critical jobs have the reserve as well.
    """

    calls: int | None
    basis: Basis
    left: int | None
    limit: int | None
    resets_at: str
    fits: bool | None


def before_plan(job: SyncJob) -> dict[str, Any] | None:
    """What the last run of the same source, scope and type suggests; None where there was none and nothing is limited.

    Asks the source nothing.
    """
    last = SyncJob.objects.filter(source=job.source, scope=job.scope, type=job.type, state__in=ENDED_WELL)
    calls = last.order_by("-id").values_list("calls", flat=True).first()
    if calls is None and job.source.daily_call_limit is None:
        return None
    return forecast(job, calls, "last_run")


def forecast(job: SyncJob, calls: int | None, basis: Basis) -> dict[str, Any]:
    """What a job of so many calls means today, as JSON values."""
    limit, left = left_today(job.source, job.priority)
    fits = None if calls is None or left is None else calls <= left
    resets_at = next_china_midnight(timezone.now()).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    found = Forecast(calls=calls, basis=basis, left=left, limit=limit, resets_at=resets_at, fits=fits)
    document: dict[str, Any] = msgspec.to_builtins(found)
    return document


def left_today(source: Source, priority: str) -> tuple[int | None, int | None]:
    """How many calls a job of this priority may make on a day, and how many are left; None where nothing is limited.

    Also None left while nobody can count.
    """
    pace = pace_of(source)
    limit = pace.daily_limit if priority == "critical" or pace.hold_at is None else pace.hold_at
    if limit is None:
        return None, None
    try:
        return limit, max(0, limit - call_gate(source).used_today())
    except RetryableSourceError:
        return limit, None


def warn_if_short(job_id: int, found: dict[str, Any] | None) -> None:
    """Say in the job's log that it will not end today; it starts nevertheless, and is held when the calls are used."""
    is_short = found is not None and (found["fits"] is False or found["left"] == 0)
    if found and is_short:
        context = {name: found[name] for name in ("calls", "left", "resets_at")}
        announce.log(job_id, SHORT, level="warning", context=context)
