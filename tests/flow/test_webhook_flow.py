"""Webhooks with a real worker: told of all that a sync changes, and no burden to it."""

import json
import socket
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.db import transaction
from pytest_django import Settings

from accounts.services import create_user
from products.models import Product
from syncjobs.models import Source, Webhook, WebhookDelivery
from syncjobs.services import deliveries
from syncjobs.services.webhooks import Owner, create_webhook
from tests.conftest import PASSWORD, eventually
from tests.connectors.alibaba1688.support import http_answer, serving
from tests.flow.conftest import finished, start
from tests.flow.workers import Worker

OK = http_answer(b"thanks")
# One after the other in two processes, each for as long as it is waited for, they would outlast everybody's patience.
HANGING = 40


@pytest.fixture
def owner(source: Source, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Owner:
    """An operator, who may have servers on this machine called; only workers call them."""
    settings.OUTBOUND_ALLOWED_HOSTS, settings.WEBHOOKS_PER_USER = ("127.0.0.1",), HANGING
    monkeypatch.setattr("syncjobs.services.pump.begin", lambda: None)
    return Owner(create_user("hooked", "hooked@example.com", PASSWORD, role="operator").pk)


@pytest.fixture
def caller(owner: Owner, tmp_path: Path) -> Iterator[Worker]:
    """A worker of two processes that may call servers on this machine."""
    running = Worker(tmp_path / "worker.log", OUTBOUND_ALLOWED_HOSTS="127.0.0.1")
    yield running
    running.stop()


def ring() -> None:
    """What the sweeper of a worker does every ten seconds, at once."""
    with transaction.atomic():
        deliveries.ring()


def told(requests: list[bytes]) -> list[int]:
    """The products that requests name."""
    bodies = [json.loads(request.partition(b"\r\n\r\n")[2]) for request in [*requests]]
    return [change["product_id"] for body in bodies for change in body["data"]["changes"]]


def test_each_product_of_a_sync_is_told_once(owner: Owner, caller: Worker) -> None:
    with serving(OK) as (url, requests):
        create_webhook(owner, f"{url}/hook", ["product.created", "product.updated"])
        assert finished(start()).state == "succeeded"
        ids = set(Product.objects.values_list("id", flat=True))

        def all_told() -> bool:
            ring()
            return set(told(requests)) == ids

        eventually(all_told)
    assert len(told(requests)) == len(ids)
    assert len(requests) < len(ids) / 10


@pytest.fixture
def abyss() -> Iterator[str]:
    """A server that takes every call and answers none."""
    calls: list[socket.socket] = []
    with socket.create_server(("127.0.0.1", 0), backlog=HANGING) as listener:

        def take() -> None:
            while True:
                try:
                    calls.append(listener.accept()[0])
                except OSError:
                    return

        threading.Thread(target=take, daemon=True).start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        listener.shutdown(socket.SHUT_RDWR)
    for call in calls:
        call.close()


def test_receivers_that_hang_do_not_hold_up_a_sync(owner: Owner, caller: Worker, abyss: str) -> None:
    source = Source.objects.create(name="other", kind="feed")
    for number in range(HANGING):
        create_webhook(owner, f"{abyss}/{number}", ["job.failed"])
    with transaction.atomic():
        deliveries.source_event("job.failed", source, {})
    eventually(lambda: Webhook.objects.filter(busy_until__isnull=False).exists())

    assert finished(start()).state == "succeeded"
    assert not WebhookDelivery.objects.exclude(state="pending").exists()
