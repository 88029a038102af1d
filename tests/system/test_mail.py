"""Letters through a real SMTP conversation: once, or again later, or not at all and said so."""

import pytest
from pytest_django import Settings

from system import queue
from system.errors import ApplicationError, ErrorCode
from system.mail import BACKOFF, submit_email
from system.models import Email, Task
from system.services.tasks import cancel_task
from tests.system.conftest import due_now, fresh
from tests.system.smtp import HANG_UP, SmtpSink

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("bells")]

TO, COPY = "user@example.com", "manager@example.com"


def submit(cc: tuple[str, ...] = ()) -> Task:
    """A letter in Chinese."""
    return submit_email(to=TO, subject="欢迎 👋", body="谢谢注册！\n.\n再见", cc=cc)


def attempt(task: Task) -> Task:
    """One more attempt, its time come."""
    due_now()
    queue.run(task.pk)
    return fresh(task)


def test_a_letter_arrives_as_it_was_written(mail: SmtpSink) -> None:
    task = attempt(submit((COPY, TO)))
    [letter] = mail.letters
    assert letter.recipients == [TO, COPY]
    assert (letter.content["Subject"], letter.content["To"], letter.content["Cc"]) == ("欢迎 👋", TO, f"{COPY}, {TO}")
    assert letter.content["From"] == "1688sync <sync@shop.example>"
    assert letter.content["Message-ID"] == f"<{task.pk}@shop.example>"
    assert letter.content.get_content().splitlines() == ["谢谢注册！", ".", "再见"]
    assert (task.state, task.result) == ("succeeded", {"email_id": Email.objects.get().pk, "delivered": 2})
    assert Email.objects.get().sent_at is not None


@pytest.mark.shows("003/FR-008")
@pytest.mark.parametrize(
    "trouble", [("EHLO", HANG_UP), ("DATA", "451 try again"), (".", "452 full"), ("MAIL", "421 busy")]
)
def test_passing_trouble_is_tried_again_with_the_same_message_id(mail: SmtpSink, trouble: tuple[str, str]) -> None:
    mail.faults[trouble[0]] = [trouble[1]]
    task = attempt(submit())
    assert (task.state, mail.letters) == ("pending", [])
    assert attempt(task).state == "succeeded"
    [letter] = mail.letters
    assert letter.content["Message-ID"] == f"<{task.pk}@shop.example>"


def test_a_connection_lost_after_the_letter_makes_a_copy_that_mailboxes_know(mail: SmtpSink) -> None:
    mail.faults["."] = [HANG_UP]
    task = attempt(attempt(submit()))
    assert task.state == "succeeded"
    assert len({letter.content["Message-ID"] for letter in mail.letters}) == 1


@pytest.mark.parametrize(
    "trouble", [("MAIL", "550 no"), ("DATA", "554 spam"), (".", "552 too big"), (f"RCPT {TO}", "550 who")]
)
def test_a_refusal_for_good_fails_at_once(mail: SmtpSink, trouble: tuple[str, str]) -> None:
    mail.faults[trouble[0]] = [trouble[1]]
    task = attempt(submit())
    assert (task.state, (task.error or {})["code"], mail.letters) == ("failed", "smtp_refused", [])
    assert trouble[1][:3] in (task.error or {})["message"]
    assert Email.objects.get().sent_at is None


@pytest.mark.shows("003/FR-008")
def test_a_server_that_stays_away_is_given_up_after_five_attempts(mail: SmtpSink) -> None:
    mail.faults["MAIL"] = ["451 not now"] * 9
    task = submit()
    for _ in range(7):
        task = attempt(task)
    assert (task.state, len(task.attempts), len(BACKOFF)) == ("failed", 5, 4)
    assert {attempt["error"]["code"] for attempt in task.attempts} == {"smtp_refused"}


def test_a_server_that_does_not_listen_is_tried_again(mail: SmtpSink) -> None:
    mail.close()
    task = attempt(submit())
    assert (task.state, task.attempts[0]["error"]["code"]) == ("pending", "smtp_unreachable")


def test_who_has_the_letter_does_not_get_it_again(mail: SmtpSink) -> None:
    mail.faults[f"RCPT {COPY}"] = ["450 greylisted"]
    task = attempt(submit((COPY,)))
    assert (task.state, [letter.recipients for letter in mail.letters]) == ("pending", [[TO]])
    task = attempt(task)
    assert (task.state, [letter.recipients for letter in mail.letters]) == ("succeeded", [[TO], [COPY]])


def test_one_bad_address_does_not_keep_the_letter_from_the_others(mail: SmtpSink) -> None:
    mail.faults[f"RCPT {COPY}"] = ["550 unknown"]
    task = attempt(submit((COPY,)))
    assert (task.state, (task.result or {})["delivered"]) == ("succeeded", 1)
    assert Email.objects.get().refused == {COPY: "550 unknown"}


def test_a_task_that_ran_twice_sends_once(mail: SmtpSink) -> None:
    task = attempt(submit())
    Task.objects.update(state="pending")
    assert attempt(task).state == "succeeded"
    assert len(mail.letters) == 1


def test_a_cancelled_letter_is_not_sent(mail: SmtpSink) -> None:
    task = submit()
    cancel_task(str(task.pk))
    assert (attempt(task).state, mail.sessions) == ("cancelled", 0)


def test_without_a_mail_server_nothing_is_accepted(settings: Settings) -> None:
    settings.EMAIL_HOST = ""
    with pytest.raises(ApplicationError) as refused:
        submit()
    assert (refused.value.code, refused.value.status) == (ErrorCode.EMAIL_NOT_CONFIGURED, 503)
    assert not Task.objects.exists()


def test_a_letter_that_was_cleaned_up_cannot_be_sent(mail: SmtpSink) -> None:
    task = submit()
    Email.objects.all().delete()
    assert (attempt(task).error or {})["code"] == "email_gone"
