"""`sync/quota` and the alerts of `sync/status`."""

import io
from datetime import timedelta
from typing import Any

import pytest
import redis
from django.core.management import call_command
from django.utils import timezone

from accounts.models import User
from syncjobs.connectors.alibaba1688.quota import RedisCallGate
from syncjobs.dashboard import alerts_card, quota_card, quota_gauges
from syncjobs.models import CallLedger, MessageListener, ScheduleClock, Source, SyncJob
from syncjobs.selectors.alerts import alerts
from syncjobs.services.gates import bucket_of, call_gate
from system.models import Task, WorkerPulse
from tests.client import ApiClient

pytestmark = pytest.mark.django_db


@pytest.fixture
def source(redis_url: str) -> Source:
    """A source with a limit and a reserve, which has called three times today."""
    made = Source.objects.create(
        name="main", kind="alibaba1688", app_key="77", calls_per_second=1000, daily_call_limit=10, hold_at_percent=80
    )
    gate = call_gate(made)
    for api in ("list", "get", "get"):
        gate.acquire(api)
    gate.refused("get")
    return made


@pytest.fixture
def watch(api: ApiClient, viewer: User) -> ApiClient:
    return api.as_(viewer)


def quota(watch: ApiClient) -> dict[str, Any]:
    (found,) = watch.get("sync/quota")["items"]
    return dict(found)


def codes() -> list[str]:
    return [alert["code"] for alert in alerts()]


def test_what_is_used_and_left_is_shown(watch: ApiClient, source: Source) -> None:
    Source.objects.create(name="twin", kind="alibaba1688", app_key="77", calls_per_second=5)
    found = quota(watch)
    assert (found["app_key"], found["sources"], found["calls_per_second"]) == ("77", ["main", "twin"], 5)
    assert (found["limit"], found["used_today"], found["left"], found["reserve"]) == (10, 3, 5, 2)
    assert (found["used_percent"], found["refused_today"], found["used_up_at"]) == (30.0, 1, None)
    assert found["apis"] == [{"api": "get", "calls": 2, "refused": 1}, {"api": "list", "calls": 1, "refused": 0}]
    assert (len(found["days"]), found["days"][0]["calls"], found["fits"]) == (7, 3, True)


def test_what_was_before_today_comes_from_the_table(watch: ApiClient, source: Source) -> None:
    today = call_gate(source).today()
    for back, calls in ((1, 7), (6, 5), (7, 100)):
        CallLedger.objects.create(bucket=bucket_of(source), day=today - timedelta(days=back), api="get", calls=calls)
    assert [day["calls"] for day in quota(watch)["days"]] == [3, 7, 0, 0, 0, 0, 5]


def test_without_redis_the_table_speaks(watch: ApiClient, source: Source, monkeypatch: pytest.MonkeyPatch) -> None:

    def away(*_arguments: object) -> None:
        raise redis.ConnectionError

    CallLedger.objects.create(bucket=bucket_of(source), day=call_gate(source).today(), api="get", calls=2)
    monkeypatch.setattr(RedisCallGate, "counted_here", away)
    assert quota(watch)["used_today"] == 2


def test_running_jobs_say_what_they_still_need(watch: ApiClient, source: Source) -> None:
    values = {"source": source, "type": "full", "calls": 4}
    SyncJob.objects.create(task_id="sync_20260101_001", scope="a", forecast={"calls": 20}, **values)
    SyncJob.objects.create(task_id="sync_20260101_002", scope="b", **values)
    found = quota(watch)
    assert [job["still_to_make"] for job in found["jobs"]] == [16, None]
    assert found["fits"] is False
    assert "quota_short" in codes()


def test_the_command_the_card_and_the_gauges_agree(source: Source, capsys: pytest.CaptureFixture[str]) -> None:
    call_command("quota", stdout=io.StringIO())
    assert "main" in capsys.readouterr().out
    (key,) = quota_card()["keys"]
    assert (key["name"], key["used_today"]) == ("77", 3)
    assert {gauge.name: gauge.values for gauge in quota_gauges()}["source_calls_today"] == {("77",): 3.0}


def test_no_worker_alive_is_said_with_the_command_that_starts_one(watch: ApiClient) -> None:
    Task.objects.create(kind="sync.slice")
    (alert,) = watch.get("sync/status", headers={"Accept-Language": "en"})["alerts"]
    assert (alert["code"], alert["level"], alert["context"]["waiting"]) == ("no_worker", "error", 1)
    assert "celery -A config worker" in alert["next_step"]
    WorkerPulse.objects.create(worker="w", seen_at=timezone.now())
    assert watch.get("sync/status")["alerts"] == []


def test_a_task_that_waits_beside_living_workers_is_told() -> None:
    WorkerPulse.objects.create(worker="w", seen_at=timezone.now())
    Task.objects.create(kind="sync.slice", created_at=timezone.now() - timedelta(minutes=5))
    assert codes() == ["queue_waits"]


@pytest.mark.parametrize(
    ("wrong", "code"),
    [("late", "schedules_late"), ("ended", "authorization_ended"), ("ending", "authorization_ending")],
)
def test_what_stands_still_or_will_is_told(wrong: str, code: str) -> None:
    WorkerPulse.objects.create(worker="w", seen_at=timezone.now())
    source = Source.objects.create(name="main", kind="alibaba1688")
    if wrong == "late":
        due = timezone.now() - timedelta(minutes=10)
        ScheduleClock.objects.create(schedule_id=1, definition=1, next_slot=due)
    else:
        days = -1 if wrong == "ended" else 3
        Source.objects.filter(pk=source.pk).update(refresh_expires_at=timezone.now() + timedelta(days=days))
    assert codes() == [code]


def test_quota_that_is_nearly_or_wholly_used_is_told(source: Source) -> None:
    WorkerPulse.objects.create(worker="w", seen_at=timezone.now())
    assert codes() == []
    gate = call_gate(source)
    for _ in range(5):
        gate.acquire("get")
    assert codes() == ["quota_nearly_used"]
    gate.refused("get", used_up=True)
    assert codes() == ["quota_used_up"]


def test_held_jobs_say_why_and_what_comes_next(source: Source) -> None:
    WorkerPulse.objects.create(worker="w", seen_at=timezone.now())
    values = {"source": source, "type": "full", "state": "held"}
    SyncJob.objects.create(task_id="sync_1", scope="a", error={"code": "delist_limit"}, **values)
    SyncJob.objects.create(
        task_id="sync_2", scope="b", error={"code": "quota_exhausted", "until": "2030-01-01T16:00:00+00:00"}, **values
    )
    told = {alert["context"]["task_id"]: alert for alert in alerts()}
    assert told["sync_1"]["context"]["reason"] == "delist_limit"
    assert "2030-01-01" in told["sync_2"]["next_step"]
    assert len(alerts_card()["alerts"]) == 2


def test_a_listener_that_was_there_and_is_gone_is_told(source: Source) -> None:
    WorkerPulse.objects.create(worker="w", seen_at=timezone.now())
    MessageListener.objects.create(source=source, seen_at=timezone.now() - timedelta(hours=1))
    assert codes() == ["listener_down"]
