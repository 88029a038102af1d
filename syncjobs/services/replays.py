"""Start a replay: a job that maps what sources answered before anew, and calls nobody."""

import hashlib
import re
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import msgspec
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from syncjobs.models import RawAnswer, Source, SyncJob
from syncjobs.services import jobs, scopes
from syncjobs.services.jobs import StartSync
from syncjobs.services.raw_answers import FRESH
from system import runtime
from system.errors import ApplicationError, ErrorCode

SPAN = re.compile(r"([1-9][0-9]{0,3})([hdw])", re.ASCII)
UNITS = {"h": "hours", "d": "days", "w": "weeks"}
NOTHING_KEPT = _("No answer of the source is kept that could be replayed")
TO_KEEP_MORE = _("Ask for more days or other products, see sync.raw_days, or start a sync instead.")
BEGINNING = datetime(1970, 1, 1, tzinfo=UTC)


class StartReplay(msgspec.Struct, frozen=True, kw_only=True):
    """What a replay asks for, the same from REST and command.

    `source` is a name; None takes the default source. `since`: only products the source showed after it; None takes
    all that is kept. `sku_list` as for a sync.
    """

    source: str | None = None
    since: datetime | None = None
    sku_list: Sequence[str] = ()
    dry_run: bool = False
    batch_size: int = msgspec.field(default_factory=lambda: runtime.integer("sync.batch_size_default"))
    max_workers: int = msgspec.field(default_factory=lambda: runtime.integer("sync.max_workers_default"))
    priority: str = "default"
    requested_by: str = ""


def span_of(text: str) -> timedelta | None:
    """How long "7d" or "12h" is; None for what is no span."""
    found = SPAN.fullmatch(text)
    return timedelta(**{UNITS[found[2]]: int(found[1])}) if found else None


def start_replay(request: StartReplay) -> SyncJob:
    """Create a running job over the kept answers; it is no walk: it delists nothing and moves no watermark.

    A source that is switched off can be replayed, since nobody calls it.

    Raises:
        ApplicationError: no such source, or nothing is kept that was asked for (422), bad offer id (400), or a replay
            of this source is already open (409, details name its task_id).
    """
    source = scopes.named_source(request.source)
    offers = scopes.offer_ids(request.sku_list)
    if not _is_kept(source, request.since, offers):
        details = {"source": source.name, "days": runtime.integer("sync.raw_days")}
        raise ApplicationError(ErrorCode.UNPROCESSABLE, NOTHING_KEPT, details=details, suggestion=TO_KEEP_MORE)
    scope = hashlib.sha256(b"replay").hexdigest()
    job = jobs.new_job(_as_sync(request), source, offers, scope)
    try:
        with transaction.atomic():
            jobs.create_job(job, (request.since or BEGINNING, timezone.now()))
    except IntegrityError as error:
        raise scopes.conflict(source, scope) from error
    return job


def _as_sync(request: StartReplay) -> StartSync:
    return StartSync(
        type=SyncJob.Type.INCREMENTAL,
        trigger=SyncJob.Trigger.REPLAY,
        batch_size=request.batch_size,
        max_workers=request.max_workers,
        priority=request.priority,
        requested_by=request.requested_by,
        dry_run=request.dry_run,
    )


def _is_kept(source: Source, since: datetime | None, offers: Sequence[str]) -> bool:
    kept = RawAnswer.objects.filter(source=source.name)
    if since:
        kept = kept.filter(seen_at__gte=since - FRESH)
    return (kept.filter(source_id__in=offers) if offers else kept).exists()
