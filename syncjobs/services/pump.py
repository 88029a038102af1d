"""The one place that sends deliveries: a thread beside a worker's tasks, one in all workers at a time.

Receivers may hang for as long as they like: they keep a thread waiting and none of the processes that sync. Deliveries
are rows; whoever sends one has its webhook for half a minute (`busy_until`), so that a receiver is called by one at a
time and a worker that dies costs a repetition. Whoever holds the advisory lock sends; when that worker is gone, the
lock is, and the next bell or sweep begins anew. A bell is a task and takes no time.
"""

import logging
import threading
import time
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import closing, contextmanager
from datetime import timedelta
from typing import Any

from django.db import DatabaseError, InterfaceError, connection, transaction
from django.utils import timezone

from syncjobs.connectors.http import HttpClient
from syncjobs.models import Webhook, WebhookDelivery
from syncjobs.services import following, webhook_ends
from syncjobs.services.outbound import outbound_client
from syncjobs.services.sending import Outcome, letter_of, send
from system import leaving, sql
from system.crypto import CannotDecrypt
from system.queue import TaskContext

logger = logging.getLogger(__name__)

LOCK = 0x1688_3E00
# Calls at the same time, each to another webhook.
IN_FLIGHT = 32
# Twice as long as the slowest call.
BUSY_SECONDS = 30
# How soon new deliveries are seen while others are under way, and changes of products by webhooks that wait for them.
LOOK_SECONDS = 0.25
FOLLOW_SECONDS = 5.0
# Seconds before each further attempt; the last comes about nine hours after the first.
DELAYS = (5, 30, 120, 600, 1800, 7200, 21_600)
# After a call that nobody answered other deliveries of the webhook wait too, but not longer than this.
LONGEST_REST = 120
# So many deliveries given up one after the other switch a webhook off.
DISABLE_AFTER = 5
ATTEMPTS_KEPT = 20

State = WebhookDelivery.State
NOTED = ("failures", "busy_until", "resting_until", *following.PLACE)

_DUE = """
    SELECT d.id FROM syncjobs_webhookdelivery d
    WHERE d.webhook_id = w.id AND d.state = 'pending' AND d.next_attempt_at <= now()
"""
_FREE = "w.is_enabled AND coalesce(w.busy_until <= now(), true) AND coalesce(w.resting_until <= now(), true)"
# A webhook's other events do not queue behind its product events.
_CLAIM = f"""
    UPDATE syncjobs_webhook SET busy_until = now() + make_interval(secs => %s::int) FROM (
        SELECT w.id, next.id AS delivery_id FROM syncjobs_webhook w CROSS JOIN LATERAL (
            {_DUE} ORDER BY (d.event = 'product.changes'), d.id LIMIT 1
        ) AS next
        WHERE {_FREE} ORDER BY w.busy_until NULLS FIRST, w.id LIMIT %s::int FOR UPDATE OF w SKIP LOCKED
    ) AS free
    WHERE syncjobs_webhook.id = free.id RETURNING free.delivery_id
"""  # noqa: S608 - constants only
_ANY_DUE = f"SELECT EXISTS (SELECT FROM syncjobs_webhook w WHERE {_FREE} AND EXISTS ({_DUE}))"  # noqa: S608 - constants

Flying = dict["Future[Outcome]", WebhookDelivery]


def deliver(_payload: dict[str, Any], _context: TaskContext) -> None:
    """Handler of `webhook.deliver`, the bell: let a thread of this process send, and make room for other tasks."""
    begin()


def begin_if_due() -> None:
    """Send what is due, and what webhooks have to be told of products, if there is any; the sweeper calls it."""
    if _is_due() or following.followers():
        begin()


def begin() -> None:
    """Let a thread of this process send, unless another does; returns at once."""
    threading.Thread(target=_send_beside, name="webhooks", daemon=True).start()


def pump() -> int:
    """Send what is due until nothing is, unless somebody else does; returns the number of attempts."""
    attempts = 0
    while True:
        with _lead() as leads:
            if not leads:
                return attempts
            attempts += _send_due()
        # Who rang while the lock was still held has left it to us.
        if leaving.told() or not _is_due():
            return attempts


def _send_beside() -> None:
    try:
        pump()
    except (DatabaseError, InterfaceError) as error:
        logger.warning("deliveries wait for the sweeper: %s", error)
    except Exception:
        logger.exception("deliveries wait for the sweeper")
    finally:
        connection.close()


@contextmanager
def _lead() -> Iterator[bool]:
    """Whether we send; until the block ends nobody else does."""
    row = sql.fetch_one("SELECT pg_try_advisory_lock(%s::bigint)", [LOCK])
    leads = bool(row and row[0])
    try:
        yield leads
    finally:
        if leads:
            sql.fetch_one("SELECT pg_advisory_unlock(%s::bigint)", [LOCK])


def _is_due() -> bool:
    row = sql.fetch_one(_ANY_DUE)
    return bool(row and row[0])


