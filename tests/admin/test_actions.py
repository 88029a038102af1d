"""Buttons and actions: they call the services, need the operator's rights, a POST and a token; never a 500."""

import pytest
from django.test import Client
from django.urls import reverse

from accounts.models import User
from syncjobs.models import Source, SyncJob
from tests.admin.conftest import Pages, deed_on, list_of, make_job, page_of

START = {
    "source": "shop-a",
    "type": "full",
    "category_id": "",
    "sku_list": "",
    "batch_size": "50",
    "max_workers": "3",
    "priority": "default",
}


@pytest.mark.parametrize(("deed", "kind"), [("start-full", "full"), ("start-incremental", "incremental")])
def test_a_source_starts_a_sync(deed: str, kind: str, operator: User, source: Source, redis_url: str) -> None:
    page = Pages(operator).post(deed_on(source, deed))
    job = SyncJob.objects.get()
    assert (job.type, job.trigger, job.requested_by, job.source_id) == (kind, "admin", "operator", source.pk)
    assert job.task_id in page


def test_a_second_start_names_the_running_job_instead_of_failing(
    operator: User, source: Source, redis_url: str
) -> None:
    pages = Pages(operator)
    pages.post(deed_on(source, "start-full"))
    assert SyncJob.objects.get().task_id in pages.post(deed_on(source, "start-full"))
    assert SyncJob.objects.count() == 1


def test_the_start_page_starts_what_the_form_says(operator: User, source: Source, redis_url: str) -> None:
    offers = "610947572360\n1688-610947572361, https://detail.1688.com/offer/610947572362.html"
    Pages(operator).post(reverse("admin:syncjobs_syncjob_add"), START | {"sku_list": offers})
    job = SyncJob.objects.get()
    assert job.sku_list == ["610947572360", "610947572361", "610947572362"]
    assert (job.batch_size, job.max_workers) == (50, 3)


def test_the_start_page_shows_a_refusal_and_keeps_what_was_typed(operator: User, source: Source) -> None:
    page = Pages(operator).post(reverse("admin:syncjobs_syncjob_add"), START | {"sku_list": "no-such-offer"})
    assert "sku_list[0]" in page
    assert "no-such-offer" in page
    assert not SyncJob.objects.exists()


def test_stop_and_resume_change_the_job(operator: User, source: Source, redis_url: str) -> None:
    pages = Pages(operator)
    pages.post(deed_on(source, "start-full"))
    job = SyncJob.objects.get()
    pages.post(deed_on(job, "stop"))
    job.refresh_from_db()
    assert job.state in (SyncJob.State.STOPPING, SyncJob.State.STOPPED)
    SyncJob.objects.update(state=SyncJob.State.STOPPED)
    pages.post(deed_on(job, "resume"))
    job.refresh_from_db()
    assert job.state == SyncJob.State.RUNNING


def test_stopping_a_finished_job_is_a_message(operator: User, source: Source) -> None:
    job = make_job(source, 1)
    assert job.task_id in Pages(operator).post(deed_on(job, "stop"))
    job.refresh_from_db()
    assert job.state == SyncJob.State.PARTIAL


def test_the_list_acts_on_every_selected_row(operator: User, source: Source) -> None:
    jobs = [make_job(source, number, state=SyncJob.State.RUNNING, finished_at=None) for number in (1, 2)]
    chosen = [str(job.pk) for job in jobs]
    Pages(operator).post(list_of(SyncJob), {"action": "stop", "_selected_action": chosen, "index": "0"})
    assert set(SyncJob.objects.values_list("state", flat=True)) <= {"stopping", "stopped"}


def test_more_rows_than_a_request_can_take_are_refused(operator: User, source: Source) -> None:
    for number in range(1, 53):
        make_job(source, number, state=SyncJob.State.RUNNING, finished_at=None)
    everything = {"action": "stop", "select_across": "1", "index": "0", "_selected_action": ["1"]}
    assert "50" in Pages(operator).post(list_of(SyncJob), everything)
    assert set(SyncJob.objects.values_list("state", flat=True)) == {"running"}


def test_checking_a_source_that_does_not_answer_says_so(operator: User, source: Source, redis_url: str) -> None:
    page = Pages(operator).post(deed_on(source, "check"))
    assert "errornote" in page


def test_a_viewer_finds_no_buttons_and_is_refused(viewer: User, source: Source) -> None:
    job = make_job(source, 1, state=SyncJob.State.RUNNING, finished_at=None)
    pages = Pages(viewer)
    assert deed_on(job, "stop") not in pages.get(page_of(job))
    assert deed_on(source, "start-full") not in pages.get(page_of(source))
    for address in (deed_on(job, "stop"), deed_on(source, "start-full"), deed_on(source, "check"), page_of(source)):
        pages.post(address, expect=403)
    pages.post(reverse("admin:syncjobs_syncjob_add"), START)
    chosen = {"action": "stop", "_selected_action": [str(job.pk)], "index": "0"}
    pages.post(list_of(SyncJob), chosen)
    job.refresh_from_db()
    assert (SyncJob.objects.count(), job.state) == (1, "running")


def test_deeds_need_a_post_with_a_token(operator: User, source: Source) -> None:
    Pages(operator).get(deed_on(source, "start-full"), expect=405)
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(operator)
    assert strict.post(deed_on(source, "start-full")).status_code == 403
    assert not SyncJob.objects.exists()


def test_unknown_deeds_and_rows_are_not_found(operator: User, source: Source) -> None:
    Pages(operator).post(deed_on(source, "explode"), expect=404)
    source.pk = 999
    Pages(operator).post(deed_on(source, "check"), expect=404)


@pytest.mark.parametrize("made_up", ["abc", "1;drop", "nul\0byte"])
def test_made_up_rows_are_a_bad_request(made_up: str, operator: User, source: Source) -> None:
    chosen = {"action": "stop", "_selected_action": [made_up]}
    Pages(operator).post(list_of(SyncJob), chosen, expect=400)
