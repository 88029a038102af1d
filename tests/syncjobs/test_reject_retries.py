"""All matching rejected records: retried by a task, filtered, written into files."""

import csv
import io
import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest
from django.core.management import CommandError, call_command
from django.db import OperationalError

from products.models import Product
from products.records import ProductRecord
from syncjobs.engine.contracts import RawRecord
from syncjobs.engine.errors import RecordRejected
from syncjobs.models import RejectedRecord, Source, SyncJob
from syncjobs.services import reject_retries
from syncjobs.services.reject_retries import run_retries
from syncjobs.services.rejects import retry_row
from system.models import AuditLog, Task
from system.queue import TaskContext, TaskGone
from tests.client import ApiClient
from tests.syncjobs.conftest import path, start, work
from tests.syncjobs.scripted import ScriptedConnector, World

COUNT = 12


@pytest.fixture
def spoiled(source: Source, world: World) -> SyncJob:
    """A run of a dozen products none of which could be used."""
    world.offer(COUNT, price="broken")
    return work(start())


@pytest.fixture
def fixed(monkeypatch: pytest.MonkeyPatch) -> None:
    """The mapping takes what it rejected, but for one product."""

    def normalize(_self: ScriptedConnector, raw: RawRecord) -> ProductRecord:
        offer, _price = msgspec.json.decode(raw.payload)
        if offer == "100003":
            raise RecordRejected("no title", code="no_title", field="title")
        return ProductRecord(source_id=offer, title="商品", price=Decimal(1))

    monkeypatch.setattr(ScriptedConnector, "normalize", normalize)


def ordered(operate: ApiClient, job: SyncJob, **filters: Any) -> Task:
    answer = operate.post(path(job, "rejects/retry"), filters, expect=202)
    return Task.objects.get(pk=answer["task"])


def attempt(task: Task) -> Any:
    """One attempt of a worker at a task."""
    task.refresh_from_db()
    Task.objects.filter(pk=task.pk).update(state="running", fence=task.fence + 1)
    return run_retries(task.payload, TaskContext(task.pk, task.fence + 1, task.job_id))


def test_all_that_match_are_retried_without_asking_the_source(
    operate: ApiClient, spoiled: SyncJob, fixed: None, world: World
) -> None:
    fetches = world.fetches
    result = attempt(ordered(operate, spoiled))
    assert (result["matching"], result["retried"], result["outcomes"]) == (12, 12, {"created": 11, "rejected": 1})
    assert Product.objects.count() == 11
    spoiled.refresh_from_db()
    assert (spoiled.created, spoiled.rejected, world.fetches) == (11, 1, fetches)
    assert RejectedRecord.objects.get(resolved_at=None).code == "no_title"


def test_the_order_is_answered_and_audited_and_one_task_however_often(operate: ApiClient, spoiled: SyncJob) -> None:
    answer = operate.post(path(spoiled, "rejects/retry"), {"code": ["invalid_price"]}, expect=202)
    assert (answer["status"], answer["matching"]) == ("pending", COUNT)
    assert operate.post(path(spoiled, "rejects/retry"), {"code": ["invalid_price"]}, expect=202) == answer
    line = AuditLog.objects.get(action="reject.retry_all")
    assert line.after == {"task": answer["task"], "code": ["invalid_price"]}
    assert operate.get(f"queue/tasks/{answer['task']}")["payload"]["filters"] == {"code": ["invalid_price"]}


def test_only_what_matches(operate: ApiClient, spoiled: SyncJob, fixed: None) -> None:
    assert attempt(ordered(operate, spoiled, code=["other"]))["retried"] == 0
    assert attempt(ordered(operate, spoiled, source_id="100001"))["outcomes"] == {"created": 1}
    assert attempt(ordered(operate, spoiled, q="00002"))["outcomes"] == {"created": 1}
    assert attempt(ordered(operate, spoiled, field=["price"], step=["normalize"]))["retried"] == 10


