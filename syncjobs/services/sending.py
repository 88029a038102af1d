"""One attempt of a delivery: what is signed and sent, and what an answer means. No database here: threads do it."""

import base64
import hmac
import time
from collections.abc import Mapping
from datetime import datetime
from http import HTTPStatus
from typing import NamedTuple

from syncjobs.connectors.http import HttpAnswer, HttpClient
from syncjobs.engine.errors import EngineError, FatalSourceError
from syncjobs.models import WebhookDelivery
from syncjobs.services.webhooks import SECRET_PREFIX, secrets_of

EXCERPT_LENGTH = 500


class Letter(NamedTuple):
    """What goes out."""

    url: str
    body: bytes
    headers: Mapping[str, str]


class Outcome(NamedTuple):
    """What became of one attempt. `hopeless` when another could not go better."""

    status: int | None = None
    error: str = ""
    excerpt: str = ""
    hopeless: bool = False
    milliseconds: int = 0

    @property
    def heard(self) -> bool:
        """Whether the receiver took it."""
        return self.status is not None and HTTPStatus(200) <= self.status < HTTPStatus.MULTIPLE_CHOICES

    @property
    def silent(self) -> bool:
        """Whether nobody answered, so that others would wait in vain as well."""
        return self.status is None and not self.hopeless


def letter_of(delivery: WebhookDelivery, now: datetime) -> Letter:
    """What an attempt sends now.

    Raises:
        CannotDecrypt: the secret cannot be read.
    """
    return Letter(delivery.webhook.url, delivery.body.encode(), signed_headers(delivery, now))


def signed_headers(delivery: WebhookDelivery, now: datetime) -> dict[str, str]:
    """The headers of an attempt (Standard Webhooks 1.0): the signature covers id, time and body.

    Raises:
        CannotDecrypt: the secret cannot be read.
    """
    message_id, moment = f"evt_{delivery.event_id.hex}", str(int(now.timestamp()))
    signed = f"{message_id}.{moment}.{delivery.body}".encode()
    signatures = [f"v1,{_signature(secret, signed)}" for secret in secrets_of(delivery.webhook).valid(now)]
    return {
        "content-type": "application/json",
        "webhook-id": message_id,
        "webhook-timestamp": moment,
        "webhook-signature": " ".join(signatures),
    }


def send(client: HttpClient, letter: Letter) -> Outcome:
    """Send a letter; whatever happens is an outcome."""
    started = time.monotonic()
    try:
        outcome = _judged(client.request("POST", letter.url, content=letter.body, headers=letter.headers))
    except EngineError as error:
        outcome = Outcome(error=error.code, excerpt=error.message, hopeless=isinstance(error, FatalSourceError))
    return outcome._replace(milliseconds=round((time.monotonic() - started) * 1000))


def _judged(answer: HttpAnswer) -> Outcome:
    """2xx is heard; a redirect is not followed; 410 asks never to be called again (Standard Webhooks)."""
    excerpt = answer.body[: EXCERPT_LENGTH * 4].decode(errors="replace").replace("\0", "\ufffd")[:EXCERPT_LENGTH]
    outcome = Outcome(answer.status, excerpt=excerpt, hopeless=answer.status == HTTPStatus.GONE)
    return outcome if outcome.heard else outcome._replace(error=f"http_{answer.status}")


def _signature(secret: str, signed: bytes) -> str:
    key = base64.b64decode(secret.removeprefix(SECRET_PREFIX))
    return base64.b64encode(hmac.digest(key, signed, "sha256")).decode()
