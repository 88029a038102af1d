"""Events reach their webhooks: written with what they tell of, signed, repeated, given up."""

import base64
import hmac
import json
import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.utils import timezone

from accounts.models import User
from syncjobs.models import Source, SyncJob, Webhook, WebhookDelivery
from syncjobs.services import deliveries, jobs, pump
from syncjobs.services.deliveries import redeliver
from syncjobs.services.pump import DELAYS, DISABLE_AFTER
from syncjobs.services.sending import signed_headers
from syncjobs.services.webhooks import Owner, create_webhook, rotate_secret
from system.models import AuditLog, Task
from tests.architecture.source import PROJECT
from tests.connectors.alibaba1688.support import http_answer, serving
from tests.products.test_change_feed import settled
from tests.products.test_following import late_line, write

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("silence")]

OK, BUSY, GONE = http_answer(b"thanks"), http_answer(b"later", "503 Busy"), http_answer(b"", "410 Gone")


@pytest.fixture
def hook(owner: User) -> Callable[[str], tuple[Webhook, str]]:
    """Makes webhooks for a server on this machine; gives them with their secret."""
    every = [event for event in Webhook.Event if event not in Webhook.KINDS]
    return lambda url: create_webhook(Owner(owner.pk), f"{url}/hook", every)


def job(state: str = "running") -> SyncJob:
    """A job."""
    source, _ = Source.objects.get_or_create(name="shop", kind="feed")
    return SyncJob.objects.create(
        task_id=f"sync_20250101_{SyncJob.objects.count():03d}",
        source=source,
        type="full",
        state=state,
        scope=str(SyncJob.objects.count()),
        started_at=timezone.now(),
    )


def attempt(delivery: WebhookDelivery) -> WebhookDelivery:
    """One attempt to deliver, as a worker makes it once it is due."""
    WebhookDelivery.objects.filter(pk=delivery.pk, state="pending").update(next_attempt_at=timezone.now())
    Webhook.objects.update(busy_until=None, resting_until=None)
    pump.pump()
    delivery.refresh_from_db()
    return delivery


def failed_once() -> WebhookDelivery:
    """The only delivery there is, of a job that failed."""
    jobs.fail(job().pk, {"code": "source_refused"})
    return WebhookDelivery.objects.get()


def failed_once_for(webhook: Webhook) -> WebhookDelivery:
    """What a webhook is told of a job that failed."""
    jobs.fail(job().pk, {"code": "source_refused"})
    return WebhookDelivery.objects.get(webhook=webhook, event="job.failed")


def parts(request: bytes) -> tuple[dict[str, str], bytes]:
    """Headers (in lower case) and body of a request."""
    head, _, body = request.partition(b"\r\n\r\n")
    lines = [line.split(": ", 1) for line in head.decode().split("\r\n")[1:]]
    return {name.lower(): value for name, value in lines}, body


def signature(secret: str, headers: dict[str, str], body: bytes) -> str:
    """The signature by the specification, written independently of the code under test."""
    key = base64.b64decode(secret.split("_", 1)[1])
    signed = b".".join([headers["webhook-id"].encode(), headers["webhook-timestamp"].encode(), body])
    return "v1," + base64.b64encode(hmac.new(key, signed, "sha256").digest()).decode()


@pytest.mark.parametrize(
    ("end", "event"),
    [
        (lambda pk: jobs.fail(pk, {"code": "x"}), "job.failed"),
        (lambda pk: jobs.hold(pk, {"code": "x"}), "job.held"),
        (lambda pk: jobs.finish_if_done(pk), "job.finished"),
        (lambda pk: jobs.stop_sync(SyncJob.objects.get(pk=pk).task_id), "job.stopped"),
    ],
    ids=["failed", "held", "finished", "stopped"],
)
def test_every_end_of_a_job_is_told_once(hook: Any, end: Callable[[int], None], event: str) -> None:
    hook("https://127.0.0.1")
    ended = job()
    end(ended.pk)
    end_again = SyncJob.objects.get(pk=ended.pk)
    delivery = WebhookDelivery.objects.get()
    told = json.loads(delivery.body)
    assert (delivery.event, told["type"]) == (event, event)
    assert (told["data"]["job"]["task_id"], told["data"]["job"]["status"]) == (ended.task_id, end_again.state)
    assert Task.objects.get(kind="webhook.deliver").state == "pending"


