"""Webhooks that are switched off and on again: who is told, and where product events go on."""

from collections.abc import Callable

import pytest
from pytest_django import Settings

from accounts.models import User
from products.models import ProductChange
from syncjobs.models import Webhook, WebhookDelivery
from syncjobs.services import following
from syncjobs.services.webhooks import Owner, update_webhook
from system.models import Email
from tests.connectors.alibaba1688.support import http_answer, serving
from tests.products.test_change_feed import settled
from tests.products.test_following import write
from tests.syncjobs.hooks import BUSY, OK, Hook, ids, send, told

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("silence")]


def test_switched_on_again_it_goes_on_behind_what_was_heard(follow: Hook, owner: User) -> None:
    with serving(OK, BUSY, OK) as (url, requests):
        webhook = follow(url)
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


def test_where_the_feed_was_tidied_the_first_event_says_so(follow: Hook, owner: User) -> None:
    def tidied() -> None:
        write(2)
        ProductChange.objects.filter(product_id=1).delete()

    with serving(OK) as (url, requests):
        webhook = follow(url)
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


def test_too_long_a_way_is_a_gap(follow: Hook, owner: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(following, "LONGEST_WAY", 2)
    write(1)
    with serving(OK) as (url, requests):
        webhook = follow(url)
        switched_off_and_on(webhook, owner, lambda: [write(number) for number in range(4)])
        send()
    assert [(run["data"]["gap"], run["data"]["changes"]) for run in told(requests)] == [(True, [])]


def test_a_database_restored_elsewhere_begins_anew_with_a_gap(follow: Hook) -> None:
    with serving(OK) as (url, requests):
        follow(url)
        Webhook.objects.update(feed_cluster="1")
        send()
        later = write(1)
        send()
    assert [run["data"]["gap"] for run in told(requests)] == [True, False]
    assert ids(requests) == [[], [later]]


@pytest.mark.parametrize("end", [lambda owner: owner.groups.clear(), lambda owner: owner.delete()])
def test_a_former_operator_is_told_of_no_product(follow: Hook, owner: User, end: Callable[[User], object]) -> None:
    with serving(OK) as (url, requests):
        webhook = follow(url)
        end(User.objects.get(pk=owner.pk))
        write(1)
        send()
    webhook.refresh_from_db()
    assert (webhook.is_enabled, webhook.disabled_reason, requests) == (False, "owner_may_not", [])
    assert not WebhookDelivery.objects.exists()


def test_switching_off_is_written_to_the_owner_and_to_the_log(
    follow: Hook, owner: User, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    settings.EMAIL_HOST = "127.0.0.1"
    with serving(http_answer(b"", "410 Gone")) as (url, _):
        webhook = follow(url)
        write(1)
        send()
    webhook.refresh_from_db()
    letter = Email.objects.get()
    assert (webhook.disabled_reason, letter.to) == ("gone", owner.email)
    assert webhook.disabled_at is not None
    assert webhook.url in letter.body
    assert [line.levelname for line in caplog.records if "is switched off" in line.message] == ["WARNING"]


def test_without_a_mail_server_nothing_is_written(follow: Hook, settings: Settings) -> None:
    settings.EMAIL_HOST = ""
    with serving(http_answer(b"", "410 Gone")) as (url, _):
        follow(url)
        write(1)
        send()
    assert (Webhook.objects.get().is_enabled, Email.objects.count()) == (False, 0)
