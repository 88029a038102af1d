"""What ended long ago goes at night, in chunks; what waits stays, however old."""

from datetime import timedelta

import pytest
from django.utils import timezone

from system import retention
from system.mail import EMAIL_KIND
from system.models import Email, Task, WorkerPulse
from system.tasks import forget_old

pytestmark = pytest.mark.django_db

LONG_AGO = timezone.now() - timedelta(days=31)


def test_what_ended_long_ago_goes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "DELETE_AT_ONCE", 3)
    for state in ("succeeded", "failed", "cancelled") * 4:
        Task.objects.create(kind="old", state=state, created_at=LONG_AGO, finished_at=LONG_AGO)
    for state in ("pending", "running", "cancelling"):
        Task.objects.create(kind="open", state=state, created_at=LONG_AGO)
    Task.objects.create(kind="young", state="failed", created_at=LONG_AGO, finished_at=timezone.now())
    Email.objects.create(to="a@example.com", subject="old", body="", created_at=LONG_AGO)
    Email.objects.create(to="a@example.com", subject="young", body="")
    forget_old()
    assert sorted(set(Task.objects.values_list("kind", flat=True))) == ["open", "young"]
    assert list(Email.objects.values_list("subject", flat=True)) == ["young"]


def test_a_letter_stays_as_long_as_its_task_waits() -> None:
    letter = Email.objects.create(to="a@example.com", subject="old", body="", created_at=LONG_AGO)
    task = Task.objects.create(kind=EMAIL_KIND, payload={"email_id": letter.pk}, created_at=LONG_AGO)
    forget_old()
    assert Email.objects.exists()
    Task.objects.filter(pk=task.pk).update(state="failed", finished_at=timezone.now())
    forget_old()
    assert not Email.objects.exists()


def test_workers_that_are_long_gone_are_forgotten_but_for_the_last() -> None:
    for days, name in enumerate(("last", "before", "long before")):
        WorkerPulse.objects.create(worker=name, seen_at=LONG_AGO - timedelta(days=days))
    forget_old()
    assert [pulse.worker for pulse in WorkerPulse.objects.all()] == ["last"]
