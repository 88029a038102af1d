"""Webhooks that ask for product events: runs of changes, one after the other, from the moment they asked."""

import json
import socket
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import Settings

from accounts.models import User
from accounts.services import create_user
from products.models import Product, ProductChange
from syncjobs.models import Webhook, WebhookDelivery
from syncjobs.services import following, pump, tidying
from syncjobs.services.deliveries import redeliver
from syncjobs.services.pump import DELAYS
from syncjobs.services.webhooks import Owner, create_webhook, update_webhook
from system.models import Email, Task
from tests.conftest import PASSWORD, eventually
from tests.connectors.alibaba1688.support import http_answer, serving
from tests.products.records import apply, record
from tests.products.test_change_feed import settled
from tests.products.test_following import write

pytestmark = pytest.mark.django_db(transaction=True)

OK, BUSY = http_answer(b"thanks"), http_answer(b"later", "503 Busy")
Hook = Callable[..., Webhook]


@pytest.fixture(autouse=True)
def bells(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody hears the workers' bells."""
    monkeypatch.setattr("system.queue.current_app.send_task", lambda *_, **__: None)


@pytest.fixture
def owner(settings: Settings) -> User:
    """An operator, who may call servers on this machine."""
    settings.OUTBOUND_ALLOWED_HOSTS = ("127.0.0.1",)
    return create_user("hooked", "hooked@example.com", PASSWORD, role="operator")


@pytest.fixture
def hook(owner: User) -> Hook:
    """Makes webhooks that are told of products."""

    def make(url: str, events: Any = tuple(Webhook.KINDS), **filters: Any) -> Webhook:
        return create_webhook(Owner(owner.pk), f"{url}/hook", events, **filters)[0]

    return make


def send(*, at_once: bool = False) -> None:
    """What the workers do once the feed has settled; `at_once`: and whatever waits is due."""
    settled()
    if at_once:
        WebhookDelivery.objects.filter(state="pending").update(next_attempt_at=timezone.now())
        Webhook.objects.update(resting_until=None)
    pump.pump()


def told(requests: list[bytes]) -> list[dict[str, Any]]:
    """What each request said."""
    return [json.loads(request.partition(b"\r\n\r\n")[2]) for request in requests]


def ids(requests: list[bytes]) -> list[list[int]]:
    """The changes in each request."""
    return [[change["id"] for change in each["data"]["changes"]] for each in told(requests)]


def test_what_happened_to_products_is_told_in_one_run(hook: Hook) -> None:
    apply(record("1"))
    with serving(OK) as (url, requests):
        settled()
        hook(url)
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


def test_a_sync_writes_no_delivery_and_no_task(hook: Hook) -> None:
    for _ in range(3):
        hook("https://127.0.0.1")
    apply(*(record(str(number)) for number in range(50)))
    assert not WebhookDelivery.objects.exists()
    assert not Task.objects.filter(kind="webhook.deliver").exists()


def test_the_sweeper_rings_while_there_is_something_to_tell(hook: Hook) -> None:
    bells = Task.objects.filter(kind="webhook.deliver")
    with serving(OK) as (url, _):
        settled()
        hook(url)
        pump.ring_waiting()
        assert not bells.exists()
        write(1)
        pump.ring_waiting()
        pump.ring_waiting()
        assert bells.count() == 1
        bells.delete()
        send()
        pump.ring_waiting()
    assert not bells.exists()


def test_runs_are_bounded_and_follow_each_other(hook: Hook, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(following, "MOST_CHANGES", 3)
    with serving(OK) as (url, requests):
        hook(url)
        written = [write(number % 2) for number in range(8)]
        send()
    assert ids(requests) == [written[:3], written[3:6], written[6:]]
    assert WebhookDelivery.objects.filter(state="succeeded").count() == 3


def test_a_run_is_bounded_in_bytes_and_a_huge_change_says_only_which_fields(hook: Hook) -> None:
    with serving(OK) as (url, requests):
        hook(url)
        written = [write(1, fields={"title": ["x" * 30_000, ""]}) for _ in range(20)]
        huge = write(1, fields={"description": ["y" * 50_000, ""]})
        send()
    assert [number for run in ids(requests) for number in run] == [*written, huge]
    assert len(requests) > 1
    assert max(map(len, requests)) < following.MOST_BYTES + 2_000
    last = told(requests)[-1]["data"]["changes"][-1]
    assert (last["changed"], last["fields"]) == (["description"], None)


def test_the_next_run_waits_until_the_one_before_is_heard(hook: Hook) -> None:
    with serving(BUSY, OK) as (url, requests):
        webhook = hook(url)
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


def test_after_a_run_that_was_given_up_the_next_says_that_there_is_a_gap(hook: Hook) -> None:
    with serving(BUSY, BUSY, OK) as (url, requests):
        hook(url)
        lost = write(1)
        send()
        kept = write(1)
        given_up(WebhookDelivery.objects.get())
        later = write(1)
        send()
    assert ids(requests) == [[lost], [lost], [kept], [later]]
    assert [run["data"]["gap"] for run in told(requests)] == [False, False, True, False]


def test_a_redelivery_of_an_old_run_does_not_hold_up_newer_ones(hook: Hook, owner: User) -> None:
    with serving(OK, BUSY, OK) as (url, requests):
        webhook = hook(url)
        old = write(1)
        send()
        redeliver(Owner(owner.pk), webhook.pk, WebhookDelivery.objects.get().pk)
        new = write(1)
        send()
    assert ids(requests) == [[old], [old], [new]]
    assert WebhookDelivery.objects.order_by("id").values_list("state", flat=True)[0] == "pending"


def test_a_redelivery_of_the_run_under_way_is_still_the_one_to_wait_for(hook: Hook, owner: User) -> None:
    with serving(BUSY, BUSY, OK) as (url, requests):
        webhook = hook(url)
        first = write(1)
        send()
        second = write(1)
        redeliver(Owner(owner.pk), webhook.pk, WebhookDelivery.objects.get().pk)
        send()
        assert ids(requests) == [[first], [first]]
        send(at_once=True)
    assert ids(requests)[2:] == [[first], [second]]


def test_other_events_do_not_queue_behind_products(hook: Hook) -> None:
    with serving(BUSY, OK) as (url, requests):
        webhook = hook(url, [*Webhook.KINDS, "job.failed"])
        write(1)
        send()
        WebhookDelivery.objects.create(
            webhook=webhook, event="job.failed", body='{"type": "job.failed"}', next_attempt_at=timezone.now()
        )
        send()
    assert [run["type"] for run in told(requests)] == ["product.changes", "job.failed"]


def test_only_kinds_that_were_asked_for_are_told(hook: Hook) -> None:
    with serving(OK) as (url, requests):
        hook(url, ["product.delisted"])
        write(1, "updated"), write(1, "missing")
        wanted = write(1, "delisted")
        send()
    assert ids(requests) == [[wanted]]


def test_every_kind_of_change_is_an_event_or_a_step_of_the_ladder() -> None:
    assert {*Webhook.KINDS.values()} | {*ProductChange.STEPS} == {*ProductChange.Kind}
    assert all(event.value == f"product.{kind.value}" for event, kind in Webhook.KINDS.items())


def test_what_nobody_asked_for_is_passed_in_bounded_steps(hook: Hook, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("products.selectors.changes.SCAN_LIMIT", 2)
    with serving(OK) as (url, requests):
        webhook = hook(url, ["product.deleted"])
        for _ in range(7):
            write(1)
        wanted = write(1, "deleted")
        send()
    webhook.refresh_from_db()
    assert ids(requests) == [[wanted]]
    assert (webhook.heard_xact, webhook.heard_line) == (webhook.feed_xact, webhook.feed_line)


def test_switched_on_again_it_goes_on_behind_what_was_heard(hook: Hook, owner: User) -> None:
    with serving(OK, BUSY, OK) as (url, requests):
        webhook = hook(url)
        heard = write(1)
        send()
        refused = write(1)
        send()
        update_webhook(Owner(owner.pk), webhook.pk, {"is_enabled": False})
        assert WebhookDelivery.objects.get(state="dead").attempts[-1]["error"] == "webhook_disabled"
        meanwhile = write(1)
        send()
        update_webhook(Owner(owner.pk), webhook.pk, {"is_enabled": True})
        send()
    assert ids(requests) == [[heard], [refused], [refused, meanwhile]]
    assert not told(requests)[-1]["data"]["gap"]


def switched_off_and_on(webhook: Webhook, owner: User, meanwhile: Callable[[], object]) -> None:
    update_webhook(Owner(owner.pk), webhook.pk, {"is_enabled": False})
    meanwhile()
    settled()
    update_webhook(Owner(owner.pk), webhook.pk, {"is_enabled": True})


def test_where_the_feed_was_tidied_the_first_event_says_so(hook: Hook, owner: User) -> None:
    def tidied() -> None:
        write(2)
        ProductChange.objects.filter(product_id=1).delete()

    with serving(OK) as (url, requests):
        webhook = hook(url)
        write(1)
        send()
        switched_off_and_on(webhook, owner, tidied)
        send()
        later = write(3)
        send()
    assert [(run["data"]["gap"], ids) for run, ids in zip(told(requests), ids(requests), strict=True)][1:] == [
        (True, []),
        (False, [later]),
    ]


def test_too_long_a_way_is_a_gap(hook: Hook, owner: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(following, "LONGEST_WAY", 2)
    write(1)
    with serving(OK) as (url, requests):
        webhook = hook(url)
        switched_off_and_on(webhook, owner, lambda: [write(number) for number in range(4)])
        send()
    assert [(run["data"]["gap"], run["data"]["changes"]) for run in told(requests)] == [(True, [])]


def test_a_database_restored_elsewhere_begins_anew_with_a_gap(hook: Hook) -> None:
    with serving(OK) as (url, requests):
        hook(url)
        Webhook.objects.update(feed_cluster="1")
        send()
        later = write(1)
        send()
    assert [run["data"]["gap"] for run in told(requests)] == [True, False]
    assert ids(requests) == [[], [later]]


@pytest.mark.parametrize("end", [lambda owner: owner.groups.clear(), lambda owner: owner.delete()])
def test_a_former_operator_is_told_of_no_product(hook: Hook, owner: User, end: Callable[[User], object]) -> None:
    with serving(OK) as (url, requests):
        webhook = hook(url)
        end(User.objects.get(pk=owner.pk))
        write(1)
        send()
    webhook.refresh_from_db()
    assert (webhook.is_enabled, webhook.disabled_reason, requests) == (False, "owner_may_not", [])
    assert not WebhookDelivery.objects.exists()


def test_switching_off_is_written_to_the_owner_and_to_the_log(
    hook: Hook, owner: User, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    settings.EMAIL_HOST = "127.0.0.1"
    with serving(http_answer(b"", "410 Gone")) as (url, _):
        webhook = hook(url)
        write(1)
        send()
    webhook.refresh_from_db()
    letter = Email.objects.get()
    assert (webhook.disabled_reason, letter.to) == ("gone", owner.email)
    assert webhook.disabled_at is not None
    assert webhook.url in letter.body
    assert [line.levelname for line in caplog.records if "is switched off" in line.message] == ["WARNING"]


def test_without_a_mail_server_nothing_is_written(hook: Hook, settings: Settings) -> None:
    settings.EMAIL_HOST = ""
    with serving(http_answer(b"", "410 Gone")) as (url, _):
        hook(url)
        write(1)
        send()
    assert (Webhook.objects.get().is_enabled, Email.objects.count()) == (False, 0)


def test_a_worker_that_dies_while_it_sends_costs_a_repetition(hook: Hook, monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(OK) as (url, requests):
        hook(url)
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


def test_a_receiver_that_hangs_keeps_nobody_else_waiting(hook: Hook, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(following, "MOST_CHANGES", 1)

    def hang(connection: socket.socket) -> None:
        eventually(lambda: len(seen_by_others) == 5)
        connection.sendall(OK)

    with serving(hang) as (slow, _), serving(OK) as (fast, seen_by_others):
        hook(slow), hook(fast)
        written = [write(1) for _ in range(5)]
        send()
    assert ids(seen_by_others) == [[number] for number in written]
    assert WebhookDelivery.objects.filter(state="succeeded").count() == 10


def test_after_silence_other_deliveries_rest_too(hook: Hook) -> None:
    with serving(lambda _: None) as (url, requests):
        webhook = hook(url, ["job.failed"])
        for _ in range(3):
            WebhookDelivery.objects.create(
                webhook=webhook, event="job.failed", body="{}", next_attempt_at=timezone.now()
            )
        send()
    webhook.refresh_from_db()
    assert len(requests) == 1
    assert webhook.resting_until is not None


def test_runs_that_were_heard_are_forgotten_sooner(hook: Hook) -> None:
    webhook, old = hook("https://127.0.0.1"), timezone.now() - timedelta(days=4)
    for event, state in [("product.changes", "succeeded"), ("product.changes", "dead"), ("job.failed", "succeeded")]:
        WebhookDelivery.objects.create(webhook=webhook, event=event, body="{}", state=state, created_at=old)
    tidying.tidy()
    assert sorted(WebhookDelivery.objects.values_list("event", "state")) == [
        ("job.failed", "succeeded"),
        ("product.changes", "dead"),
    ]
