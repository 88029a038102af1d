"""How answers change: fields never seen before, of another type, or gone."""

from collections.abc import Callable
from datetime import timedelta
from io import StringIO
from typing import Any

import orjson
import pytest
from django.core.management import call_command
from django.utils import timezone

from syncjobs.models import AnswerField, RawAnswer, Source, SyncJob, SyncLog
from syncjobs.selectors.drift import Finding, findings
from syncjobs.services import drift, raw_answers
from syncjobs.services.drift import fields_of, look
from system.models import Task
from system.queue import TaskContext
from tests.client import ApiClient
from tests.syncjobs.conftest import claimed_task, start, work
from tests.syncjobs.scripted import World

Hear = Callable[..., SyncJob]
USUAL = {"id": 1, "sale": {"unit": "个"}, "skus": [{"price": 1.5}]}


@pytest.fixture
def hear(source: Source) -> Hear:
    """A job that hears these answers, and the look at them."""

    def heard(*answers: Any, times: int = 30) -> SyncJob:
        number = SyncJob.objects.count() + 1
        job = SyncJob.objects.create(
            task_id=f"sync_20260501_{number:03d}", source=source, type="full", scope=str(number)
        )
        payloads = {
            f"{number}-{copy}-{place}": orjson.dumps(answer)
            for copy in range(times)
            for place, answer in enumerate(answers)
        }
        raw_answers.keep(source.name, job.pk, payloads)
        look({"job_id": job.pk}, claimed_task(job))
        return job

    return heard


def changes(source: str = "shop") -> list[tuple[str, str, str | None]]:
    return [(each.change, each.path, each.type) for each in findings(source)]


def only() -> Finding:
    (found,) = findings("shop")
    return found


@pytest.mark.parametrize(
    ("payload", "fields"),
    [
        (b"nonsense", set()),
        (b"{}", set()),
        (b'{"a": null, "b": [1, "x"]}', {("a", "null"), ("b", "array"), ("b[]", "number"), ("b[]", "string")}),
        (b'{"a": {"b": [{}]}}', {("a", "object"), ("a.b", "array"), ("a.b[]", "object")}),
        (b'{"a": [{"c": true}]}', {("a", "array"), ("a[]", "object"), ("a[].c", "boolean")}),
        (b'[1.5]', {("[]", "number")}),
        (b'{"": 1, "a\\u0000": 1}', set()),
        (b'{"' + b"x" * 300 + b'": 1}', set()),
    ],
)  # fmt: skip
def test_fields_are_named_by_their_way(payload: bytes, fields: set[Any]) -> None:
    assert fields_of(payload) == fields


def test_a_deep_answer_is_looked_at_as_far_as_it_makes_sense() -> None:
    assert len(fields_of(b"[" * 900 + b"]" * 900)) == drift.DEEPEST


def test_the_first_answers_are_no_news(hear: Hear) -> None:
    hear(USUAL)
    assert findings("shop") == []


def test_a_field_never_seen_before_is_told_once_with_its_parts_left_out(hear: Hear) -> None:
    hear(USUAL)
    branded = USUAL | {"brand": {"name": "一", "tags": [1]}}
    second = hear(branded, USUAL)
    found = only()
    assert (found.change, found.path, found.type, found.job_id) == ("new", "brand", "object", second.pk)
    assert found.share_percent == 50.0
    hear(branded, USUAL, USUAL, USUAL, times=15)
    assert (only().job_id, only().share_percent) == (second.pk, 37.5)


def test_another_type_is_told_with_the_one_before(hear: Hear) -> None:
    hear(USUAL)
    second = hear(USUAL | {"skus": [{"price": "1.5"}]})
    found = only()
    assert (found.change, found.path, found.type, found.types_before) == (
        "changed",
        "skus[].price",
        "string",
        ["number"],
    )
    assert (found.job_id, found.share_percent) == (second.pk, 100.0)


def test_a_null_where_there_was_a_list_is_another_type(hear: Hear) -> None:
    hear(USUAL)
    hear(USUAL | {"skus": None}, USUAL)
    assert changes() == [("changed", "skus", "null")]


def test_a_field_that_is_gone_is_told_since_the_first_run_without_it(hear: Hear) -> None:
    hear(USUAL)
    second = hear({"id": 1, "skus": [{"price": 1.5}]})
    hear({"id": 1, "skus": [{"price": 1.5}]})
    found = only()
    assert (found.change, found.path, found.type, found.types_before) == ("gone", "sale", None, ["object"])
    assert (found.job_id, found.share_percent) == (second.pk, 100.0)


def test_what_comes_back_is_not_gone(hear: Hear) -> None:
    hear(USUAL)
    hear({"id": 1, "skus": []})
    hear(USUAL)
    assert changes() == []


