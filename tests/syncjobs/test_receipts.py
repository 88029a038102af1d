"""What a run tells of itself over the API: fields, changes, steps, and how it differs from another."""

from typing import Any

import pytest

from products.models import Product
from syncjobs.models import RejectedRecord, Source, SyncBatch, SyncJob
from syncjobs.services.receipts import CountedGate, write_calls
from tests.client import ApiClient
from tests.syncjobs.conftest import path, start, work
from tests.syncjobs.scripted import World


def test_a_job_tells_which_fields_changed_and_how_often(operate: ApiClient, run: SyncJob) -> None:
    shown = operate.get(f"sync/jobs/{run.task_id}")
    assert shown["fields_changed"] == {"price": 1}
    assert (shown["progress"]["created"], shown["progress"]["updated"]) == (1, 1)


def test_changes_are_listed_field_by_field(operate: ApiClient, run: SyncJob) -> None:
    page = operate.get(path(run, "changes"))
    assert page["total"] == 2
    (updated,) = operate.get(path(run, "changes"), kind="updated")["items"]
    assert updated["fields"] == {"price": [10.0, 11.0]}
    assert (updated["sku"], updated["title"]) == ("1688-100001", "商品 100001")
    assert [line["product_id"] for line in operate.get(path(run, "changes"), field="price")["items"]] == [
        updated["product_id"]
    ]
    assert operate.get(path(run, "changes"), field="stock,title")["items"] == []
    assert operate.get(path(run, "changes"), product_id=updated["product_id"])["total"] == 1


def test_changes_are_walked_by_cursor_and_offset(operate: ApiClient, run: SyncJob) -> None:
    first = operate.get(path(run, "changes"), page_size=1)
    second = operate.get(path(run, "changes"), page_size=1, cursor=first["next_cursor"])
    assert [line["kind"] for line in first["items"] + second["items"]] == ["created", "updated"]
    assert operate.get(path(run, "changes"), offset=1, limit=1)["items"] == second["items"]


def test_a_purged_product_keeps_its_line(operate: ApiClient, run: SyncJob) -> None:
    Product.objects.filter(source_id="200001").delete()
    (created,) = operate.get(path(run, "changes"), kind="created")["items"]
    assert (created["sku"], created["title"]) == (None, None)


def test_two_runs_are_compared(operate: ApiClient, run: SyncJob) -> None:
    before = SyncJob.objects.order_by("id")[0]
    other: dict[str, Any] = {"with": before.task_id}
    answer = operate.get(path(run, "compare"), **other)
    assert (answer["job"]["task_id"], answer["other"]["task_id"]) == (run.task_id, before.task_id)
    assert answer["differences"]["created"] == 1 - 10
    assert answer["differences"]["rejected"] == 1
    assert answer["fields_changed"] == {"price": {"job": 1, "other": 0}}
    changed = Product.objects.get(source_id="100001").pk
    assert answer["products"]["both"] == {"count": 1, "ids": [changed]}
    assert (answer["products"]["only_job"]["count"], answer["products"]["only_other"]["count"]) == (1, 9)
    assert operate.get(path(run, "compare")) == answer


def test_the_first_run_has_nothing_before_it(operate: ApiClient, run: SyncJob) -> None:
    operate.get(path(SyncJob.objects.order_by("id")[0], "compare"), expect=404)


def test_the_steps_of_a_run_come_oldest_first(operate: ApiClient, run: SyncJob) -> None:
    steps = operate.get(path(run, "events"))["items"]
    assert [step["message"] for step in steps] == ["同步已开始", "遍历计划已生成", "同步已完成"]
    assert [(step["type"], step["status"]) for step in steps] == [
        ("status", "running"),
        ("log", None),
        ("status", "partial"),
    ]
    assert "status" not in steps[0]["context"]


def test_only_what_is_new_since_the_last_one(operate: ApiClient, run: SyncJob) -> None:
    steps = operate.get(path(run, "events"))["items"]
    assert operate.get(path(run, "events"), since=steps[0]["id"])["items"] == steps[1:]
    assert operate.get(path(run, "events"), since=steps[-1]["id"])["items"] == []


def test_a_walk_by_cursor_meets_each_step_once(operate: ApiClient, run: SyncJob) -> None:
    met, page = [], operate.get(path(run, "events"), page_size=2)
    met += page["items"]
    met += operate.get(path(run, "events"), page_size=2, cursor=page["next_cursor"])["items"]
    assert met == operate.get(path(run, "events"))["items"]


def test_stop_resume_and_end_are_all_told(operate: ApiClient, source: Source, world: World) -> None:
    world.offer(1)
    job = start()
    operate.post("sync/stop", {})
    operate.post("sync/resume", {"task_id": job.task_id})
    work(job)
    told = [step["status"] for step in operate.get(path(job, "events"))["items"] if step["status"]]
    assert told == ["running", "stopping", "stopped", "running", "succeeded"]


def test_a_job_tells_why_records_were_rejected_and_how_long_it_took(operate: ApiClient, run: SyncJob) -> None:
    shown = operate.get(f"sync/jobs/{run.task_id}")
    assert shown["rejected_by"] == [
        {"step": "normalize", "code": "invalid_price", "field": "price", "records": 1, "waiting": 1}
    ]
    assert shown["seconds"] is not None
    RejectedRecord.objects.update(payload=b'["200002", "7.00"]')
    operate.post(path(run, f"rejects/{RejectedRecord.objects.get().pk}/retry"))
    assert operate.get(f"sync/jobs/{run.task_id}")["rejected_by"][0]["waiting"] == 0


def test_nothing_of_it_goes_with_the_batches(operate: ApiClient, run: SyncJob) -> None:
    before = operate.get(f"sync/jobs/{run.task_id}")
    SyncBatch.objects.all().delete()
    assert operate.get(f"sync/jobs/{run.task_id}") == before
    assert before["fields_changed"] == {"price": 1}


def test_a_job_that_runs_tells_what_it_has_done_so_far(operate: ApiClient, run: SyncJob) -> None:
    SyncJob.objects.filter(pk=run.pk).update(state="running", finished_at=None)
    shown = operate.get(f"sync/jobs/{run.task_id}")
    assert (shown["seconds"], shown["fields_changed"]) == (None, {"price": 1})


def test_calls_are_counted_by_api_for_the_job_they_were_made_for(operate: ApiClient, run: SyncJob) -> None:
    class Open:
        def acquire(self, api: str) -> None:
            pass

        def slow_down(self, seconds: float) -> None:
            pass

        def refused(self, api: str, *, used_up: bool = False) -> None:
            pass

    gate = CountedGate(Open(), run.pk)
    for api in ("list", "list", "detail"):
        gate.acquire(api)
    write_calls(run.pk)
    write_calls(run.pk)
    shown = operate.get(f"sync/jobs/{run.task_id}")
    assert shown["calls_by_api"] == [{"api": "list", "calls": 2}, {"api": "detail", "calls": 1}]


READS = ["", "/changes", "/events", "/rejects", "/rejects/1", "/compare"]
ACTIONS = ["/approve", "/undo", "/rejects/1/retry"]


@pytest.mark.parametrize("task_id", ["sync_20200101_001", "nobody", "sync%00"])
def test_unknown_jobs_are_not_found(operate: ApiClient, source: Source, task_id: str) -> None:
    for rest in READS:
        operate.get(f"sync/jobs/{task_id}{rest}", expect=404)
    for rest in ACTIONS:
        operate.post(f"sync/jobs/{task_id}{rest}", {}, expect=404)
