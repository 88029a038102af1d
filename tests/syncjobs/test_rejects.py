"""Rejected records over the API: looked at and replayed."""

from typing import Any

import pytest

from products.models import Product, ProductChange
from syncjobs.models import RejectedRecord, SyncJob
from system.models import AuditLog
from tests.client import ApiClient
from tests.syncjobs.conftest import path, start, work
from tests.syncjobs.scripted import World


def rejected() -> RejectedRecord:
    return RejectedRecord.objects.get()


def retry(operate: ApiClient, run: SyncJob, **options: Any) -> Any:
    return operate.post(path(run, f"rejects/{rejected().pk}/retry"), **options)


def test_a_rejected_record_shows_what_the_source_sent(operate: ApiClient, run: SyncJob) -> None:
    (listed,) = operate.get(path(run, "rejects"))["items"]
    assert (listed["code"], listed["field"], listed["step"]) == ("invalid_price", "price", "normalize")
    assert listed["payload"] == ["200002", "broken"]
    assert operate.get(path(run, f"rejects/{listed['id']}")) == listed


@pytest.mark.parametrize(
    ("filters", "found"),
    [({"code": "invalid_price"}, 1), ({"code": "gone,other"}, 0), ({"step": "normalize", "field": "price"}, 1)],
)
def test_rejects_are_filtered(operate: ApiClient, run: SyncJob, filters: dict[str, Any], found: int) -> None:
    assert operate.get(path(run, "rejects"), **filters)["total"] == found


@pytest.mark.parametrize(
    ("payload", "shown"), [(b'{"a": 1}', {"a": 1}), (b"plain", "plain"), (b"\xff\x00", "\ufffd\0"), (b"", "")]
)
def test_what_is_no_json_is_shown_as_text(operate: ApiClient, run: SyncJob, payload: bytes, shown: Any) -> None:
    RejectedRecord.objects.update(payload=payload)
    assert operate.get(path(run, f"rejects/{rejected().pk}"))["payload"] == shown


def test_a_long_payload_is_cut_and_says_so(operate: ApiClient, run: SyncJob) -> None:
    RejectedRecord.objects.update(payload=b'"' + b"x" * 5000 + b'"')
    (listed,) = operate.get(path(run, "rejects"))["items"]
    assert (listed["payload_truncated"], listed["payload_bytes"], len(listed["payload"])) == (True, 5002, 4096)
    whole = operate.get(path(run, f"rejects/{listed['id']}"))
    assert (whole["payload_truncated"], len(whole["payload"])) == (False, 5000)


def test_a_retry_after_a_fix_stores_the_product_without_asking_the_source(
    operate: ApiClient, run: SyncJob, world: World
) -> None:
    RejectedRecord.objects.update(payload=b'["200002", "7.00"]')
    fetches = world.fetches
    answer = retry(operate, run)
    assert (answer["outcome"], answer["reject"]["outcome"]) == ("created", "created")
    assert (answer["job"]["status"], answer["job"]["progress"]["rejected"]) == ("succeeded", 0)
    assert Product.objects.filter(source_id="200002").exists()
    assert world.fetches == fetches
    assert operate.get(path(run, "rejects"), resolved="false")["items"] == []
    assert AuditLog.objects.filter(action="reject.retry").count() == 1


def test_a_second_retry_changes_nothing(operate: ApiClient, run: SyncJob) -> None:
    RejectedRecord.objects.update(payload=b'["200002", "7.00"]')
    first = retry(operate, run)
    assert retry(operate, run) == first
    assert ProductChange.objects.filter(product__source_id="200002").count() == 1


def test_a_record_rejected_again_keeps_its_new_reason(operate: ApiClient, run: SyncJob) -> None:
    RejectedRecord.objects.update(code="old", message="old")
    answer = retry(operate, run)
    assert (answer["outcome"], answer["reject"]["code"], answer["reject"]["retries"]) == (
        "rejected",
        "invalid_price",
        1,
    )
    assert answer["job"]["status"] == "partial"


def test_an_old_record_does_not_overwrite_what_a_later_sync_stored(
    operate: ApiClient, run: SyncJob, world: World
) -> None:
    RejectedRecord.objects.update(payload=b'["200002", "7.00"]')
    world.prices["200002"] = "8.00"
    work(start())
    assert retry(operate, run)["outcome"] == "superseded"
    assert str(Product.objects.get(source_id="200002").price) == "8.00"


def test_what_left_no_payload_cannot_be_replayed(operate: ApiClient, run: SyncJob) -> None:
    RejectedRecord.objects.update(payload=b"", code="gone")
    assert retry(operate, run, expect=422)["code"] == "E02015"


def test_a_partial_run_with_another_reason_stays_partial(operate: ApiClient, run: SyncJob) -> None:
    SyncJob.objects.filter(pk=run.pk).update(error={"code": "incomplete_walk"})
    RejectedRecord.objects.update(payload=b'["200002", "7.00"]')
    assert retry(operate, run)["job"]["status"] == "partial"


@pytest.mark.parametrize("number", ["0", "abc", "99999999", "9" * 30, "%00"])
def test_unknown_records_are_not_found(operate: ApiClient, run: SyncJob, number: str) -> None:
    operate.get(path(run, f"rejects/{number}"), expect=404)
    operate.post(path(run, f"rejects/{number}/retry"), expect=404)


def test_a_record_of_another_job_is_not_found(operate: ApiClient, run: SyncJob) -> None:
    other = SyncJob.objects.order_by("id")[0]
    operate.get(path(other, f"rejects/{rejected().pk}"), expect=404)
