"""Webhooks that ask for product events: runs of changes, one after the other, from the moment they asked."""

import socket
import threading
from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.models import User
from products.models import Product, ProductChange
from syncjobs.models import SyncJob, Webhook, WebhookDelivery
from syncjobs.services import following, pump, tidying
from syncjobs.services.deliveries import redeliver
from syncjobs.services.pump import DELAYS
from syncjobs.services.sweep import sweep_jobs
from syncjobs.services.webhooks import Owner
from system.models import Task
from tests.conftest import eventually
from tests.connectors.alibaba1688.support import serving
from tests.products.records import apply, record
from tests.products.test_change_feed import settled
from tests.products.test_following import write
from tests.syncjobs.conftest import claimed_task
from tests.syncjobs.hooks import BUSY, OK, Hook, ids, send, told

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("silence")]


def test_what_happened_to_products_is_told_in_one_run(follow: Hook) -> None:
    apply(record("1"))
    with serving(OK) as (url, requests):
        settled()
        follow(url)
        apply(record("2"))
        apply(record("2", stock=7))
        send()
    (run,) = told(requests)
    created, updated = run["data"]["changes"]
    product = Product.objects.get(source_id="2")
    assert (run["type"], run["data"]["gap"]) == ("product.changes", False)
    assert (created["type"], created["product_id"], created["sku"]) == ("product.created", product.pk, product.sku)
    assert (updated["type"], updated["changed"], updated["fields"]) == (
        "product.updated",
        ["stock"],
        {"stock": [100, 7]},
    )
    assert updated["id"] > created["id"]


def test_a_sync_writes_no_delivery_and_no_task(follow: Hook) -> None:
    for _ in range(3):
        follow("https://127.0.0.1")
    apply(*(record(str(number)) for number in range(50)))
    assert not WebhookDelivery.objects.exists()
    assert not Task.objects.filter(kind="webhook.deliver").exists()


