"""Work submitted by itself: e-mail, and a sync of some days (seed 003)."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from pytest_django import Settings

from accounts.models import User
from syncjobs.models import Source, SyncBatch, SyncJob
from system.models import AuditLog, Email, Task
from tests.client import ApiClient

pytestmark = pytest.mark.django_db

LETTER = {
    "to": "user@example.com",
    "subject": "Welcome to our service",
    "body": "Thank you for signing up!",
    "cc": ["manager@example.com"],
}
DAYS = {"sync_type": "incremental", "start_date": "2025-11-01", "end_date": "2025-11-12"}


@pytest.fixture(autouse=True)
def mail_server(settings: Settings) -> None:
    """A mail server is set up; nothing runs in these tests, so it need not answer."""
    settings.EMAIL_HOST = "127.0.0.1"


@pytest.fixture
def manage(api: ApiClient, admin: User) -> ApiClient:
    """The API as an administrator."""
    return api.as_(admin)


@pytest.fixture
def source(db: None) -> Source:
    """A default source."""
    return Source.objects.create(name="demo", kind="alibaba1688", is_default=True)


@pytest.mark.shows("003/FR-006")
@pytest.mark.shows("003/Story 2-1")
@pytest.mark.shows("003/tasks/email")
@pytest.mark.shows("000/AC-9")
def test_the_published_letter_is_submitted(manage: ApiClient) -> None:
    answer = manage.post("tasks/email", LETTER)
    assert list(answer) == ["task_id", "queue", "estimated_time"]
    task = Task.objects.get(pk=UUID(answer["task_id"]))
    assert (answer["queue"], task.kind, task.state) == ("default", "system.email", "pending")
    assert answer["estimated_time"]
    email = Email.objects.get()
    assert (email.to, email.subject, email.cc) == (LETTER["to"], LETTER["subject"], LETTER["cc"])
    assert task.payload == {"email_id": email.pk}
    assert AuditLog.objects.get(action="email.send").target_id == str(email.pk)
    assert manage.get(f"queue/tasks/{task.pk}")["payload"] == {"email_id": email.pk}


@pytest.mark.shows("003/FR-009")
@pytest.mark.parametrize("priority", ["critical", "default", "low"])
def test_the_priority_is_the_queue(manage: ApiClient, source: Source, priority: str) -> None:
    for path, body in (("tasks/email", LETTER), ("tasks/sync", DAYS)):
        answer = manage.post(path, body | {"priority": priority})
        assert answer["queue"] == Task.objects.get(pk=answer["task_id"]).queue == priority


def test_the_estimate_is_measured_and_in_the_readers_language(manage: ApiClient) -> None:
    for _ in range(20):
        Task.objects.create(
            kind="system.email",
            state="succeeded",
            finished_at=datetime(2026, 1, 1, 0, 1, tzinfo=UTC),
            attempts=[{"started_at": "2026-01-01T00:00:00+00:00"}],
        )
    for _ in range(4):
        Task.objects.create(kind="system.email")
    answer = manage.call("POST", "tasks/email", LETTER, headers={"Accept-Language": "en"})
    assert answer["estimated_time"] == "within 5 minutes"


BAD_LETTERS: list[tuple[dict[str, Any], str]] = [
    ({"to": "nobody"}, "to"),
    ({"to": "a@example.com\nBcc: b@example.com"}, "to"),
    ({"to": "a@example.com\r\n"}, "to"),
    ({"to": "a@example.com, b@example.com"}, "to"),
    ({"to": None}, "to"),
    ({"to": ["a@example.com"]}, "to"),
    ({"subject": "x\r\nBcc: b@example.com"}, "subject"),
    ({"subject": "x\n"}, "subject"),
    ({"subject": "x\u2028y"}, "subject"),
    ({"subject": ""}, "subject"),
    ({"subject": "x" * 201}, "subject"),
    ({"subject": 1}, "subject"),
    ({"body": ""}, "body"),
    ({"body": "\0"}, "body"),
    ({"body": "x" * 100_001}, "body"),
    ({"cc": "a@example.com"}, "cc"),
    ({"cc": ["a@example.com\nX: y"]}, "cc"),
    ({"cc": ["a@example.com"] * 51}, "cc"),
    ({"priority": "urgent"}, "priority"),
    ({"bcc": ["a@example.com"]}, "bcc"),
]


@pytest.mark.parametrize(("change", "field"), BAD_LETTERS)
def test_a_bad_letter_is_400_and_nothing_is_kept(manage: ApiClient, change: dict[str, Any], field: str) -> None:
    error = manage.post("tasks/email", LETTER | change, expect=400)
    assert field in error["details"]
    assert not Email.objects.exists()


def test_without_a_mail_server_it_is_503(manage: ApiClient, settings: Settings) -> None:
    settings.EMAIL_HOST = ""
    assert manage.post("tasks/email", LETTER, expect=503)["code"] == "E03003"
    assert manage.last.headers["Retry-After"] == "3600"
    assert not Task.objects.exists()


@pytest.mark.shows("003/FR-006")
@pytest.mark.shows("003/Story 2-1")
@pytest.mark.shows("003/tasks/sync")
def test_a_sync_of_some_days_is_submitted(manage: ApiClient, source: Source) -> None:
    answer = manage.post("tasks/sync", DAYS | {"batch_size": 50, "priority": "low"})
    task = Task.objects.get(pk=UUID(answer["task_id"]))
    job = SyncJob.objects.get()
    assert (task.kind, task.job_id, answer["queue"]) == ("sync.slice", job.pk, "low")
    assert (job.type, job.batch_size, job.priority, job.requested_by) == ("incremental", 50, "low", "admin")
    # The days are China's, the last one included.
    window = {"since": "2025-10-31T16:00:00+00:00", "until": "2025-11-12T16:00:00+00:00"}
    assert SyncBatch.objects.get().params == window
    assert manage.get(f"queue/tasks/{task.pk}")["job"] == job.task_id


def test_a_second_sync_names_the_running_one(manage: ApiClient, source: Source) -> None:
    manage.post("tasks/sync", DAYS)
    error = manage.post("tasks/sync", DAYS, expect=409)
    assert (error["code"], error["details"]) == ("E02001", {"task_id": SyncJob.objects.get().task_id})


def test_a_sync_needs_a_source(manage: ApiClient) -> None:
    assert manage.post("tasks/sync", DAYS, expect=422)["code"] == "E02002"


BAD_DAYS: list[tuple[dict[str, Any], str]] = [
    ({"sync_type": "sim_status"}, "sync_type"),
    ({"start_date": "2025-11-13"}, "end_date"),
    ({"start_date": "2025-02-30"}, "start_date"),
    ({"start_date": "20251101"}, "start_date"),
    ({"start_date": "2025-W44-1"}, "start_date"),
    ({"start_date": "2025-11-01T00:00:00Z"}, "start_date"),
    ({"start_date": "٢٠٢٥-11-01"}, "start_date"),
    ({"start_date": 20251101}, "start_date"),
    ({"start_date": None}, "start_date"),
    ({"start_date": "0001-01-01"}, "start_date"),
    ({"end_date": "9999-12-31"}, "end_date"),
    ({"batch_size": 0}, "batch_size"),
    ({"batch_size": 1001}, "batch_size"),
    ({"batch_size": "100"}, "batch_size"),
    ({"priority": "high"}, "priority"),
    ({"source": "demo"}, "source"),
]


@pytest.mark.parametrize(("change", "field"), BAD_DAYS)
def test_bad_days_are_400_and_start_nothing(
    manage: ApiClient, source: Source, change: dict[str, Any], field: str
) -> None:
    assert field in manage.post("tasks/sync", DAYS | change, expect=400)["details"]
    assert not SyncJob.objects.exists()


@pytest.mark.parametrize("field", ["sync_type", "start_date", "end_date"])
def test_the_required_fields(manage: ApiClient, source: Source, field: str) -> None:
    body = {name: value for name, value in DAYS.items() if name != field}
    assert field in manage.post("tasks/sync", body, expect=400)["details"]


@pytest.mark.parametrize("role", ["viewer", "operator"])
@pytest.mark.parametrize(("path", "body"), [("tasks/email", LETTER), ("tasks/sync", DAYS)])
def test_only_administrators_submit(
    api: ApiClient, request: pytest.FixtureRequest, role: str, path: str, body: dict[str, Any]
) -> None:
    api.as_(request.getfixturevalue(role)).post(path, body, expect=403)
    assert not Task.objects.exists()