def test_an_end_that_is_rolled_back_is_not_told(hook: Any) -> None:
    hook("https://127.0.0.1")
    with transaction.atomic():
        jobs.fail(job().pk, {"code": "x"})
        assert WebhookDelivery.objects.exists()
        transaction.set_rollback(True)
    assert not WebhookDelivery.objects.exists()


def test_an_event_of_a_source_names_it(hook: Any) -> None:
    hook("https://127.0.0.1")
    source = Source.objects.create(name="shop", kind="feed")
    deliveries.source_event("job.held", source, {"days_left": 3})
    told = json.loads(WebhookDelivery.objects.get().body)["data"]
    assert told == {"source": {"id": source.pk, "name": "shop", "kind": "feed"}, "days_left": 3}


def test_only_who_asked_is_told(hook: Any, owner: User) -> None:
    create_webhook(Owner(owner.pk), "https://127.0.0.1/", ["job.finished"])
    switched_off, _ = hook("https://127.0.0.1")
    Webhook.objects.filter(pk=switched_off.pk).update(is_enabled=False)
    jobs.fail(job().pk, {"code": "x"})
    assert not WebhookDelivery.objects.exists()


def test_a_delivery_is_signed_by_the_specification(hook: Any) -> None:
    with serving(OK) as (url, requests):
        _, secret = hook(url)
        delivery = attempt(failed_once())
    headers, body = parts(requests[0])
    assert requests[0].startswith(b"POST /hook HTTP/1.1\r\n")
    assert headers["content-type"] == "application/json"
    assert headers["webhook-id"] == f"evt_{delivery.event_id.hex}"
    assert headers["webhook-signature"] == signature(secret, headers, body)
    assert body.decode() == delivery.body
    assert (delivery.state, delivery.response_status, delivery.attempts[0]["excerpt"]) == ("succeeded", 200, "thanks")


def test_a_rotated_secret_signs_beside_the_old_one_for_a_day(hook: Any, owner: User) -> None:
    with serving(OK) as (url, requests):
        webhook, old = hook(url)
        _, new = rotate_secret(Owner(owner.pk), webhook.pk)
        delivery = attempt(failed_once())
    headers, body = parts(requests[0])
    assert headers["webhook-signature"].split() == [signature(each, headers, body) for each in (new, old)]
    tomorrow = timezone.now() + timedelta(hours=25)
    assert len(signed_headers(delivery, tomorrow)["webhook-signature"].split()) == 1


def test_a_refused_delivery_is_tried_again_later_and_later_and_then_given_up(hook: Any) -> None:
    with serving(BUSY) as (url, _):
        hook(url)
        delivery = failed_once()
        waits = []
        while delivery.state == "pending":
            due = attempt(delivery).next_attempt_at
            waits.append(round((due - timezone.now()).total_seconds()) if due else None)
    assert waits[:-1] == pytest.approx(list(DELAYS), abs=2)
    assert (delivery.state, delivery.tries, len(delivery.attempts)) == ("dead", 8, 8)
    assert {each["error"] for each in delivery.attempts} == {"http_503"}
    assert Webhook.objects.get().failures == 1