def test_the_sweeper_has_it_sent_while_there_is_something_to_tell(
    follow: Hook, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun = list[None]()
    monkeypatch.setattr(pump, "begin", lambda: begun.append(None))
    with serving(OK) as (url, _):
        settled()
        follow(url)
        sweep_jobs()
        assert not begun
        write(1)
        sweep_jobs()
        assert len(begun) == 1
        send()
        sweep_jobs()
    assert len(begun) == 1


def test_a_thread_sends_beside_the_tasks(follow: Hook) -> None:
    with serving(OK) as (url, requests):
        follow(url)
        written = write(1)
        settled()
        pump.deliver({}, claimed_task(SyncJob(pk=1)))
        eventually(lambda: WebhookDelivery.objects.filter(state="succeeded").exists())
        eventually(lambda: "webhooks" not in {thread.name for thread in threading.enumerate()})
    assert ids(requests) == [[written]]


def test_a_worker_that_is_told_to_stop_begins_nothing_new(follow: Hook, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("system.leaving.told", lambda: True)
    with serving(OK) as (url, requests):
        follow(url)
        write(1)
        send()
    assert requests == []


def test_runs_are_bounded_and_follow_each_other(follow: Hook, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(following, "MOST_CHANGES", 3)
    with serving(OK) as (url, requests):
        follow(url)
        written = [write(number % 2) for number in range(8)]
        send()
    assert ids(requests) == [written[:3], written[3:6], written[6:]]
    assert WebhookDelivery.objects.filter(state="succeeded").count() == 3


def test_a_run_is_bounded_in_bytes_and_a_huge_change_says_only_which_fields(follow: Hook) -> None:
    with serving(OK) as (url, requests):
        follow(url)
        written = [write(1, fields={"title": ["x" * 30_000, ""]}) for _ in range(20)]
        huge = write(1, fields={"description": ["y" * 50_000, ""]})
        send()
    assert [number for run in ids(requests) for number in run] == [*written, huge]
    assert len(requests) > 1
    assert max(map(len, requests)) < following.MOST_BYTES + 2_000
    last = told(requests)[-1]["data"]["changes"][-1]
    assert (last["changed"], last["fields"]) == (["description"], None)


def test_the_next_run_waits_until_the_one_before_is_heard(follow: Hook) -> None:
    with serving(BUSY, OK) as (url, requests):
        webhook = follow(url)
        first = write(1)
        send()
        second = write(1)
        send()
        assert ids(requests) == [[first]]
        webhook.refresh_from_db()
        assert webhook.feed_delivery_id == WebhookDelivery.objects.get().pk
        send(at_once=True)
    assert ids(requests) == [[first], [first], [second]]


def given_up(delivery: WebhookDelivery) -> None:
    """Let a delivery fail for the last time."""
    WebhookDelivery.objects.filter(pk=delivery.pk).update(tries=len(DELAYS))
    send(at_once=True)


def test_after_a_run_that_was_given_up_the_next_says_that_there_is_a_gap(follow: Hook) -> None:
    with serving(BUSY, BUSY, OK) as (url, requests):
        follow(url)
        lost = write(1)
        send()
        kept = write(1)
        given_up(WebhookDelivery.objects.get())
        later = write(1)
        send()
    assert ids(requests) == [[lost], [lost], [kept], [later]]
    assert [run["data"]["gap"] for run in told(requests)] == [False, False, True, False]


def test_a_redelivery_of_an_old_run_does_not_hold_up_newer_ones(follow: Hook, owner: User) -> None:
    with serving(OK, BUSY, OK) as (url, requests):
        webhook = follow(url)
        old = write(1)
        send()
        redeliver(Owner(owner.pk), webhook.pk, WebhookDelivery.objects.get().pk)
        new = write(1)
        send()
    assert ids(requests) == [[old], [old], [new]]
    assert WebhookDelivery.objects.order_by("id").values_list("state", flat=True)[0] == "pending"


def test_a_redelivery_of_the_run_under_way_is_still_the_one_to_wait_for(follow: Hook, owner: User) -> None:
    with serving(BUSY, BUSY, OK) as (url, requests):
        webhook = follow(url)
        first = write(1)
        send()
        second = write(1)
        redeliver(Owner(owner.pk), webhook.pk, WebhookDelivery.objects.get().pk)
        send()
        assert ids(requests) == [[first], [first]]
        send(at_once=True)
    assert ids(requests)[2:] == [[first], [second]]


def test_other_events_do_not_queue_behind_products(follow: Hook) -> None:
    with serving(BUSY, OK) as (url, requests):
        webhook = follow(url, [*Webhook.KINDS, "job.failed"])
        write(1)
        send()
        WebhookDelivery.objects.create(
            webhook=webhook, event="job.failed", body='{"type": "job.failed"}', next_attempt_at=timezone.now()
        )
        send()
    assert [run["type"] for run in told(requests)] == ["product.changes", "job.failed"]


def test_only_kinds_that_were_asked_for_are_told(follow: Hook) -> None:
    with serving(OK) as (url, requests):
        follow(url, ["product.delisted"])
        write(1, "updated"), write(1, "missing")
        wanted = write(1, "delisted")
        send()
    assert ids(requests) == [[wanted]]


def test_every_kind_of_change_is_an_event_or_a_step_of_the_ladder() -> None:
    assert {*Webhook.KINDS.values()} | {*ProductChange.STEPS} == {*ProductChange.Kind}
    assert all(event.value == f"product.{kind.value}" for event, kind in Webhook.KINDS.items())


def test_what_nobody_asked_for_is_passed_in_bounded_steps(follow: Hook, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("products.selectors.changes.SCAN_LIMIT", 2)
    with serving(OK) as (url, requests):
        webhook = follow(url, ["product.deleted"])
        for _ in range(7):
            write(1)
        wanted = write(1, "deleted")
        send()
    webhook.refresh_from_db()
    assert ids(requests) == [[wanted]]
    assert (webhook.heard_xact, webhook.heard_line) == (webhook.feed_xact, webhook.feed_line)


def test_a_worker_that_dies_while_it_sends_costs_a_repetition(follow: Hook, monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(OK) as (url, requests):
        follow(url)
        first = write(1)
        settled()
        with monkeypatch.context() as patched:
            patched.setattr(pump, "_note", lambda *_: 1 / 0)
            with pytest.raises(ZeroDivisionError):
                pump.pump()
        send()
        assert ids(requests) == [[first]]  # the dead one has the webhook for half a minute
        Webhook.objects.update(busy_until=timezone.now())
        send()
    assert ids(requests) == [[first], [first]]
    ids_sent = {request.partition(b"webhook-id: ")[2].partition(b"\r\n")[0] for request in requests}
    assert len(ids_sent) == 1


def test_a_receiver_that_hangs_keeps_nobody_else_waiting(follow: Hook, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(following, "MOST_CHANGES", 1)

    def hang(connection: socket.socket) -> None:
        eventually(lambda: len(seen_by_others) == 5)
        connection.sendall(OK)

    with serving(hang) as (slow, _), serving(OK) as (fast, seen_by_others):
        follow(slow), follow(fast)
        written = [write(1) for _ in range(5)]
        send()
    assert ids(seen_by_others) == [[number] for number in written]
    assert WebhookDelivery.objects.filter(state="succeeded").count() == 10


def test_after_silence_other_deliveries_rest_too(follow: Hook) -> None:
    with serving(lambda _: None) as (url, requests):
        webhook = follow(url, ["job.failed"])
        for _ in range(3):
            WebhookDelivery.objects.create(
                webhook=webhook, event="job.failed", body="{}", next_attempt_at=timezone.now()
            )
        send()
    webhook.refresh_from_db()
    assert len(requests) == 1
    assert webhook.resting_until is not None


def test_runs_that_were_heard_are_forgotten_sooner(follow: Hook) -> None:
    webhook, old = follow("https://127.0.0.1"), timezone.now() - timedelta(days=4)
    for event, state in [("product.changes", "succeeded"), ("product.changes", "dead"), ("job.failed", "succeeded")]:
        WebhookDelivery.objects.create(webhook=webhook, event=event, body="{}", state=state, created_at=old)
    tidying.tidy()
    assert sorted(WebhookDelivery.objects.values_list("event", "state")) == [
        ("job.failed", "succeeded"),
        ("product.changes", "dead"),
    ]
