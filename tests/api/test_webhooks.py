"""Webhooks over the API: one's own, with a secret shown once."""

from typing import Any

import pytest
from django.utils import timezone
from pytest_django import Settings

from accounts.models import User
from accounts.services import create_user
from products.models import ProductChange
from syncjobs.models import Source, Webhook, WebhookDelivery
from system.models import AuditLog, Task
from tests.client import ApiClient
from tests.conftest import PASSWORD

NEW = {"url": "https://8.8.8.8/hooks/1688sync", "events": ["job.held", "job.finished"], "description": "shop"}


@pytest.fixture
def operate(api: ApiClient, operator: User) -> ApiClient:
    """The API as an operator."""
    return api.as_(operator)


@pytest.fixture
def hook(operate: ApiClient) -> dict[str, Any]:
    """A webhook without its secret."""
    made: dict[str, Any] = operate.post("webhooks", NEW, expect=201)
    del made["secret"]
    return made


@pytest.fixture
def delivery(hook: dict[str, Any]) -> WebhookDelivery:
    """A delivery that was given up."""
    body = '{"type": "job.finished", "data": {"job": {"task_id": "sync_20250101_001"}}}'
    return WebhookDelivery.objects.create(
        webhook_id=hook["id"], event="job.finished", body=body, state="dead", tries=8, attempts=[]
    )


def test_a_secret_is_shown_once(operate: ApiClient) -> None:
    made = operate.post("webhooks", NEW, expect=201)
    secret = made.pop("secret")
    assert secret.startswith("whsec_")
    assert operate.last.headers["Cache-Control"] == "no-store"
    assert operate.last.headers["Location"] == f"/api/v1/webhooks/{made['id']}"
    assert operate.get(f"webhooks/{made['id']}") == made
    assert operate.get("webhooks")["items"] == [made]
    assert secret.encode() not in bytes(Webhook.objects.get().secrets)
    assert made["events"] == ["job.finished", "job.held"]


BAD: list[tuple[dict[str, Any], str]] = [
    ({"url": None}, "url"),
    ({"url": ""}, "url"),
    ({"url": 5}, "url"),
    ({"url": "https://8.8.8.8/" + "x" * 2000}, "url"),
    ({"events": []}, "events"),
    ({"events": ["job.exploded"]}, "events"),
    ({"events": "job.finished"}, "events"),
    ({"events": ["job.finished"] * 99}, "events"),
    ({"description": "x" * 201}, "description"),
    ({"secret": "mine"}, "secret"),
    ({"sources": "demo"}, "sources"),
    ({"sources": ["x" * 51]}, "sources"),
    ({"changed_fields": ["colour"]}, "changed_fields"),
    ({"owner_id": 1}, "owner_id"),
    ({"is_enabled": False}, "is_enabled"),
]


@pytest.mark.parametrize(("change", "field"), BAD, ids=[str(change)[:60] for change, _ in BAD])
def test_a_webhook_that_makes_no_sense_is_refused_by_field(
    operate: ApiClient, change: dict[str, Any], field: str
) -> None:
    assert field in operate.post("webhooks", NEW | change, expect=400)["details"]
    assert not Webhook.objects.exists()


def test_there_is_a_limit_a_person(operate: ApiClient, hook: dict[str, Any], settings: Settings) -> None:
    settings.WEBHOOKS_PER_USER = 1
    assert operate.post("webhooks", NEW, expect=409)["code"] == "E02035"


def test_a_changed_address_is_judged_too(operate: ApiClient, hook: dict[str, Any], settings: Settings) -> None:
    settings.OUTBOUND_ALLOWED_HOSTS = ()
    error = operate.patch(f"webhooks/{hook['id']}", {"url": "https://10.0.0.1/"}, expect=400)
    assert (error["code"], Webhook.objects.get().url) == ("E02030", NEW["url"])


def test_a_source_nobody_knows_is_refused(operate: ApiClient) -> None:
    known = Source.objects.create(name="shop", kind="feed").name
    error = operate.post("webhooks", NEW | {"sources": [known, "shpo"]}, expect=422)
    assert (error["code"], error["details"]) == ("E02003", {"sources": ["shpo"]})


def test_product_events_show_how_far_behind_they_are(operate: ApiClient, hook: dict[str, Any]) -> None:
    filters = {"events": ["product.updated"], "changed_fields": ["stock", "price"]}
    shown = operate.patch(f"webhooks/{hook['id']}", filters)
    assert shown["changed_fields"] == ["price", "stock"]
    assert shown["lag"] == {"changes": 0, "oldest_at": None, "waits_for": None}
    line = ProductChange.objects.create(product_id=1, kind="updated", fields={"stock": [1, 2]})
    lag = operate.get("webhooks")["items"][0]["lag"]
    assert (lag["changes"], lag["oldest_at"][:10]) == (1, line.at.isoformat()[:10])
    assert operate.patch(f"webhooks/{hook['id']}", {"events": ["job.held"]})["lag"] is None


