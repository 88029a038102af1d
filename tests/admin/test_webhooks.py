"""Pages of webhooks, deliveries, change messages and scheduled runs: to look at, one's own, and to deliver again."""

from typing import Any

import pytest
from django.utils import timezone

from accounts.models import User
from syncjobs.models import ChangeMessage, ScheduledRun, Source, Webhook, WebhookDelivery
from tests.admin.conftest import Pages, deed_on, list_of, page_of

Rows = dict[str, Any]


@pytest.fixture
def made(operator: User) -> Rows:
    """One row of each, the webhook the operator's."""
    source = Source.objects.create(name="shop", kind="alibaba1688")
    hook = Webhook.objects.create(owner=operator, url="https://8.8.8.8/hidden-token", events=["job.failed"])
    body = '{"type": "job.failed"}'
    return {
        "hook": hook,
        "delivery": WebhookDelivery.objects.create(webhook=hook, event="job.failed", body=body, state="dead"),
        "message": ChangeMessage.objects.create(source=source, msg_id="77", type="PRODUCT", offer_ids=["1"]),
        "run": ScheduledRun.objects.create(schedule_id=1, slot=timezone.now(), state="missed"),
    }


@pytest.mark.parametrize("role", ["operator", "admin"])
def test_every_list_and_page_opens(role: str, made: Rows, request: pytest.FixtureRequest) -> None:
    pages = Pages(request.getfixturevalue(role))
    for row in made.values():
        assert str(row.pk) in pages.get(list_of(type(row)))
        pages.get(page_of(row))


def test_other_peoples_webhooks_are_not_shown(made: Rows, viewer: User) -> None:
    pages = Pages(viewer)
    for model in (Webhook, WebhookDelivery):
        assert "hidden-token" not in pages.get(list_of(model))


def test_a_delivery_is_sent_again_by_a_button(made: Rows, operator: User) -> None:
    Pages(operator).post(deed_on(made["delivery"], "redeliver"))
    made["delivery"].refresh_from_db()
    assert (made["delivery"].state, made["delivery"].round) == ("pending", 2)


def test_a_viewer_sends_nothing_again(made: Rows, viewer: User) -> None:
    Pages(viewer).post(deed_on(made["delivery"], "redeliver"), expect=404)
    assert WebhookDelivery.objects.get().round == 1
