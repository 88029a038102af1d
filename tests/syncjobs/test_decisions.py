"""Delisting approved and runs undone over the API."""

from typing import Any

import pytest

from products.models import Product, ProductChange
from syncjobs.models import Source, SyncJob
from syncjobs.services.jobs import resume_sync
from syncjobs.services.undo import UNDO_KIND, run_undo
from system.models import AuditLog, Task
from system.queue import TaskFailed
from tests.client import ApiClient
from tests.syncjobs.conftest import claimed_task, path, start, work
from tests.syncjobs.scripted import World


@pytest.fixture
def held(source: Source, world: World) -> SyncJob:
    """A run that waits before it delists three of ten products."""
    world.offer(10)
    work(start())
    for gone in ("100001", "100002", "100003"):
        world.prices.pop(gone)
    job = work(start())
    assert job.state == "held"
    return job


def test_a_held_job_shows_what_it_would_delist(operate: ApiClient, held: SyncJob) -> None:
    shown = operate.get(f"sync/jobs/{held.task_id}")
    assert (shown["error"]["code"], shown["progress"]["held"]) == ("delist_limit", 3)
    listed = operate.get(path(held, "changes"), kind="held")
    assert sorted(line["sku"] for line in listed["items"]) == ["1688-100001", "1688-100002", "1688-100003"]
    assert listed["items"][0]["fields"] == {"status": ["published", "delisted"]}
    assert operate.get(path(held, "changes"), kind="held,updated", expect=400)["details"]["kind"]


def test_approval_delists_what_was_shown(operate: ApiClient, held: SyncJob) -> None:
    assert operate.post(path(held, "approve"), expect=202)["status"] == "running"
    job = work(held)
    assert (job.state, job.delisted) == ("succeeded", 3)
    (line,) = AuditLog.objects.filter(action="sync.approve")
    assert (line.target_id, (line.after or {})["products"]) == (held.task_id, 3)


def test_nothing_beyond_the_list_is_delisted(operate: ApiClient, held: SyncJob) -> None:
    """Between the showing and the approval one product came back and another vanished from the walk's memory."""
    Product.objects.filter(source_id="100001").update(status="delisted")
    Product.objects.filter(source_id="100009").update(source_id="900009")
    operate.post(path(held, "approve"), expect=202)
    job = work(held)
    assert (job.state, job.delisted) == ("succeeded", 2)
    assert Product.objects.get(source_id="900009").status == "published"


def test_an_approval_counts_although_other_jobs_have_run_since(operate: ApiClient, held: SyncJob, world: World) -> None:
    """A schedule runs every few minutes, an operator decides hours later; what was seen meanwhile stays."""
    world.prices["100001"] = "10.00"
    work(start(type="incremental"))
    operate.post(path(held, "approve"), expect=202)
    job = work(held)
    assert (job.state, job.delisted) == ("succeeded", 2)
    assert Product.objects.get(source_id="100001").status == "published"


def test_an_approval_of_a_walk_that_another_full_walk_has_overtaken_delists_nothing(
    operate: ApiClient, held: SyncJob, world: World
) -> None:
    work(start())
    operate.post(path(held, "approve"), expect=202)
    assert work(held).delisted == 0


def test_an_empty_listing_can_be_believed_by_approval(operate: ApiClient, source: Source, world: World) -> None:
    world.offer(10)
    work(start())
    world.prices.clear()
    job = work(start())
    assert (job.state, job.held) == ("held", 10)
    assert operate.get(path(job, "changes"), kind="held")["total"] == 10
    assert Product.objects.filter(status="published").count() == 10
    operate.post(path(job, "approve"), expect=202)
    job = work(job)
    assert (job.state, job.delisted) == ("succeeded", 10)


def test_a_resumed_job_shows_its_list_anew(operate: ApiClient, held: SyncJob) -> None:
    Product.objects.filter(source_id="100001").update(status="delisted")
    work(resume_sync(held.task_id))
    assert operate.get(path(held, "changes"), kind="held")["total"] == 2


def test_an_approval_does_not_outlive_a_rest(operate: ApiClient, held: SyncJob) -> None:
    """Stopped before it delisted anything, the job looks again instead of believing an empty list."""
    operate.post(path(held, "approve"), expect=202)
    operate.post("sync/stop", {"task_id": held.task_id})
    job = work(resume_sync(held.task_id))
    assert (job.state, job.held, job.delisted) == ("held", 3, 0)


def test_only_one_approval_counts(operate: ApiClient, held: SyncJob) -> None:
    operate.post(path(held, "approve"), expect=202)
    assert operate.post(path(held, "approve"), expect=409)["code"] == "E02013"


@pytest.mark.parametrize("state", ["running", "succeeded", "stopped", "failed"])
def test_a_job_that_is_not_held_cannot_be_approved(operate: ApiClient, run: SyncJob, state: str) -> None:
    SyncJob.objects.filter(pk=run.pk).update(state=state)
    operate.post(path(run, "approve"), expect=409)


def test_a_job_held_for_its_quota_is_resumed_not_approved(operate: ApiClient, run: SyncJob) -> None:
    SyncJob.objects.filter(pk=run.pk).update(state="held", error={"code": "quota_exhausted"})
    operate.post(path(run, "approve"), expect=409)


