"""Change messages that a source pushes: kept once each, then the products they name are fetched again."""

from collections.abc import Mapping

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from syncjobs.connectors.alibaba1688.messages import MOST_OFFERS, PushedMessage, is_signed, read_message
from syncjobs.connectors.alibaba1688.signing import SIGNATURE
from syncjobs.models import ChangeMessage, Source, SyncJob
from syncjobs.services.jobs import StartSync, start_sync
from syncjobs.services.sources import app_secret
from system import sql
from system.errors import ApplicationError, ErrorCode
from system.models import Task
from system.queue import TaskContext, enqueue

FETCH_KIND = "sync.messages"
# Messages come in bursts; those of a moment are fetched together.
GATHER_SECONDS = 2
# A job that is fetching the same products must end first.
RETRY_SECONDS = 30
MESSAGES_AT_ONCE = 1000
# Stands in for the secret of a source that is not there, so that its refusal looks and lasts the same.
NO_SECRET = "0" * 32


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
    return _keep(source, message)


def _keep(source: Source, message: PushedMessage) -> bool:
    now = timezone.now()
    needs_work = source.is_enabled and bool(message.offer_ids)
    with transaction.atomic():
        kept = sql.one(
            "INSERT INTO syncjobs_changemessage"
            " (source_id, msg_id, type, offer_ids, task_id, born_at, created_at, handled_at)"
            " VALUES (%s, %s, %s, %s::varchar[], '', %s, %s, %s)"
            " ON CONFLICT (source_id, msg_id) DO NOTHING RETURNING id",
            [
                source.pk,
                message.msg_id,
                message.type,
                list(message.offer_ids),
                message.born_at,
                now,
                None if needs_work else now,
            ],
        )
        if kept and needs_work:
            _ring(source.pk, GATHER_SECONDS)
    return kept is not None


def _ring(source_id: int, delay_seconds: float) -> None:
    """One waiting task a source is enough; one that began a moment too early is made good by `ring_waiting`."""
    waiting = Task.objects.filter(kind=FETCH_KIND, state=Task.State.PENDING, payload__source_id=source_id)
    if not waiting.exists():
        enqueue(FETCH_KIND, {"source_id": source_id}, delay_seconds=delay_seconds)


def ring_waiting() -> None:
    """Ring for messages whose task is gone; the sweeper calls it."""
    waiting = ChangeMessage.objects.filter(handled_at__isnull=True).order_by().values_list("source_id", flat=True)
    for source_id in waiting.distinct():
        running = Task.objects.filter(kind=FETCH_KIND, state=Task.State.RUNNING, payload__source_id=source_id)
        if not running.exists():
            with transaction.atomic():
                _ring(source_id, 0)


def fetch_announced(payload: dict[str, int], _context: TaskContext) -> dict[str, object]:
    """Handler of `sync.messages`: start one job over the products of all waiting messages of a source.

    The job and the messages it answers commit together. A job of the same products that is still at work, or a source
    that cannot start one now, leaves the messages waiting.
    """
    source = Source.objects.filter(pk=payload["source_id"], is_enabled=True).first()
    with transaction.atomic():
        messages = _waiting(payload["source_id"])
        offers = tuple(dict.fromkeys(offer for message in messages for offer in message.offer_ids))
        if not messages or source is None:
            _handled(messages, "")
            return {"messages": len(messages)}
        try:
            job = start_sync(_request(source, offers))
        except ApplicationError as refusal:
            enqueue(FETCH_KIND, payload, delay_seconds=RETRY_SECONDS)
            return {"messages": 0, "refused": refusal.code.value}
        _handled(messages, job.task_id)
    return {"messages": len(messages), "task_id": job.task_id}


def _waiting(source_id: int) -> list[ChangeMessage]:
    """The oldest waiting messages, locked, as many as fit into one job."""
    rows = ChangeMessage.objects.select_for_update(skip_locked=True)
    found: list[ChangeMessage] = []
    offers: set[str] = set()
    for message in rows.filter(source_id=source_id, handled_at__isnull=True).order_by("id")[:MESSAGES_AT_ONCE]:
        offers |= set(message.offer_ids)
        if len(offers) > MOST_OFFERS:
            break
        found.append(message)
    return found


def _handled(messages: list[ChangeMessage], task_id: str) -> None:
    ids = [message.pk for message in messages]
    ChangeMessage.objects.filter(pk__in=ids).update(handled_at=timezone.now(), task_id=task_id)


def _request(source: Source, offers: tuple[str, ...]) -> StartSync:
    return StartSync(
        type=SyncJob.Type.INCREMENTAL,
        source=source.name,
        sku_list=offers,
        trigger=SyncJob.Trigger.MESSAGE,
        requested_by="1688",
    )