def test_switching_on_forgives(operate: ApiClient, hook: dict[str, Any]) -> None:
    off = {"is_enabled": False, "failures": 5, "disabled_reason": "too_many_failures", "disabled_at": timezone.now()}
    Webhook.objects.update(**off)
    assert operate.get(f"webhooks/{hook['id']}")["disabled_at"]
    shown = operate.patch(f"webhooks/{hook['id']}", {"is_enabled": True})
    assert (shown["is_enabled"], shown["failures"], shown["disabled_reason"]) == (True, 0, "")
    assert shown["disabled_at"] is None


def test_a_stale_etag_is_412(operate: ApiClient, hook: dict[str, Any]) -> None:
    address = f"webhooks/{hook['id']}"
    operate.get(address)
    known = {"If-Match": operate.last.headers["ETag"]}
    operate.put(address, NEW | {"description": "new"}, headers=known)
    operate.put(address, NEW, headers=known, expect=412)
    operate.post(f"{address}/secret", {}, headers=known, expect=412)
    operate.delete(address, headers=known, expect=412)


def test_a_rotated_secret_is_another_and_audited_without_it(operate: ApiClient, hook: dict[str, Any]) -> None:
    secret = operate.post(f"webhooks/{hook['id']}/secret", {})["secret"]
    assert secret.startswith("whsec_")
    assert operate.post(f"webhooks/{hook['id']}/secret", {})["secret"] != secret
    lines = AuditLog.objects.filter(target_type="webhook").values_list("action", "before", "after")
    assert [action for action, *_ in lines.order_by("id")] == ["webhook.create", "webhook.rotate", "webhook.rotate"]
    assert "whsec_" not in str(list(lines))


def test_deliveries_are_listed_with_what_they_say(
    operate: ApiClient, hook: dict[str, Any], delivery: WebhookDelivery
) -> None:
    shown = operate.get(f"webhooks/{hook['id']}/deliveries", status="dead,pending", event="job.finished")["items"][0]
    assert (shown["status"], shown["event_id"]) == ("dead", f"evt_{delivery.event_id.hex}")
    assert shown["payload"]["data"]["job"]["task_id"] == "sync_20250101_001"
    assert operate.get(f"webhooks/{hook['id']}/deliveries", status="succeeded")["items"] == []


def test_a_redelivery_is_another_attempt_with_the_same_id(
    operate: ApiClient, hook: dict[str, Any], delivery: WebhookDelivery
) -> None:
    shown = operate.post(f"webhooks/{hook['id']}/deliveries/{delivery.pk}/redeliver", {}, expect=202)
    assert (shown["status"], shown["event_id"]) == ("pending", f"evt_{delivery.event_id.hex}")
    assert (Task.objects.get().kind, WebhookDelivery.objects.get().round) == ("webhook.deliver", 2)


def test_a_webhook_that_is_off_delivers_nothing_again(
    operate: ApiClient, hook: dict[str, Any], delivery: WebhookDelivery
) -> None:
    operate.patch(f"webhooks/{hook['id']}", {"is_enabled": False})
    error = operate.post(f"webhooks/{hook['id']}/deliveries/{delivery.pk}/redeliver", {}, expect=409)
    assert error["code"] == "E02036"


def test_a_removed_webhook_takes_its_deliveries_along(
    operate: ApiClient, hook: dict[str, Any], delivery: WebhookDelivery
) -> None:
    operate.delete(f"webhooks/{hook['id']}")
    assert not WebhookDelivery.objects.exists()


def test_other_peoples_webhooks_do_not_exist(
    operate: ApiClient, hook: dict[str, Any], delivery: WebhookDelivery, db: None
) -> None:
    other = operate.as_(create_user("other", "other@example.com", PASSWORD, role="operator"))
    address = f"webhooks/{hook['id']}"
    assert other.get("webhooks")["items"] == []
    for method, path in [
        ("GET", address),
        ("PUT", address),
        ("PATCH", address),
        ("DELETE", address),
        ("POST", f"{address}/secret"),
        ("GET", f"{address}/deliveries"),
        ("POST", f"{address}/deliveries/{delivery.pk}/redeliver"),
    ]:
        body = NEW if method in {"PUT", "PATCH"} else {} if method == "POST" else None
        other.call(method, path, body, expect=404)
    assert operate.get(address) == hook


def test_a_delivery_belongs_to_its_webhook(operate: ApiClient, hook: dict[str, Any], delivery: WebhookDelivery) -> None:
    second = operate.post("webhooks", NEW, expect=201)
    operate.post(f"webhooks/{second['id']}/deliveries/{delivery.pk}/redeliver", {}, expect=404)


def test_an_administrator_sees_everybodys(operate: ApiClient, hook: dict[str, Any], admin: User) -> None:
    watch = operate.as_(admin)
    assert watch.get("webhooks")["items"] == [hook]
    assert watch.patch(f"webhooks/{hook['id']}", {"is_enabled": False})["owner_id"] == hook["owner_id"]