def _send_due() -> int:
    attempts, follow_at = 0, 0.0
    flying: Flying = {}
    with closing(outbound_client()) as client, ThreadPoolExecutor(IN_FLIGHT) as senders:
        while True:
            if time.monotonic() >= follow_at:
                _follow()
                follow_at = time.monotonic() + FOLLOW_SECONDS
            claimed = _claim(IN_FLIGHT - len(flying))
            for delivery in claimed:
                flying[_sent(delivery, client, senders)] = delivery
            if not flying:
                return attempts
            attempts += len(claimed)
            _land(flying)


def _follow() -> None:
    for webhook_id in following.followers():
        following.write_next(webhook_id)


def _claim(limit: int) -> list[WebhookDelivery]:
    """The next delivery of each webhook that is free."""
    is_over = limit == 0 or leaving.told()
    ids = [] if is_over else [row[0] for row in sql.fetch_all(_CLAIM, [BUSY_SECONDS, limit])]
    return list(WebhookDelivery.objects.select_related("webhook").filter(pk__in=ids))


def _sent(delivery: WebhookDelivery, client: HttpClient, senders: ThreadPoolExecutor) -> "Future[Outcome]":
    """The outcome of an attempt that is under way, or that is refused before it began."""
    refused: Future[Outcome] = Future()
    if not webhook_ends.may_be_told(delivery.webhook):
        refused.set_result(Outcome(error=Webhook.Disabled.OWNER_MAY_NOT.value, hopeless=True))
        return refused
    try:
        return senders.submit(send, client, letter_of(delivery, timezone.now()))
    except CannotDecrypt:
        refused.set_result(Outcome(error="secret_unreadable", hopeless=True))
        return refused


def _land(flying: Flying) -> None:
    """Note the attempts that have ended by now, and write what may follow them."""
    done, _ = wait(flying, LOOK_SECONDS, FIRST_COMPLETED)
    for future in done:
        delivery = flying.pop(future)
        if _note(delivery, future.result()) and delivery.event == WebhookDelivery.CHANGES:
            following.write_next(delivery.webhook_id)


def _note(sent: WebhookDelivery, outcome: Outcome) -> bool:
    """Record an attempt and decide what follows, in one transaction; returns whether the delivery has ended.

    A redelivery, or a webhook that was switched off meanwhile, makes the outcome meaningless.
    """
    with transaction.atomic():
        # The webhook first, as everybody does who locks both.
        webhook = Webhook.objects.select_for_update().filter(pk=sent.webhook_id).first()
        waiting = WebhookDelivery.objects.select_for_update().filter(pk=sent.pk, state=State.PENDING)
        delivery = waiting.filter(round=sent.round, tries=sent.tries).first()
        if webhook is None:
            return False
        webhook.busy_until = None
        if delivery:
            _record(delivery, outcome)
            _weigh(webhook, delivery, outcome)
        webhook.save(update_fields=NOTED)
        return delivery is not None and delivery.state != State.PENDING


def _record(delivery: WebhookDelivery, outcome: Outcome) -> None:
    now = timezone.now()
    attempt = {
        "at": now.isoformat(),
        "status": outcome.status,
        "error": outcome.error or None,
        "excerpt": outcome.excerpt,
        "milliseconds": outcome.milliseconds,
    }
    delivery.attempts = [*delivery.attempts, attempt][-ATTEMPTS_KEPT:]
    delivery.tries, delivery.response_status = delivery.tries + 1, outcome.status
    again = not (outcome.heard or outcome.hopeless) and delivery.tries <= len(DELAYS)
    delivery.next_attempt_at = now + timedelta(seconds=DELAYS[delivery.tries - 1]) if again else None
    if not again:
        delivery.state, delivery.finished_at = (State.SUCCEEDED if outcome.heard else State.DEAD), now
    delivery.save()


def _weigh(webhook: Webhook, delivery: WebhookDelivery, outcome: Outcome) -> None:
    """What an attempt means for the webhook: it rests, goes on, is forgiven, or is switched off."""
    rest = timedelta(seconds=min(DELAYS[min(delivery.tries, len(DELAYS)) - 1], LONGEST_REST))
    webhook.resting_until = timezone.now() + rest if outcome.silent else None
    if delivery.state == State.PENDING:
        return
    webhook.failures = 0 if outcome.heard else webhook.failures + 1
    following.ended(webhook, delivery, heard=outcome.heard)
    reason = _reason(webhook, outcome)
    if reason and webhook.is_enabled:
        webhook_ends.switch_off(webhook, reason)


def _reason(webhook: Webhook, outcome: Outcome) -> Webhook.Disabled | None:
    """Why a webhook is to be switched off now."""
    if outcome.status == 410:
        return Webhook.Disabled.GONE
    if outcome.error == Webhook.Disabled.OWNER_MAY_NOT.value:
        return Webhook.Disabled.OWNER_MAY_NOT
    return Webhook.Disabled.TOO_MANY_FAILURES if webhook.failures >= DISABLE_AFTER else None
