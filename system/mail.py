"""E-mail through one SMTP server: accepted as a row and a task, sent by a worker, tried again while that makes sense.

SMTP cannot promise "exactly once": a connection may break between the server's acceptance and its word. So each task
has one Message-ID for all its attempts, by which mailboxes know a second copy, and who was accepted is written down
before the task ends.
"""

import smtplib
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

from django.conf import settings
from django.core.mail import EmailMessage
from django.core.mail.backends.smtp import EmailBackend
from django.db import transaction
from django.utils import timezone

from system import audit, queue
from system.errors import ApplicationError, ErrorCode
from system.models import Email, Task
from system.queue import RetryLater, TaskContext, TaskFailed

EMAIL_KIND = "system.email"
# Somebody has to set up a mail server first; asking again sooner is of no use.
SETUP_SECONDS = 3600
# Five attempts in twenty minutes; a longer outage is for an operator's retry.
BACKOFF = (10, 60, 300, 900)
# Longer than a slow server's whole conversation; so long a letter waits when its worker's machine is lost.
SEND_SECONDS = 150
PERMANENT = 500

# What a server said to each recipient: reply code and text.
Replies = Mapping[str, tuple[int, bytes]]


def submit_email(*, to: str, subject: str, body: str, cc: Sequence[str] = (), priority: str = "default") -> Task:
    """Keep a letter and enqueue its delivery (seed 003, FR-006).

    Raises:
        ApplicationError: no mail server is set up (503).
    """
    if not settings.EMAIL_HOST:
        raise ApplicationError(ErrorCode.EMAIL_NOT_CONFIGURED, headers={"Retry-After": str(SETUP_SECONDS)})
    with transaction.atomic():
        email = Email.objects.create(
            to=to, cc=list(cc), subject=subject, body=body, waiting=list(dict.fromkeys([to, *cc]))
        )
        audit.record("email.send", "email", email.pk, after={"to": to, "cc": list(cc), "subject": subject})
        return queue.enqueue(EMAIL_KIND, {"email_id": email.pk}, queue=priority)


def send_email(payload: dict[str, Any], context: TaskContext) -> dict[str, Any]:
    """Handler of `system.email`: hand the letter to the server for those who wait for it.

    Raises:
        RetryLater: the server is away or said "not now" to somebody.
        TaskFailed: it refused for good, there is none any more, or the letter was cleaned up.
    """
    email = Email.objects.filter(pk=payload["email_id"]).first()
    if email is None:
        raise TaskFailed("email_gone", "the letter was cleaned up")
    context.heartbeat(SEND_SECONDS)
    if email.waiting:
        _deliver(email, context)
    return {"email_id": email.pk, "delivered": _delivered(email)}


def _delivered(email: Email) -> int:
    return len({email.to, *email.cc}) - len(email.refused) - len(email.waiting)


def _deliver(email: Email, context: TaskContext) -> None:
    nobody: set[str] = set()
    try:
        replies = _hand_over(email, context)
    except smtplib.SMTPRecipientsRefused as error:
        replies, nobody = error.recipients, set(email.waiting)
    for_good = {address: reply for address, reply in replies.items() if reply[0] >= PERMANENT}
    waiting = sorted(({*replies} | nobody) - {*for_good})
    _remember(email, waiting, for_good)
    if waiting:
        code, text = replies.get(waiting[0], (0, b""))
        raise RetryLater("smtp_not_now", f"{len(waiting)} recipients must wait: {code} {_text(text)}")
    if not _delivered(email):
        raise TaskFailed("smtp_refused", "; ".join(email.refused.values()))


def _hand_over(email: Email, context: TaskContext) -> Replies:
    """One conversation with the server; returns what it said to the recipients it did not accept.

    Raises:
        SMTPRecipientsRefused: it accepted nobody.
        RetryLater, TaskFailed: it did not take the letter at all.
    """
    if not settings.EMAIL_HOST:
        raise RetryLater("email_not_configured", "no mail server is set up")
    text = _wire_form(email, context)
    server = EmailBackend()
    try:
        server.open()
        # The framework's own sending forgets who was refused.
        connection: Any = server.connection
        replies: Replies = connection.sendmail(settings.DEFAULT_FROM_EMAIL, email.waiting, text)
    except smtplib.SMTPRecipientsRefused:
        raise
    except smtplib.SMTPResponseException as error:
        ending = TaskFailed if error.smtp_code >= PERMANENT else RetryLater
        raise ending("smtp_refused", f"{error.smtp_code} {_text(error.smtp_error)}") from error
    except smtplib.SMTPNotSupportedError as error:
        raise TaskFailed("smtp_unsupported", str(error)) from error
    except (smtplib.SMTPException, OSError) as error:
        raise RetryLater("smtp_unreachable", f"{type(error).__name__}: {error}") from error
    else:
        return replies
    finally:
        # The letter is accepted or not; how the goodbye goes changes nothing.
        with suppress(smtplib.SMTPException, OSError):
            server.close()


def _wire_form(email: Email, context: TaskContext) -> bytes:
    sender = settings.DEFAULT_FROM_EMAIL
    domain = sender.rpartition("@")[2].strip(">") or "localhost"
    message: Any = EmailMessage(
        email.subject,
        email.body,
        sender,
        [email.to],
        cc=email.cc,
        headers={"Message-ID": f"<{context.task_id}@{domain}>"},
    ).message()
    text: bytes = message.as_bytes(linesep="\r\n")
    return text


def _remember(email: Email, waiting: list[str], for_good: Replies) -> None:
    """Before anything else happens: who has the letter must not get it again."""
    email.waiting = waiting
    email.refused = email.refused | {address: f"{code} {_text(text)}" for address, (code, text) in for_good.items()}
    email.sent_at = None if waiting or not _delivered(email) else timezone.now()
    email.save(update_fields=["waiting", "refused", "sent_at"])


def _text(reply: bytes | str) -> str:
    text = reply.decode("utf-8", "replace") if isinstance(reply, bytes) else reply
    return text.replace("\0", "")[:200]
