"""What change messages lead to: stocks that are stored as told, and jobs that fetch the products they name.

Messages come late, twice and out of order. So a product is always fetched again; only absolute stocks are taken at
their word, and only where they are newer than what is known.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

import msgspec
from django.db import transaction
from django.utils import timezone

from products import catalog
from products.records import StockHint
from syncjobs.connectors.alibaba1688.messages import MOST_OFFERS
from syncjobs.models import ChangeMessage, Source, SyncJob, Watermark
from syncjobs.services.jobs import StartSync, start_sync
from syncjobs.services.messages import ring_fetch
from syncjobs.services.scopes import scope_digest
from system import sql
from system.errors import ApplicationError, ErrorCode
from system.models import Task
from system.queue import TaskContext

# One job of a source and lane at a time: the next takes what came in meanwhile.
RETRY_SECONDS = 10
# Messages one job may answer, and how many are read at once.
MOST_MESSAGES, CHUNK = 20_000, 500
# Messages are a side stream: they never take all of a source's workers.
MAX_WORKERS = 2

# Whoever works on one of them has it locked; it waits for the next task.
WAITING_SQL = """
SELECT id, offer_ids FROM syncjobs_changemessage
WHERE source_id = %s AND handled_at IS NULL AND is_hint = %s AND id > %s
ORDER BY id LIMIT %s::int FOR UPDATE SKIP LOCKED
"""
HANDLED_SQL = "UPDATE syncjobs_changemessage SET handled_at = %s, task_id = %s WHERE id = ANY(%s)"
# Their products are in the job anyway.
COVERED_SQL = """
UPDATE syncjobs_changemessage SET handled_at = %s, task_id = %s WHERE id IN (
    SELECT id FROM syncjobs_changemessage
    WHERE source_id = %s AND handled_at IS NULL AND is_hint AND offer_ids <@ %s::varchar[] FOR UPDATE SKIP LOCKED)
"""


class _Announced(msgspec.Struct):
    """Waiting messages, as many as fit into one job, and the products they name, each once."""

    ids: list[int] = []
    offers: dict[str, None] = {}


def fetch_announced(payload: dict[str, Any], _context: TaskContext) -> dict[str, object]:
    """Handler of `sync.messages`: start one job over the products of all waiting messages of a source.

    The job and the messages it answers commit together. A job of messages that is still at work, one that rests until
    the quota is back, or a source that cannot start one now leaves the messages waiting.
    """
    hints = bool(payload.get("hints"))
    source = Source.objects.filter(pk=payload["source_id"], is_enabled=True).first()
    with transaction.atomic():
        if source and _is_busy(source, hints=hints):
            ring_fetch(source.pk, RETRY_SECONDS, hints=hints)
            return {"messages": 0, "refused": ErrorCode.SYNC_ALREADY_RUNNING.value}
        found = _waiting(payload["source_id"], hints=hints)
        if not found.ids or source is None:
            _handled(found, "")
            return {"messages": len(found.ids)}
        try:
            job = start_sync(_request(source, tuple(found.offers), hints=hints))
        except ApplicationError as refusal:
            ring_fetch(source.pk, RETRY_SECONDS, hints=hints)
            return {"messages": 0, "refused": refusal.code.value}
        _handled(found, job.task_id)
        if not hints:
            sql.execute(COVERED_SQL, [timezone.now(), job.task_id, source.pk, list(found.offers)])
        _fetch_the_rest(source.pk, hints=hints)
    return {"messages": len(found.ids), "task_id": job.task_id}


def _is_busy(source: Source, *, hints: bool) -> bool:
    jobs = SyncJob.objects.filter(source=source, trigger=SyncJob.Trigger.MESSAGE)
    if jobs.filter(state__in=SyncJob.OPEN_STATES, priority=_priority(hints=hints)).exists():
        return True
    held = jobs.filter(state=SyncJob.State.HELD).order_by("-id").values_list("error", flat=True).first()
    until: str = (held or {}).get("until") or ""
    return bool(until) and datetime.fromisoformat(until) > timezone.now()


def _priority(*, hints: bool) -> str:
    return Task.Queue.LOW if hints else Task.Queue.DEFAULT


def _waiting(source_id: int, *, hints: bool) -> _Announced:
    """The oldest waiting messages, locked. A product that a hundred of them name is one product."""
    found, last = _Announced(), 0
    while len(found.ids) < MOST_MESSAGES:
        rows = sql.rows(WAITING_SQL, [source_id, hints, last, CHUNK])
        for row in rows:
            offers = dict.fromkeys(row["offer_ids"])
            if found.ids and len(found.offers | offers) > MOST_OFFERS:
                return found
            found.ids.append(row["id"])
            found.offers |= offers
        if len(rows) < CHUNK:
            break
        last = rows[-1]["id"]
    return found


def _handled(found: _Announced, task_id: str) -> None:
    sql.execute(HANDLED_SQL, [timezone.now(), task_id, found.ids])


def _fetch_the_rest(source_id: int, *, hints: bool) -> None:
    if ChangeMessage.objects.filter(source_id=source_id, handled_at__isnull=True, is_hint=hints).exists():
        ring_fetch(source_id, RETRY_SECONDS, hints=hints)


def _request(source: Source, offers: tuple[str, ...], *, hints: bool) -> StartSync:
    return StartSync(
        type=SyncJob.Type.INCREMENTAL,
        source=source.name,
        sku_list=offers,
        priority=_priority(hints=hints),
        max_workers=MAX_WORKERS,
        trigger=SyncJob.Trigger.MESSAGE,
        requested_by="1688",
    )


def apply_stock(payload: dict[str, Any], context: TaskContext) -> dict[str, int]:
    """Handler of `sync.stock`: store the absolute stocks of waiting messages, some hundred messages a transaction.

    A message and what it changed commit together; done twice it changes nothing, because it is not newer any more.
    """
    source = Source.objects.filter(pk=payload["source_id"]).first()
    done = changed = 0
    for messages, products in _applied_in_chunks(source, payload["source_id"]):
        done, changed = done + messages, changed + products
        context.check()
    return {"messages": done, "products": changed}


def _applied_in_chunks(source: Source | None, source_id: int) -> Iterator[tuple[int, int]]:
    """(messages, products changed) of each transaction."""
    taken = CHUNK
    while taken == CHUNK:
        with transaction.atomic():
            rows = ChangeMessage.objects.select_for_update(skip_locked=True).order_by("id")
            waiting = list(rows.filter(source_id=source_id, applied_at__isnull=True)[:CHUNK])
            hints = [_hint(line) for message in waiting for line in message.stock]
            is_on = source is not None and source.is_enabled
            changed = catalog.apply_stock(source.name, hints, _covered_until(source)) if source and is_on else 0
            ids = [message.pk for message in waiting]
            ChangeMessage.objects.filter(pk__in=ids).update(applied_at=timezone.now())
        taken = len(waiting)
        yield taken, changed


def _hint(line: list[Any]) -> StockHint:
    offer, sku_id, stock, at = line
    return StockHint(source_id=offer, sku_id=sku_id, stock=stock, at=datetime.fromisoformat(at))


def _covered_until(source: Source) -> datetime | None:
    """Up to when a whole walk has stored everything."""
    marks = Watermark.objects.filter(source=source.name, scope=scope_digest(None, ()))
    return marks.values_list("value", flat=True).first()
