"""What webhooks were told of products, and the means to have them told."""

import json
from collections.abc import Callable
from typing import Any

from django.utils import timezone

from syncjobs.models import Webhook, WebhookDelivery
from syncjobs.services import pump
from tests.connectors.alibaba1688.support import http_answer
from tests.products.test_change_feed import settled

OK, BUSY = http_answer(b"thanks"), http_answer(b"later", "503 Busy")
Hook = Callable[..., Webhook]


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
