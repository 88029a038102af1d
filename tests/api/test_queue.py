"""The task queue over the API: from our own rows, waiting ones included."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from accounts.models import User
from syncjobs.models import Source, SyncJob
from system.models import Task
from tests.client import ApiClient

pytestmark = pytest.mark.django_db

UNKNOWN = "550e8400-e29b-41d4-a716-446655440000"


@pytest.fixture
def look(api: ApiClient, viewer: User) -> ApiClient:
    """The API as a viewer."""
    return api.as_(viewer)


@pytest.fixture
def operate(api: ApiClient, operator: User) -> ApiClient:
    """The API as an operator."""
    return api.as_(operator)


@pytest.fixture
def job(db: None) -> SyncJob:
    """A running sync."""
    source = Source.objects.create(name="demo", kind="alibaba1688", is_default=True)
    return SyncJob.objects.create(task_id="sync_20260101_001", source=source, type="full", scope="", state="running")


def a_task(**fields: Any) -> Task:
    """A task row."""
    return Task.objects.create(**{"kind": "test.echo", **fields})


def shown(client: ApiClient, **query: Any) -> list[str]:
    """Kinds of the listed tasks."""
    return [task["kind"] for task in client.get("queue/tasks", **query)["items"]]


@pytest.mark.shows("000/4 GET queue/tasks")
@pytest.mark.shows("000/4 GET queue/tasks/{id}")
def test_a_task_shows_where_it_stands_and_nothing_secret(look: ApiClient, job: SyncJob) -> None:
    task = a_task(
        kind="sync.slice",
        queue="critical",
        state="running",
        job_id=job.pk,
        payload={"job_id": job.pk, "access_token": "s3cret", "text": "private", "token_id": {"a": 1}},
        attempts=[
            {"started_at": "2026-01-01T08:00:00.5+08:00", "worker": "w1"},
            {"started_at": "2026-01-01T00:05:00+00:00", "worker": "w2"},
        ],
    )
    view = look.get(f"queue/tasks/{task.pk}")
    assert list(view) == [
        "id", "kind", "queue", "priority", "status", "attempts", "job", "payload", "result", "error", "created_at",
        "started_at", "finished_at",
    ]  # fmt: skip
    assert (view["id"], view["status"], view["job"]) == (str(task.pk), "running", "sync_20260101_001")
    assert (view["queue"], view["priority"], view["payload"]) == ("critical", "critical", {"job_id": job.pk})
    lost, current = view["attempts"]
    assert lost == {
        "started_at": "2026-01-01T00:00:00Z",
        "finished_at": None,
        "worker": "w1",
        "error": {"code": "worker_lost"},
    }
    assert (current["worker"], current["error"]) == ("w2", None)
    assert look.get("queue/tasks")["items"] == [view]


def test_a_waiting_task_is_listed(look: ApiClient) -> None:
    a_task()
    assert look.get("queue/tasks")["items"][0]["status"] == "pending"


@pytest.mark.parametrize("task_id", [UNKNOWN, "1", "nonsense", "{" + UNKNOWN + "}", UNKNOWN.replace("-", ""), "a%00b"])
@pytest.mark.parametrize(("method", "suffix"), [("GET", ""), ("DELETE", ""), ("POST", "/retry")])
def test_an_unknown_task_is_404_and_never_pending(operate: ApiClient, task_id: str, method: str, suffix: str) -> None:
    operate.call(method, f"queue/tasks/{task_id}{suffix}", expect=404)


def test_filters(look: ApiClient, job: SyncJob) -> None:
    now = timezone.now()
    a_task(kind="a", state="failed", queue="low", request_id="call-1", created_at=now - timedelta(days=2))
    a_task(kind="b", state="cancelled", queue="critical", job_id=job.pk)
    a_task(kind="c")
    assert shown(look, status="failed,cancelled") == ["b", "a"]
    assert shown(look, queue="low,default") == ["c", "a"]
    assert shown(look, kind="c") == ["c"]
    assert shown(look, job="sync_20260101_001") == ["b"]
    assert shown(look, job="sync_20260101_999") == []
    assert shown(look, request_id="call-1") == ["a"]
    assert shown(look, end_time=(now - timedelta(days=1)).isoformat()) == ["a"]
    assert shown(look, start_time=(now - timedelta(days=1)).isoformat()) == ["c", "b"]


@pytest.mark.parametrize(
    "query",
    ["status=done", "queue=fast", "job=", "start_time=soon", "status=", "page_size=101", "cursor=x", "sortby=kind",
     "start_time=2026-02-01&end_time=2026-01-01", f"kind={'x' * 51}"],
)  # fmt: skip
def test_bad_parameters_are_400_and_named(look: ApiClient, query: str) -> None:
    error = look.get(f"queue/tasks?{query}", expect=400)
    assert query.partition("=")[0] in error["details"] or "end_time" in error["details"]


def test_all_three_pagings_show_every_task_once_newest_first(look: ApiClient) -> None:
    now = timezone.now()
    # Several of one moment: then the id decides.
    made = [a_task(kind=str(n), created_at=now - timedelta(seconds=n // 3)) for n in range(7)]
    expected = [task.kind for task in sorted(made, key=lambda task: (task.created_at, task.pk), reverse=True)]
    by_page = [kind for page in (1, 2, 3, 4) for kind in shown(look, page=page, page_size=2)]
    by_offset = [kind for offset in (0, 3, 6) for kind in shown(look, offset=offset, limit=3)]
    page = look.get("queue/tasks", page_size=2)
    by_cursor = [task["kind"] for task in page["items"]]
    while page["next_cursor"]:
        page = look.get("queue/tasks", page_size=2, cursor=page["next_cursor"])
        by_cursor += [task["kind"] for task in page["items"]]
    assert by_page == by_offset == by_cursor == expected


@pytest.mark.shows("000/4 POST queue/tasks/{id}/retry")
def test_retry_puts_a_failed_task_back(operate: ApiClient) -> None:
    task = a_task(state="failed", error={"code": "boom"}, attempts=[{"worker": "w", "finished_at": None}])
    again = operate.post(f"queue/tasks/{task.pk}/retry")
    assert (again["status"], again["error"], len(again["attempts"])) == ("pending", None, 1)
    error = operate.post(f"queue/tasks/{task.pk}/retry", expect=409)
    assert (error["code"], error["details"]) == ("E03001", {"status": "pending", "job": None})


@pytest.mark.shows("000/4 DELETE queue/tasks/{id}")
def test_delete_cancels_a_waiting_task_at_once(operate: ApiClient) -> None:
    task = a_task()
    first, second = (operate.delete(f"queue/tasks/{task.pk}", expect=200) for _ in range(2))
    assert first["status"] == "cancelled"
    assert second == first


def test_delete_lets_a_running_task_come_to_an_end(operate: ApiClient) -> None:
    task = a_task(state="running")
    assert operate.delete(f"queue/tasks/{task.pk}", expect=200)["status"] == "cancelling"


@pytest.mark.parametrize("state", ["succeeded", "failed"])
def test_what_has_ended_cannot_be_cancelled(operate: ApiClient, job: SyncJob, state: str) -> None:
    task = a_task(state=state, job_id=job.pk)
    error = operate.delete(f"queue/tasks/{task.pk}", expect=409)
    assert (error["code"], error["details"]) == ("E03001", {"status": state, "job": "sync_20260101_001"})


@pytest.mark.parametrize("state", ["pending", "running"])
def test_cancelling_a_slice_stops_its_sync(operate: ApiClient, job: SyncJob, state: str) -> None:
    task = a_task(kind="sync.slice", state=state, job_id=job.pk)
    operate.delete(f"queue/tasks/{task.pk}", expect=200)
    assert operate.get(f"sync/jobs/{job.task_id}")["status"] == "stopped"


@pytest.mark.shows("000/4 GET queue/stats")
def test_stats_name_every_queue(look: ApiClient) -> None:
    a_task(queue="low")
    stats = look.get("queue/stats")
    assert list(stats) == ["queues", "workers", "per_minute", "failed_last_hour"]
    assert list(stats["queues"]) == ["critical", "default", "low"]
    assert stats["queues"]["low"] == {"pending": 1, "running": 0, "oldest_pending_seconds": 0}
