"""Sync control over the API."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from kombu.exceptions import OperationalError as BrokerUnavailable

from accounts.models import User
from products.models import Category
from syncjobs.models import Source, SyncJob, SyncLog
from system.models import AuditLog, Task
from tests.client import ApiClient

EXAMPLE = {"type": "full", "category_id": 123456, "config": {"batch_size": 100, "max_workers": 5}}


@pytest.fixture
def source(db: None) -> Source:
    """A default source; nothing runs in these tests, so it need not answer."""
    return Source.objects.create(name="demo", kind="alibaba1688", is_default=True)


@pytest.fixture
def operate(api: ApiClient, operator: User) -> ApiClient:
    """The API as an operator."""
    return api.as_(operator)


@pytest.fixture
def started(operate: ApiClient, source: Source) -> dict[str, Any]:
    """A running job over everything."""
    job: dict[str, Any] = operate.post("sync/start", {"type": "full"})
    return job


def test_the_published_example_answers_as_printed(operate: ApiClient, source: Source) -> None:
    job = operate.post("sync/start", EXAMPLE)
    body = operate.last.json()
    assert (body["code"], body["message"]) == (200, "同步任务已启动")
    assert job["task_id"].startswith("sync_20")
    assert job["task_id"].endswith("_001")
    assert job["status"] == "running"
    assert job["started_at"].endswith("Z")
    assert (job["type"], job["category_id"], job["config"]) == ("full", 123456, EXAMPLE["config"])


def test_a_list_that_is_null_is_left_out(operate: ApiClient, source: Source) -> None:
    empty = {"source": None, "category_id": None, "sku_list": None}
    assert operate.post("sync/start", {"type": "full", **empty})["sku_list"] == []


@pytest.mark.shows("000/3 POST sync/start")
def test_the_published_example_holds_each_field_it_prints(operate: ApiClient, source: Source) -> None:
    printed = {"task_id": r"sync_\d{8}_\d{3}", "status": "running", "started_at": r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"}
    job = operate.post("sync/start", EXAMPLE)
    assert {name: re.fullmatch(form, job[name]) is not None for name, form in printed.items()} == dict.fromkeys(
        printed, True
    )


def test_task_ids_count_up_within_a_day(operate: ApiClient, source: Source) -> None:
    first = operate.post("sync/start", {"type": "full"})["task_id"]
    second = operate.post("sync/start", {"type": "full", "sku_list": ["610947572360"]})["task_id"]
    assert (first[-3:], second[-3:]) == ("001", "002")


def test_a_second_start_of_the_scope_is_a_conflict_that_names_the_job(
    operate: ApiClient, started: dict[str, Any]
) -> None:
    error = operate.post("sync/start", {"type": "incremental"}, expect=409)
    assert (error["code"], error["details"]) == ("E02001", {"task_id": started["task_id"]})


BAD_STARTS: list[tuple[Any, str]] = [
    ({}, "type"),
    ({"type": "FULL"}, "type"),
    ({"type": 1}, "type"),
    ({"type": "drop"}, "type"),
    ({"type": None}, "type"),
    ({"type": "full", "config": {"batch_size": 0}}, "config"),
    ({"type": "full", "config": {"batch_size": -1}}, "config"),
    ({"type": "full", "config": {"batch_size": 1001}}, "config"),
    ({"type": "full", "config": {"batch_size": 10**9}}, "config"),
    ({"type": "full", "config": {"batch_size": 1.5}}, "config"),
    ({"type": "full", "config": {"batch_size": True}}, "config"),
    ({"type": "full", "config": {"batch_size": "100"}}, "config"),
    ({"type": "full", "config": {"batch_size": None}}, "config"),
    ({"type": "full", "config": {"max_workers": 0}}, "config"),
    ({"type": "full", "config": {"max_workers": 33}}, "config"),
    ({"type": "full", "config": {"max_workers": 65}}, "config"),
    ({"type": "full", "config": {"speed": 1}}, "config"),
    ({"type": "full", "config": {"app_secret": {"value": "hidden"}}}, "config"),
    ({"type": "full", "config": []}, "config"),
    ({"type": "full", "config": "fast"}, "config"),
    ({"type": "full", "dry_run": "true"}, "dry_run"),
    ({"type": "full", "dry_run": 1}, "dry_run"),
    ({"type": "full", "category_id": "12"}, "category_id"),
    ({"type": "full", "category_id": -1}, "category_id"),
    ({"type": "full", "sku_list": "610947572360"}, "sku_list"),
    ({"type": "full", "sku_list": []}, "sku_list"),
    ({"type": "full", "sku_list": ["nonsense"]}, "sku_list[0]"),
    ({"type": "full", "sku_list": [610947572360]}, "sku_list"),
    ({"type": "full", "sku_list": ["610947572360"] * 1001}, "sku_list"),
    ({"type": "full", "priority": "urgent"}, "priority"),
    ({"type": "full", "colour": "red"}, "colour"),
]


@pytest.mark.parametrize("route", ["sync/start", "sync/validate"])
@pytest.mark.parametrize(("body", "field"), BAD_STARTS, ids=[str(body)[:60] for body, _ in BAD_STARTS])
def test_a_start_that_makes_no_sense_is_refused_by_field(
    operate: ApiClient, source: Source, route: str, body: Any, field: str
) -> None:
    error = operate.post(route, body, expect=400)
    assert error["code"] == "E00002"
    assert field in error["details"]
    assert not SyncJob.objects.exists()


def test_without_a_source_the_answer_says_what_is_missing(operate: ApiClient) -> None:
    assert operate.post("sync/start", {"type": "full"}, expect=422)["code"] == "E02002"


def test_an_unknown_source_is_refused(operate: ApiClient, source: Source) -> None:
    assert operate.post("sync/start", {"type": "full", "source": "nowhere"}, expect=422)["code"] == "E02003"


def test_a_category_nobody_knows_is_refused_once_the_tree_is_known(operate: ApiClient, source: Source) -> None:
    Category.objects.create(pk=7, name="茶具", path="茶具", ancestors=[7])
    error = operate.post("sync/start", EXAMPLE, expect=422)
    assert (error["code"], error["details"]) == ("E01002", {"category_id": 123456})


def test_a_source_that_is_switched_off_is_refused(operate: ApiClient, source: Source) -> None:
    Source.objects.update(is_enabled=False)
    assert operate.post("sync/start", {"type": "full"}, expect=422)["code"] == "E02004"


def test_a_start_while_the_broker_is_down_is_kept_and_rung_later(
    operate: ApiClient, source: Source, monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Any
) -> None:
    def refuse(*_arguments: Any, **_options: Any) -> None:
        raise BrokerUnavailable("no broker")

    monkeypatch.setattr("system.queue.current_app.send_task", refuse)
    monkeypatch.setattr("system.queue._broker_down_until", 0.0)
    with django_capture_on_commit_callbacks(execute=True):
        job = operate.post("sync/start", {"type": "full"})
    assert job["status"] == "running"
    assert Task.objects.filter(state="pending", job_id=SyncJob.objects.get().pk).count() == 1


def audited(action: str) -> list[tuple[str, str]]:
    lines = AuditLog.objects.filter(action=action, via="api")
    return list(lines.values_list("target_id", "actor"))


def test_starting_stopping_and_resuming_are_audited_once_each(operate: ApiClient, started: dict[str, Any]) -> None:
    task_id = started["task_id"]
    operate.post("sync/stop", {})
    operate.post("sync/stop", {"task_id": task_id})
    operate.post("sync/resume", {"task_id": task_id})
    operate.post("sync/resume", {"task_id": task_id}, expect=409)
    for action in ("sync.start", "sync.stop", "sync.resume"):
        assert audited(action) == [(task_id, "operator")]


@pytest.mark.shows("000/3 POST sync/stop")
def test_stop_without_an_id_means_the_only_active_job(operate: ApiClient, started: dict[str, Any]) -> None:
    job = operate.post("sync/stop", {})
    assert (job["task_id"], job["status"]) == (started["task_id"], "stopped")


def test_stopping_a_stopped_job_changes_nothing(operate: ApiClient, started: dict[str, Any]) -> None:
    operate.post("sync/stop", {"task_id": started["task_id"]})
    assert operate.post("sync/stop", {"task_id": started["task_id"]})["status"] == "stopped"


def test_stop_is_refused_when_it_is_not_clear_what_to_stop(operate: ApiClient, started: dict[str, Any]) -> None:
    operate.post("sync/start", {"type": "full", "sku_list": ["610947572360"]})
    assert operate.post("sync/stop", {}, expect=409)["code"] == "E02006"


@pytest.mark.parametrize(("state", "status"), [("succeeded", 409), ("failed", 409)])
def test_a_finished_job_cannot_be_stopped(operate: ApiClient, started: dict[str, Any], state: str, status: int) -> None:
    SyncJob.objects.update(state=state)
    operate.post("sync/stop", {"task_id": started["task_id"]}, expect=status)


def test_unknown_jobs_are_not_found(operate: ApiClient, source: Source) -> None:
    nobody: dict[str, Any] = {"task_id": "sync_20200101_001"}
    calls: list[Callable[[], Any]] = [
        lambda: operate.post("sync/stop", nobody, expect=404),
        lambda: operate.post("sync/resume", nobody, expect=404),
        lambda: operate.get("sync/status", expect=404, **nobody),
        lambda: operate.get("sync/jobs/sync_20200101_001", expect=404),
    ]
    assert {call()["code"] for call in calls} == {"E00005"}


def test_an_address_with_a_nul_names_no_job(operate: ApiClient, source: Source) -> None:
    operate.get("sync/jobs/sync%00", expect=404)


def test_an_announced_body_must_be_there(operate: ApiClient, started: dict[str, Any]) -> None:
    operate.call("POST", "sync/stop", CONTENT_TYPE="application/json", expect=400)
    operate.call("POST", "sync/stop")


def test_a_stopped_job_resumes_under_its_own_id(operate: ApiClient, started: dict[str, Any]) -> None:
    operate.post("sync/stop", {})
    job = operate.post("sync/resume", {"task_id": started["task_id"]})
    assert (job["task_id"], job["status"]) == (started["task_id"], "running")
    assert operate.post("sync/resume", {"task_id": started["task_id"]}, expect=409)["code"] == "E02007"


@pytest.mark.shows("000/3 GET sync/status")
def test_status_shows_active_and_last_jobs_workers_and_queues(operate: ApiClient, started: dict[str, Any]) -> None:
    status = operate.get("sync/status")
    assert [job["task_id"] for job in status["active"]] == [started["task_id"]]
    assert status["last"] is None
    assert status["queues"]["default"] == {"pending": 1, "running": 0}
    operate.post("sync/stop", {})
    assert operate.get("sync/status", task_id=started["task_id"])["last"]["status"] == "stopped"


def test_jobs_are_listed_newest_first_and_filtered(operate: ApiClient, started: dict[str, Any]) -> None:
    second = operate.post("sync/start", {"type": "full", "sku_list": ["610947572360"]})
    page = operate.get("sync/jobs")
    assert [job["task_id"] for job in page["items"]] == [second["task_id"], started["task_id"]]
    assert (page["total"], page["pages"], page["total_exact"]) == (2, 1, True)
    operate.post("sync/stop", {"task_id": second["task_id"]})
    assert [job["task_id"] for job in operate.get("sync/jobs", status="running")["items"]] == [started["task_id"]]


def test_a_walk_by_cursor_meets_every_job_once(operate: ApiClient, source: Source) -> None:
    wanted = {
        operate.post("sync/start", {"type": "full", "sku_list": [f"61094757236{n}"]})["task_id"] for n in range(5)
    }
    met, page = [], operate.get("sync/jobs", page_size=2)
    while True:
        met += [job["task_id"] for job in page["items"]]
        if not page["next_cursor"]:
            break
        page = operate.get("sync/jobs", page_size=2, cursor=page["next_cursor"])
    assert sorted(met) == sorted(wanted)


def test_logs_speak_the_callers_language(operate: ApiClient, started: dict[str, Any]) -> None:
    assert operate.get("sync/logs")["items"][0]["message"] == "同步已开始"
    english = operate.get("sync/logs", headers={"Accept-Language": "en"})
    assert english["items"][0]["message"] == "sync started"


@pytest.mark.shows("000/3 GET sync/logs")
def test_logs_are_filtered_by_job_and_level(operate: ApiClient, started: dict[str, Any]) -> None:
    job = SyncJob.objects.get()
    SyncLog.objects.create(job=job, level="error", message="sync failed")
    assert [line["level"] for line in operate.get("sync/logs", level="error")["items"]] == ["error"]
    assert operate.get("sync/logs", task_id="sync_20200101_001")["items"] == []


@pytest.mark.parametrize("path", ["sync/status", "sync/logs", "sync/jobs"])
def test_unknown_parameters_are_named(operate: ApiClient, source: Source, path: str) -> None:
    assert "foo" in operate.get(path, expect=400, foo="1")["details"]
