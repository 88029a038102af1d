"""Kept answers over the API and from the command line."""

from datetime import timedelta
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from products.models import Product
from syncjobs.models import RawAnswer, SyncJob
from system.models import AuditLog
from tests.client import ApiClient
from tests.syncjobs.conftest import work


@pytest.mark.parametrize("named", ["product_id", "source_id"])
def test_the_kept_answers_of_a_product_are_listed(operate: ApiClient, run: SyncJob, named: str) -> None:
    product = Product.objects.get(source_id="100001")
    value: Any = product.pk if named == "product_id" else product.source_id
    page = operate.get("sync/answers", **{named: value})
    assert [item["source_id"] for item in page["items"]] == ["100001", "100001"]
    assert page["items"][0]["task_id"] == run.task_id
    shown = operate.get(f"sync/answers/{page['items'][0]['id']}")
    assert (shown["payload"], shown["payload_truncated"]) == (["100001", "11.00"], False)


def test_the_list_is_narrowed_by_source(operate: ApiClient, run: SyncJob) -> None:
    assert operate.get("sync/answers", source="shop")["total"] == 13
    assert operate.get("sync/answers", source="other")["total"] == 0
    assert operate.get("sync/answers", product_id=10**9)["total"] == 0


@pytest.mark.parametrize("number", ["0", "abc", "99999999"])
def test_unknown_answers_are_not_found(operate: ApiClient, run: SyncJob, number: str) -> None:
    operate.get(f"sync/answers/{number}", expect=404)


def test_a_replay_is_a_job_of_its_own(operate: ApiClient, run: SyncJob) -> None:
    job = operate.post("sync/replay", {"since": "7d"}, expect=202)
    assert (job["trigger"], job["status"], job["requested_by"]) == ("replay", "running", "operator")
    assert operate.post("sync/replay", {}, expect=409)["details"] == {"task_id": job["task_id"]}
    assert AuditLog.objects.filter(action="sync.start", target_id=job["task_id"]).exists()
    work(SyncJob.objects.get(task_id=job["task_id"]))
    shown = operate.get(f"sync/jobs/{job['task_id']}")
    assert (shown["status"], shown["progress"]["processed"], shown["calls"]) == ("partial", 12, 0)


@pytest.mark.parametrize("since", ["7", "d", "0d", "-1d", "99999d", "yesterday", "٧d", 7, [], {}])
def test_what_is_no_time_is_refused(operate: ApiClient, run: SyncJob, since: Any) -> None:
    assert "since" in operate.post("sync/replay", {"since": since}, expect=400)["details"]


def test_a_time_will_do_as_well(operate: ApiClient, run: SyncJob) -> None:
    RawAnswer.objects.update(seen_at=timezone.now() - timedelta(days=10))
    tomorrow = (timezone.now() + timedelta(days=1)).isoformat()
    assert operate.post("sync/replay", {"since": tomorrow}, expect=422)["code"] == "E00023"


def test_the_command_starts_a_replay(run: SyncJob) -> None:
    out = StringIO()
    call_command("replay", "--since", "7d", "--offers", "100001", "100002", "--dry-run", stdout=out)
    job = work(SyncJob.objects.get(task_id=out.getvalue().split()[0]))
    assert (job.trigger, job.dry_run, job.processed) == ("replay", True, 2)


@pytest.mark.parametrize("arguments", [("--source", "nobody"), ("--since", "soon"), ("--offers", "999999999")])
def test_the_command_says_why_not(run: SyncJob, arguments: tuple[str, ...]) -> None:
    with pytest.raises(CommandError):
        call_command("replay", *arguments)