@pytest.mark.django_db(transaction=True)
def test_a_killed_task_goes_on_where_it_was(
    operate: ApiClient, spoiled: SyncJob, fixed: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    task, retry, tried = ordered(operate, spoiled), retry_row, list[int]()

    def dies_at_the_sixth(job: Any, connector: Any, reject_id: int) -> Any:
        tried.append(reject_id)
        retried = retry(job, connector, reject_id)
        if len(tried) == 6:
            raise OperationalError("gone")
        return retried

    monkeypatch.setattr(reject_retries, "retry_row", dies_at_the_sixth)
    with pytest.raises(OperationalError):
        attempt(task)
    assert Product.objects.count() == 4
    assert (Task.objects.get(pk=task.pk).result or {})["retried"] == 5
    result = attempt(task)
    assert (result["matching"], result["retried"], result["outcomes"]) == (12, 12, {"created": 11, "rejected": 1})
    assert len(tried) == COUNT + 1
    assert set(RejectedRecord.objects.values_list("retries", flat=True)) == {1}


def test_a_cancelled_task_ends(operate: ApiClient, spoiled: SyncJob, fixed: None) -> None:
    task = ordered(operate, spoiled)
    Task.objects.filter(pk=task.pk).update(state="cancelling", fence=1)
    with pytest.raises(TaskGone):
        run_retries(task.payload, TaskContext(task.pk, 1, task.job_id))
    assert not Product.objects.exists()


def test_a_dry_run_has_nothing_to_retry(operate: ApiClient, source: Source, world: World) -> None:
    world.offer(1, price="broken")
    job = work(start(dry_run=True))
    assert operate.post(path(job, "rejects/retry"), {}, expect=409)["code"] == "E02016"


@pytest.mark.parametrize("body", [{"code": "x"}, {"resolved": True}, {"q": ["x"]}, {"field": [{}]}])
def test_malformed_orders_are_refused(operate: ApiClient, spoiled: SyncJob, body: dict[str, Any]) -> None:
    operate.post(path(spoiled, "rejects/retry"), body, expect=400)


def exported(operate: ApiClient, job: SyncJob, **query: Any) -> str:
    answer = operate.send("GET", path(job, "rejects/export"), query_params=query)
    assert answer.status_code == 200
    return b"".join(answer.streaming_content).decode("utf-8-sig")


def test_an_export_holds_every_record_whole(operate: ApiClient, spoiled: SyncJob) -> None:
    RejectedRecord.objects.update(payload=b'"' + b"x" * 300_000 + b'"')
    lines = [json.loads(line) for line in exported(operate, spoiled).splitlines()]
    assert [line["id"] for line in lines] == sorted(RejectedRecord.objects.values_list("pk", flat=True))
    assert {len(line["payload"]) for line in lines} == {300_000}
    assert exported(operate, spoiled, code="other") == ""


def test_a_table_is_safe_to_open(operate: ApiClient, spoiled: SyncJob) -> None:
    RejectedRecord.objects.update(message="=HYPERLINK(1)", payload=b"@SUM(1)", source_id="+1")
    rows = list(csv.DictReader(io.StringIO(exported(operate, spoiled, format="csv"))))
    assert len(rows) == COUNT
    assert {(row["message"], row["payload"], row["source_id"]) for row in rows} == {
        ("'=HYPERLINK(1)", "'@SUM(1)", "'+1")
    }


def test_a_file_has_an_end(operate: ApiClient, spoiled: SyncJob, settings: Any) -> None:
    settings.EXPORT_STREAM_MAX_ROWS = 5
    assert operate.get(path(spoiled, "rejects/export"), expect=422)["details"] == {"limit": 5}


def test_the_commands_do_the_same(spoiled: SyncJob, fixed: None, tmp_path: Path, capsys: Any) -> None:
    target = tmp_path / "rejects.ndjson"
    call_command("rejects", "list", spoiled.task_id, "--code", "invalid_price")
    assert "12 records" in capsys.readouterr().out
    call_command("rejects", "export", spoiled.task_id, "--output", str(target))
    assert len(target.read_text().splitlines()) == COUNT
    call_command("rejects", "retry", spoiled.task_id, "--source-id", "100001")
    assert attempt(Task.objects.get(kind="sync.retry_rejects"))["outcomes"] == {"created": 1}
    with pytest.raises(CommandError):
        call_command("rejects", "list", "nobody")


def test_the_search_is_taken_literally(operate: ApiClient, spoiled: SyncJob) -> None:
    RejectedRecord.objects.filter(source_id="100001").update(message="100% wrong")
    assert operate.get(path(spoiled, "rejects"), q="0% w")["total"] == 1
    assert operate.get(path(spoiled, "rejects"), q="100%")["total"] == 1
