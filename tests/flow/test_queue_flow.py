"""The queue with real workers: who is served first, and cancels that last."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_django import Settings

from devstack.gateway.client import GatewayClient
from syncjobs.models import SyncJob
from system import queue
from system.errors import ApplicationError
from system.mail import submit_email
from system.models import Task
from system.services.tasks import CANCEL_SECONDS, cancel_task
from tests.conftest import eventually
from tests.flow.conftest import finished, forget_catalogue, start
from tests.flow.workers import Worker
from tests.system.smtp import SAY_NOTHING, SmtpSink

LOW_LETTERS = 50


@pytest.fixture
def mail(settings: Settings, transactional_db: None, redis_url: str) -> Iterator[SmtpSink]:
    """A mail server for this process and for the worker."""
    sink = SmtpSink()
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", sink.port
    yield sink
    sink.close()


@pytest.fixture
def mailer(mail: SmtpSink, tmp_path: Path) -> Iterator[Worker]:
    """A worker that sends letters there."""
    running = Worker(tmp_path / "worker.log", EMAIL_URL=f"smtp://127.0.0.1:{mail.port}")
    yield running
    running.stop()


def all_ended() -> bool:
    """Whether nothing waits or runs any more; sweeps as beat would."""
    queue.sweep()
    return not Task.objects.filter(state__in=["pending", "running", "cancelling"]).exists()


@pytest.mark.shows("003/FR-009")
def test_a_critical_letter_overtakes_fifty_low_ones(mail: SmtpSink, mailer: Worker) -> None:
    for number in range(LOW_LETTERS):
        submit_email(to=f"low{number}@example.com", subject="low", body="x", priority="low")
    eventually(lambda: mail.letters)
    submit_email(to="vip@example.com", subject="critical", body="x", priority="critical")
    seen = len(mail.letters)
    eventually(lambda: len(mail.letters) == LOW_LETTERS + 1)
    place = [letter.content["Subject"] for letter in mail.letters].index("critical")
    # Before it: what the two processes had in their hands, and one more each, already on its way to them.
    assert place - seen <= 8
    assert place < LOW_LETTERS
    eventually(all_ended)
    assert set(Task.objects.values_list("state", flat=True)) == {"succeeded"}


@pytest.mark.shows("003/FR-006")
@pytest.mark.shows("003/FR-008")
def test_a_process_killed_while_it_sends_leaves_the_letter_to_another(mail: SmtpSink, mailer: Worker) -> None:
    mail.faults["DATA"] = [SAY_NOTHING]
    task = submit_email(to="user@example.com", subject="once", body="x")
    # Not before: a process killed while it says hello would leave the silence to the next.
    eventually(lambda: not mail.faults["DATA"])
    mailer.kill_children()
    eventually(lambda: Task.objects.get(pk=task.pk).state == "succeeded")
    ended = Task.objects.get(pk=task.pk)
    assert len(mail.letters) == 1
    assert ["finished_at" in attempt for attempt in ended.attempts] == [False, True]


def cancel_under_fire(worker: Worker) -> None:
    """Cancel a running sync by its slices, kill the worker, and see that nothing comes back."""
    job = start(max_workers=3)
    eventually(lambda: Task.objects.filter(state="running").exists() and progressed(job.pk))
    waiting = Task.objects.filter(state__in=["pending", "running"]).values_list("pk", flat=True)
    cancelled = [str(pk) for pk in waiting if cancelled_in_time(str(pk))]
    asked = time.monotonic()
    worker.kill_all()
    job = finished(job)
    eventually(all_ended)
    assert job.state == "stopped"
    time.sleep(max(0.0, asked + CANCEL_SECONDS - time.monotonic()))
    processed = SyncJob.objects.get(pk=job.pk).processed
    eventually(all_ended)
    assert set(Task.objects.filter(pk__in=cancelled).values_list("state", flat=True)) == {"cancelled"}
    again = SyncJob.objects.get(pk=job.pk)
    assert (again.state, again.processed) == ("stopped", processed)


def test_cancels_last_over_restarts_of_the_workers(gateway: GatewayClient, worker: Worker) -> None:
    gateway.control("reset", products=2000)
    cancel_under_fire(worker)


@pytest.mark.soak
def test_twenty_cancels_under_fire(gateway: GatewayClient, worker: Worker) -> None:
    gateway.control("reset", products=2000)
    for _ in range(20):
        cancel_under_fire(worker)
        forget_catalogue()


def progressed(job_id: int) -> bool:
    """Whether something is stored."""
    return SyncJob.objects.get(pk=job_id).processed > 0


def cancelled_in_time(task_id: str) -> bool:
    """Cancel a task; False when it ended a moment before."""
    try:
        cancel_task(task_id)
    except ApplicationError:
        return False
    return True