def test_a_rare_field_is_not_missed_at_once(hear: Hear) -> None:
    hear(USUAL | {"rare": 1}, *[USUAL] * 9, times=10)
    hear(USUAL, times=20)
    assert changes() == []
    hear(USUAL, times=40)
    assert changes() == [("gone", "rare", None)]


def test_looking_twice_comes_to_the_same(hear: Hear) -> None:
    hear(USUAL)
    job = hear(USUAL | {"brand": "一"})
    before = list(AnswerField.objects.order_by("job_id", "path", "kind").values("job_id", "path", "kind", "answers"))
    look({"job_id": job.pk}, claimed_task(job))
    after = list(AnswerField.objects.order_by("job_id", "path", "kind").values("job_id", "path", "kind", "answers"))
    assert after == before
    assert SyncLog.objects.filter(job=job, message=drift.CHANGED).count() == 1


def test_the_log_names_what_has_changed(hear: Hear) -> None:
    hear(USUAL)
    job = hear({"id": "1", "skus": [{"price": 1.5}], "flag": True})
    line = SyncLog.objects.get(job=job, message=drift.CHANGED)
    assert line.level == "warning"
    assert line.context == {
        "answers": 30,
        "looked_at": 30,
        "new": ["flag"],
        "changed": ["id (number → string)"],
        "gone": ["sale"],
    }


def test_of_many_answers_a_part_is_looked_at_and_said_so(
    hear: Hear, monkeypatch: pytest.MonkeyPatch, operate: ApiClient, source: Source
) -> None:
    monkeypatch.setattr(drift, "SAMPLE", 25)
    hear(USUAL, times=100)
    shown = operate.get(f"sync/sources/{source.pk}/drift")
    assert (shown["answers"], shown["looked_at"], shown["runs"]) == (100, 25, 1)


def test_objects_whose_keys_are_data_do_not_fill_the_table(hear: Hear, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drift, "MOST_FIELDS", 50)
    hear(*[{"by_id": {str(number): 1}} for number in range(200)], times=1)
    assert AnswerField.objects.exclude(path="").count() <= 51


def test_a_job_orders_the_look_and_one_that_heard_nothing_new_does_not(source: Source, world: World) -> None:
    world.offer(3)
    first = work(start())
    assert Task.objects.get(kind="sync.drift").job_id == first.pk
    work(start())
    assert Task.objects.filter(kind="sync.drift").count() == 1


def test_old_runs_go_but_not_when_a_field_came_or_went(hear: Hear) -> None:
    for _ in range(4):
        hear(USUAL)
    before = AnswerField.objects.count()
    AnswerField.objects.update(created_at=timezone.now() - timedelta(days=100))
    assert drift.tidy() == before / 2
    assert drift.tidy() == 0
    assert changes() == []


def test_the_report_is_narrowed(hear: Hear, operate: ApiClient, source: Source) -> None:
    hear(USUAL)
    second = hear(USUAL | {"brand": "一"})
    third = hear(USUAL | {"brand": 1, "id": "1"})
    address = f"sync/sources/{source.pk}/drift"
    assert [each["path"] for each in operate.get(address)["findings"]] == ["brand", "id", "brand"]
    assert [each["path"] for each in operate.get(address, change="new,gone")["findings"]] == ["brand"]
    (found,) = operate.get(address, task_id=second.task_id)["findings"]
    assert (found["change"], found["type"], found["types_before"], found["share_percent"]) == (
        "new",
        "string",
        [],
        50.0,
    )
    assert operate.get(address)["task_id"] == third.task_id
    assert operate.get(address, since="1h")["findings"]
    AnswerField.objects.update(created_at=timezone.now() - timedelta(days=2))
    assert operate.get(address, since="1h")["findings"] == []
    operate.get(address, task_id="nobody", expect=404)
    operate.get("sync/sources/999999/drift", expect=404)


def test_a_source_without_answers_has_a_report_too(operate: ApiClient, source: Source) -> None:
    shown = operate.get(f"sync/sources/{source.pk}/drift")
    assert (shown["runs"], shown["task_id"], shown["findings"]) == (0, None, [])


def test_the_command_shows_the_same(hear: Hear, capsys: Any) -> None:
    hear(USUAL)
    hear(USUAL | {"brand": "一"})
    call_command("drift", "--since", "7d", stdout=StringIO())
    shown = capsys.readouterr().out
    assert "brand" in shown
    assert "2 looks" in shown


def test_answers_that_went_meanwhile_leave_nothing_to_look_at(source: Source, world: World) -> None:
    world.offer(3)
    job = work(start())
    RawAnswer.objects.all().delete()
    task = Task.objects.create(kind="sync.drift", state="running", fence=1)
    assert look({"job_id": job.pk}, TaskContext(task.pk, 1, None))["looked_at"] == 0
    assert not AnswerField.objects.exists()