def test_a_run_is_put_back(operate: ApiClient, run: SyncJob) -> None:
    answer = operate.post(path(run, "undo"), {})
    assert (answer["status"], answer["undone"], answer["skipped"]) == ("done", 2, [])
    assert str(Product.objects.get(source_id="100001").price) == "10.00"
    assert Product.objects.get(source_id="200001").deleted_at
    (line,) = AuditLog.objects.filter(action="sync.undo")
    assert len((line.after or {})["products"]) == 2


def test_only_the_chosen_products_are_put_back(operate: ApiClient, run: SyncJob) -> None:
    chosen = Product.objects.get(source_id="100001").pk
    untouched = Product.objects.get(source_id="100002").pk
    answer = operate.post(path(run, "undo"), {"product_ids": [chosen, untouched]})
    assert (answer["undone"], answer["skipped_by_reason"]) == (1, {"not_in_run": 1})
    assert answer["skipped"] == [{"product_id": untouched, "reason": "not_in_run"}]
    assert Product.objects.get(source_id="200001").deleted_at is None


def test_what_changed_since_is_left_and_told(operate: ApiClient, run: SyncJob, world: World) -> None:
    world.prices["100001"] = "12.00"
    work(start())
    answer = operate.post(path(run, "undo"), {})
    assert answer["skipped_by_reason"] == {"changed_since": 1}
    assert str(Product.objects.get(source_id="100001").price) == "12.00"


def test_an_undo_leaves_what_an_operator_has_edited_since(operate: ApiClient, run: SyncJob) -> None:
    changed, created = (Product.objects.get(source_id=each).pk for each in ("100001", "200001"))
    operate.patch(f"products/{changed}", {"price": 99})
    operate.patch(f"products/{created}", {"title": "精选"})
    answer = operate.post(path(run, "undo"), {})
    assert (answer["undone"], answer["skipped_by_reason"]) == (0, {"changed_since": 2})
    assert Product.objects.get(pk=changed).price == 99
    assert Product.objects.get(pk=created).deleted_at is None


def test_an_undo_leaves_what_an_operator_owned_by_then(operate: ApiClient, run: SyncJob) -> None:
    Product.objects.filter(source_id="100001").update(owned_fields=["price"])
    assert operate.post(path(run, "undo"), {})["skipped_by_reason"] == {"owned_by_operator": 1}


def test_what_was_undone_stays_hidden_and_is_counted_until_it_is_restored(operate: ApiClient, run: SyncJob) -> None:
    operate.post(path(run, "undo"), {})
    created = Product.objects.get(source_id="200001")
    job = work(start())
    assert (job.hidden, operate.get(f"sync/jobs/{job.task_id}")["progress"]["hidden"]) == (1, 1)
    operate.get(f"products/{created.pk}", expect=404)
    assert operate.post(f"products/{created.pk}/restore")["price"] == 5
    assert work(start()).hidden == 0


def test_a_large_run_is_put_back_by_a_task(operate: ApiClient, run: SyncJob, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("syncjobs.services.undo.AT_ONCE", 1)
    monkeypatch.setattr("syncjobs.services.undo.CHUNK", 1)
    answer = operate.post(path(run, "undo"), {}, expect=202)
    task = Task.objects.get(pk=answer["task"], kind=UNDO_KIND)
    assert (answer["status"], answer["undone"]) == ("pending", 0)
    assert run_undo(task.payload, claimed_task(run))["undone"] == 2
    lines = AuditLog.objects.filter(action="sync.undo").values_list("actor", flat=True)
    assert list(lines) == ["operator"] * 3
    assert run_undo(task.payload, claimed_task(run))["skipped_by_reason"] == {"already_undone": 2}


def test_an_undo_ends_where_its_job_is_resumed(
    operate: ApiClient, run: SyncJob, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("syncjobs.services.undo.AT_ONCE", 1)
    task = Task.objects.get(pk=operate.post(path(run, "undo"), {}, expect=202)["task"])
    SyncJob.objects.filter(pk=run.pk).update(state="running")
    with pytest.raises(TaskFailed, match="job_open"):
        run_undo(task.payload, claimed_task(run))
    assert str(Product.objects.get(source_id="100001").price) == "11.00"


def test_a_product_with_two_lines_in_a_run_is_put_back_once(operate: ApiClient, run: SyncJob) -> None:
    product = Product.objects.get(source_id="100001")
    ProductChange.objects.create(
        product_id=product.pk, kind="updated", fields={"title": [product.title, "newer"]}, job_id=run.pk
    )
    Product.objects.filter(pk=product.pk).update(title="newer")
    answer = operate.post(path(run, "undo"), {})
    assert (answer["undone"], answer["skipped"]) == (2, [])
    assert Product.objects.get(pk=product.pk).title == product.title


def test_a_run_that_still_runs_is_not_put_back(operate: ApiClient, source: Source, world: World) -> None:
    assert operate.post(path(start(), "undo"), {}, expect=409)["code"] == "E02014"


@pytest.mark.parametrize("ids", [[], [0], ["1"], [2**70], "all", [1] * 1001, None])
def test_ids_that_are_none_are_refused(operate: ApiClient, run: SyncJob, ids: Any) -> None:
    assert operate.post(path(run, "undo"), {"product_ids": ids}, expect=400)
