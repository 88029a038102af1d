"""Change messages of a source, whatever channel brings them: kept once each, and the work they cause is enqueued."""

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import msgspec
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from syncjobs.connectors.alibaba1688.messages import PushedMessage, is_signed, read_message
from syncjobs.connectors.alibaba1688.signing import SIGNATURE
from syncjobs.models import ChangeMessage, Source
from syncjobs.services.sources import app_secret
from system import sql
from system.errors import ApplicationError, ErrorCode
from system.models import Task
from system.queue import enqueue

FETCH_KIND = "sync.messages"
STOCK_KIND = "sync.stock"
# Messages come in bursts; those of a moment are worked on together.
GATHER_SECONDS = 2
# What is stored by hint is looked at later, for a product that sells has many hints.
HINTS_GATHER_SECONDS = 60
# Stands in for the secret of a source that is not there, so that its refusal looks and lasts the same.
NO_SECRET = "0" * 32

KEEP_SQL = """
INSERT INTO syncjobs_changemessage
    (source_id, msg_id, type, channel, offer_ids, stock, is_hint, task_id, born_at, created_at, applied_at, handled_at)
SELECT source_id, msg_id, type, channel, offer_ids, stock, is_hint, '', born_at, created_at, applied_at, handled_at
FROM json_populate_recordset(NULL::syncjobs_changemessage, %s::json)
ON CONFLICT (source_id, msg_id) DO NOTHING
RETURNING handled_at IS NULL AS waits, is_hint, applied_at IS NULL AS has_stock
"""


def receive(source_name: str, form: Mapping[str, str]) -> bool:
    """Take a pushed message; returns whether it is new. The message and the task it causes commit together.

    A message of a source that is switched off is taken and left alone: refused, it would come again for days.

    Raises:
        ApplicationError: without a signature (400), signed by somebody else or for no source of ours (403, always the
            same), signed but no message (400).
    """
    if SIGNATURE not in form:
        raise ApplicationError(ErrorCode.INVALID_PARAMETER, details={SIGNATURE: [_("This field is required.")]})
    source = Source.objects.filter(name=source_name, kind=Source.Kind.ALIBABA1688).first()
    secret = app_secret(source) if source else ""
    signed = is_signed(form, secret or NO_SECRET)
    if source is None or not secret or not signed:
        raise ApplicationError(ErrorCode.CALLBACK_REFUSED)
    try:
        message = read_message(form)
    except ValueError as error:
        raise ApplicationError(ErrorCode.INVALID_PARAMETER, details={"message": [str(error)]}) from error
    return bool(keep(source, [message], ChangeMessage.Channel.CALLBACK))


def keep(source: Source, messages: Sequence[PushedMessage], channel: str) -> int:
    """Store messages that are not known yet, with the tasks they cause, in one transaction; returns how many were new.

    The number of a message is the same in all channels, so one that came by two of them is one.
    """
    rows = [_row(source, message, channel) for message in _once(messages)]
    if not rows:
        return 0
    with transaction.atomic():
        kept = sql.rows(KEEP_SQL, [msgspec.json.encode(rows).decode()])
        _ring_for(source.pk, kept)
    return len(kept)


def _once(messages: Sequence[PushedMessage]) -> Collection[PushedMessage]:
    """One a number, in the order of the numbers: whoever else stores some of them waits behind us, not in a circle."""
    return [message for _, message in sorted({message.msg_id: message for message in messages}.items())]


def _row(source: Source, message: PushedMessage, channel: str) -> dict[str, Any]:
    now = timezone.now()
    needs_work = source.is_enabled and bool(message.offer_ids)
    return {
        "source_id": source.pk,
        "msg_id": message.msg_id,
        "type": message.type,
        "channel": channel,
        "offer_ids": message.offer_ids,
        "stock": [[hint.source_id, hint.sku_id, hint.stock, hint.at] for hint in message.stock],
        "is_hint": message.only_hints,
        "born_at": message.born_at,
        "created_at": now,
        "applied_at": None if needs_work and message.stock else now,
        "handled_at": None if needs_work else now,
    }


def _ring_for(source_id: int, kept: Sequence[Mapping[str, Any]]) -> None:
    if any(row["waits"] and not row["is_hint"] for row in kept):
        ring_fetch(source_id, GATHER_SECONDS)
    if any(row["has_stock"] for row in kept):
        _ring(STOCK_KIND, {"source_id": source_id}, Task.Queue.DEFAULT, GATHER_SECONDS)
    if any(row["waits"] and row["is_hint"] for row in kept):
        ring_fetch(source_id, HINTS_GATHER_SECONDS, hints=True)


def ring_fetch(source_id: int, delay_seconds: float, *, hints: bool = False) -> None:
    """Have the products of waiting messages fetched; those of mere stock hints at low priority.

    One waiting task is enough; one that began a moment too early is made good by `ring_waiting`.
    """
    payload = {"source_id": source_id, "hints": True} if hints else {"source_id": source_id}
    _ring(FETCH_KIND, payload, Task.Queue.LOW if hints else Task.Queue.DEFAULT, delay_seconds)


def _ring(kind: str, payload: dict[str, Any], queue: str, delay_seconds: float) -> None:
    if not Task.objects.filter(kind=kind, state=Task.State.PENDING, payload=payload).exists():
        enqueue(kind, payload, queue=queue, delay_seconds=delay_seconds)


def ring_waiting() -> None:
    """Ring for messages whose task is gone; the sweeper calls it."""
    open_tasks = Task.objects.filter(kind__in=(FETCH_KIND, STOCK_KIND), state=Task.State.RUNNING)
    running = [(task.kind, task.payload) for task in open_tasks]
    waiting = ChangeMessage.objects.filter(handled_at__isnull=True).order_by()
    for source_id, is_hint in waiting.values_list("source_id", "is_hint").distinct():
        payload = {"source_id": source_id, **({"hints": True} if is_hint else {})}
        if (FETCH_KIND, payload) not in running:
            with transaction.atomic():
                ring_fetch(source_id, 0, hints=is_hint)
    unapplied = ChangeMessage.objects.filter(applied_at__isnull=True).order_by()
    for source_id in unapplied.values_list("source_id", flat=True).distinct():
        if (STOCK_KIND, {"source_id": source_id}) not in running:
            with transaction.atomic():
                _ring(STOCK_KIND, {"source_id": source_id}, Task.Queue.DEFAULT, 0)