def test_a_dead_worker_costs_a_repetition_with_the_same_id(hook: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(OK) as (url, requests):
        hook(url)
        delivery = failed_once()

        def die(*_: object, **__: object) -> None:
            raise RuntimeError("killed")

        with monkeypatch.context() as patched:
            patched.setattr(pump, "_note", die)
            with pytest.raises(RuntimeError):
                attempt(delivery)
        delivery.refresh_from_db()
        assert (delivery.state, delivery.attempts) == ("pending", [])
        attempt(delivery)
    assert parts(requests[0])[0]["webhook-id"] == parts(requests[1])[0]["webhook-id"]


def test_the_same_bell_twice_sends_once(hook: Any) -> None:
    with serving(OK) as (url, requests):
        hook(url)
        delivery = failed_once()
        attempt(delivery)
        attempt(delivery)
    assert (len(requests), len(delivery.attempts)) == (1, 1)


def test_a_redelivery_takes_over_from_an_attempt_that_waits(hook: Any, owner: User) -> None:
    with serving(BUSY, OK) as (url, requests):
        webhook, _ = hook(url)
        late = redeliver(Owner(owner.pk), webhook.pk, attempt(failed_once()).pk)
        attempt(late)
    assert (late.state, [each["status"] for each in late.attempts]) == ("succeeded", [503, 200])
    assert parts(requests[0])[0]["webhook-id"] == parts(requests[1])[0]["webhook-id"]


def test_parallel_redeliveries_and_attempts_do_not_wait_for_each_other(hook: Any, owner: User) -> None:
    with serving(OK) as (url, _):
        webhook, _ = hook(url)
        delivery = failed_once()

        def work() -> None:
            redeliver(Owner(owner.pk), webhook.pk, delivery.pk)
            pump.pump()
            connection.close()

        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    delivery.refresh_from_db()
    assert (delivery.state, delivery.round) == ("succeeded", 5)


def test_deliveries_given_up_in_a_row_switch_the_webhook_off(hook: Any) -> None:
    with serving(BUSY) as (url, _):
        hook(url)
        for _number in range(DISABLE_AFTER):
            jobs.fail(job().pk, {"code": "x"})
        for delivery in WebhookDelivery.objects.all():
            WebhookDelivery.objects.filter(pk=delivery.pk).update(tries=len(DELAYS))
            attempt(delivery)
    webhook = Webhook.objects.get()
    assert (webhook.is_enabled, webhook.disabled_reason) == (False, "too_many_failures")
    assert AuditLog.objects.filter(action="webhook.disable").count() == 1


def test_one_that_is_heard_forgives_those_before(hook: Any) -> None:
    with serving(OK) as (url, _):
        hook(url)
        Webhook.objects.update(failures=DISABLE_AFTER - 1)
        attempt(failed_once())
    assert Webhook.objects.get().failures == 0


def test_gone_is_for_good(hook: Any) -> None:
    with serving(GONE) as (url, _):
        hook(url)
        assert attempt(failed_once()).state == "dead"
    assert Webhook.objects.get().disabled_reason == "gone"


@pytest.mark.parametrize("change", [{"status": "suspended"}, {"deleted_at": timezone.now()}])
def test_who_may_not_see_syncs_any_more_is_not_told(hook: Any, owner: User, change: dict[str, Any]) -> None:
    with serving(OK) as (url, requests):
        hook(url)
        User.objects.filter(pk=owner.pk).update(**change)
        delivery = attempt(failed_once())
    assert (delivery.state, delivery.attempts[0]["error"], requests) == ("dead", "owner_may_not", [])


def test_a_former_operator_is_not_told(hook: Any, owner: User) -> None:
    with serving(OK) as (url, requests):
        hook(url)
        owner.groups.clear()
        attempt(failed_once())
    assert requests == []


def test_a_large_answer_is_not_kept(hook: Any) -> None:
    with serving(http_answer(b"x" * 10_000)) as (url, _):
        hook(url)
        delivery = attempt(failed_once())
    assert len(delivery.attempts[0]["excerpt"]) == 500


@pytest.fixture
def receiver() -> dict[str, Any]:
    """The receiver of the documents."""
    page = (PROJECT / "docs" / "webhooks.md").read_text(encoding="utf-8")
    told: dict[str, Any] = {}
    exec(page.split("```python receiver\n", 1)[1].split("```", 1)[0], told)  # noqa: S102 - our own document
    return told


def test_the_receiver_of_the_documents_tells_ours_from_others(hook: Any, receiver: dict[str, Any]) -> None:
    with serving(OK) as (url, requests):
        _, secret = hook(url)
        attempt(failed_once())
    headers, body = parts(requests[0])
    check = receiver["is_from_1688sync"]
    assert check(secret, headers, body)
    assert not check(secret, headers, body + b" ")
    assert not check("whsec_" + base64.b64encode(b"x" * 32).decode(), headers, body)
    assert not check(secret, headers | {"webhook-timestamp": "1700000000"}, body)


def test_the_receiver_of_the_documents_takes_each_thing_once_and_in_order(
    follow: Any, receiver: dict[str, Any]
) -> None:
    with serving(OK) as (url, requests):
        webhook = follow(url, [*Webhook.KINDS, "job.failed"])
        older, younger = late_line(1)
        other = write(2)
        settled()
        pump.pump()
        failed = failed_once_for(webhook)
        attempt(failed)
    inbox, news = receiver["Inbox"](), list[Any]()
    for request in (*requests, *requests):
        news += inbox.news(*parts(request))
    late = json.dumps({"type": "product.changes", "data": {"changes": [{"id": older, "product_id": 1}]}}).encode()
    assert list(inbox.news({"webhook-id": "evt_late"}, late)) == []
    assert [each.get("id") for each in news] == [older, younger, other, None]
