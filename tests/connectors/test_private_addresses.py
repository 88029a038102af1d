"""P29: whatever somebody writes as an address, nothing inside is ever called; neither when it is stored nor later."""

import gzip
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone
from pytest_django import Settings

from accounts.models import User
from syncjobs.engine.errors import EngineError
from syncjobs.models import Source, Webhook, WebhookDelivery
from syncjobs.services import outbound, pump, webhooks
from syncjobs.services.outbound import outbound_client
from syncjobs.services.webhooks import Owner, create_webhook
from tests.client import ApiClient
from tests.connectors.alibaba1688.support import http_answer, serving

# What our resolver knows; a name it does not know does not resolve.
NAMES = {
    "intern.example.com": "10.0.0.5",
    "metadata.example.com": "169.254.169.254",
    "localtest.me": "127.0.0.1",
    "127.0.0.1.nip.io": "127.0.0.1",
    "six.example.com": "fd00::1",
    "mapped.example.com": "::ffff:127.0.0.1",
    "nat64.example.com": "64:ff9b::7f00:1",
    "public.example.com": "93.184.215.14",
}
LOOPBACK = [
    "http://127.0.0.1/",
    "https://127.0.0.1/",
    "https://127.1/",
    "https://127.0.1/",
    "https://2130706433/",
    "https://0x7f.1/",
    "https://0x7f000001/",
    "https://0177.0.0.1/",
    "https://017700000001/",
    "https://127.0.0.1./",
    "https://[::1]/",
    "https://[0:0:0:0:0:0:0:1]/",
    "https://[::ffff:127.0.0.1]/",
    "https://[::ffff:7f00:1]/",
    "https://[::127.0.0.1]/",
    "https://0.0.0.0/",
    "https://0/",
    "https://[::]/",
    "https://localhost/",
    "https://localhost./",
    "https://LOCALHOST/",
    "https://www.localhost/",
    "https://printer.local/",
    "https://db.internal/",
    "https://redis/",
    "https://localtest.me/",
    "https://127.0.0.1.nip.io/",
]
PRIVATE = [
    "https://10.0.0.1/",
    "https://10.255.255.255/",
    "https://172.16.0.1/",
    "https://172.31.255.255/",
    "https://192.168.0.1/",
    "https://100.64.0.1/",
    "https://169.254.169.254/latest/meta-data/",
    "https://198.18.0.1/",
    "https://192.0.2.1/",
    "https://224.0.0.1/",
    "https://255.255.255.255/",
    "https://[fd00::1]/",
    "https://[fe80::1]/",
    "https://[fe80::1%25eth0]/",
    "https://[64:ff9b::7f00:1]/",
    "https://[64:ff9b:1::1]/",
    "https://[2002:7f00:1::1]/",
    "https://[ff02::1]/",
    "https://intern.example.com/",
    "https://metadata.example.com/latest/meta-data/",
    "https://six.example.com/",
    "https://mapped.example.com/",
    "https://nat64.example.com/",
]
DISGUISED = [
    "https://1688.com@127.0.0.1/",
    "https://user:word@public.example.com/",
    "https://127.0.0.1#@1688.com",
    "http://1688.com.evil.com/",
    "http://evil.com/1688.com",
    "https://1688.com\\@127.0.0.1/",
    "https://127。0。0。1/",
    "https://１２７.０.０.１/",
    "https://①②⑦.⓪.⓪.①/",
    "https://1б88.com/",
    "https://127%2e0.0.1/",
    "https://public.example.com:22/",
    "https://public.example.com:25/",
    "https://public.example.com:6379/",
    "https://public.example.com:5432/",
    "https://public.example.com:80/",
    "https://public.example.com:99999/",
    "http://public.example.com/",
    "file:///etc/passwd",
    "gopher://127.0.0.1:6379/_FLUSHALL",
    "ftp://public.example.com/",
    "data:text/plain,1688",
    "javascript:alert(1)",
    "//127.0.0.1/",
    "https:///hook",
    "https://",
    "public.example.com/hook",
    "https://public.example.com/\r\nX-Injected: 1",
    " https://public.example.com/",
    "https://public.example.com/ x",
    "https://[::1",
]
FORMS = [*LOOPBACK, *PRIVATE, *DISGUISED]


class Canary:
    """A server nobody may reach; whatever is connected to, ends here."""

    def __init__(self) -> None:
        self.calls = 0
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self.calls += 1
            connection.close()

    def close(self) -> None:
        """Stop listening."""
        self._listener.close()


@pytest.fixture
def canary(monkeypatch: pytest.MonkeyPatch, settings: Settings) -> Iterator[Canary]:
    """Every connection of this process leads to the canary, only NAMES resolve, and no host of ours is allowed."""
    settings.OUTBOUND_ALLOWED_HOSTS = ()
    watcher = Canary()
    connect, look_up = socket.create_connection, socket.getaddrinfo

    def to_canary(_address: Any, *_: Any, **__: Any) -> socket.socket:
        return connect(("127.0.0.1", watcher.port))

    def resolver(host: str, port: Any, *arguments: Any, **options: Any) -> Any:
        known = NAMES.get(host.lower().rstrip("."), host)
        return look_up(known, port, *arguments, **{**options, "flags": socket.AI_NUMERICHOST})

    monkeypatch.setattr(socket, "create_connection", to_canary)
    monkeypatch.setattr(socket, "getaddrinfo", resolver)
    yield watcher
    watcher.close()


@pytest.fixture
def operate(api: ApiClient, operator: User) -> ApiClient:
    """The API as an operator."""
    return api.as_(operator)


def test_there_are_sixty_forms_and_more() -> None:
    assert len(set(FORMS)) >= 60


def test_the_canary_would_notice(canary: Canary) -> None:
    with pytest.raises(EngineError):
        outbound_client().request("GET", "https://public.example.com/")
    assert canary.calls == 1


def refused(operate: ApiClient, path: str, body: dict[str, Any]) -> list[Any]:
    """How a body was refused: status, code and field."""
    answer = operate.send("POST", path, body).json()
    return [answer["code"], (answer.get("error") or {}).get("code"), list((answer.get("error") or {})["details"])]


def test_no_webhook_is_stored_for_any_form(canary: Canary, operate: ApiClient) -> None:
    answers = {url: refused(operate, "webhooks", {"url": url, "events": ["job.finished"]}) for url in FORMS}
    assert answers == {url: [400, "E02030", ["url"]] for url in FORMS}
    assert (Webhook.objects.count(), canary.calls) == (0, 0)


def test_no_source_is_stored_for_any_form(canary: Canary, operate: ApiClient) -> None:
    new = {"name": "inside", "kind": "alibaba1688"}
    answers = {url: refused(operate, "sync/sources", new | {"options": {"gateway_url": url}}) for url in FORMS}
    assert answers == {url: [400, "E02030", ["options"]] for url in FORMS}
    assert (Source.objects.count(), canary.calls) == (0, 0)


@pytest.mark.parametrize("url", FORMS)
def test_nothing_is_called_when_it_is_fetched(canary: Canary, url: str) -> None:
    with pytest.raises(EngineError) as refusal:
        outbound_client().request("POST", url, content=b"{}")
    assert refusal.value.code in {"url_refused", "address_refused", "dns_failed"}
    assert canary.calls == 0


def drip(connection: socket.socket) -> None:
    """An answer that comes a byte at a time and never ends."""
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
    with suppress(OSError):
        while True:
            connection.sendall(b"x")
            time.sleep(0.05)


def delivered(webhook: Webhook) -> WebhookDelivery:
    """A delivery to this webhook after one attempt."""
    made = WebhookDelivery.objects.create(
        webhook=webhook, event="job.finished", body="{}", next_attempt_at=timezone.now() - timedelta(minutes=1)
    )
    Webhook.objects.update(resting_until=None)
    pump.pump()
    made.refresh_from_db()
    return made


@pytest.fixture
def webhook(operator: User, canary: Canary) -> Webhook:
    """A webhook for an address that was public when it was stored."""
    return create_webhook(Owner(operator.pk), "https://public.example.com/hook", ["job.finished"])[0]


def test_a_name_that_resolves_elsewhere_later_is_not_followed(
    canary: Canary, webhook: Webhook, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(NAMES, "public.example.com", "127.0.0.1")
    delivery = delivered(webhook)
    assert (delivery.state, delivery.attempts[0]["error"]) == ("dead", "address_refused")
    assert canary.calls == 0


def test_a_name_that_rebinds_between_look_and_call_leads_where_was_looked(
    canary: Canary, webhook: Webhook, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The name is public when it is looked up and private ever after; what is called is what was looked at."""
    looked_up, called = socket.getaddrinfo, list[Any]()
    connect = socket.create_connection

    def rebind(host: str, port: Any, *arguments: Any, **options: Any) -> Any:
        found = looked_up(host, port, *arguments, **options)
        monkeypatch.setitem(NAMES, "public.example.com", "169.254.169.254")
        return found

    def watched(address: Any, *arguments: Any, **options: Any) -> socket.socket:
        called.append(address[0])
        return connect(address, *arguments, **options)

    monkeypatch.setattr(socket, "getaddrinfo", rebind)
    monkeypatch.setattr(socket, "create_connection", watched)
    delivered(webhook)
    assert called == ["93.184.215.14"]
    assert delivered(webhook).attempts[0]["error"] == "address_refused"
    assert called == ["93.184.215.14"]


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (http_answer(b"x" * (outbound.MAX_BYTES + 1)), "body_too_large"),
        (http_answer(gzip.compress(bytes(50_000_000)), Content_Encoding="gzip"), "body_too_large"),
        (drip, "timeout"),
    ],
    ids=["huge", "bomb", "slow"],
)
def test_an_answer_without_end_is_cut_off(
    operator: User, settings: Settings, monkeypatch: pytest.MonkeyPatch, answer: Any, error: str
) -> None:
    monkeypatch.setattr(outbound, "TOTAL_SECONDS", 1.0)
    with serving(answer) as (url, _):
        settings.OUTBOUND_ALLOWED_HOSTS = (url.removeprefix("http://"),)
        hook, _secret = webhooks.create_webhook(Owner(operator.pk), f"{url}/hook", ["job.finished"])
        delivery = delivered(hook)
    assert (delivery.state, delivery.attempts[0]["error"]) == ("pending", error)
    assert len(delivery.attempts[0]["excerpt"]) < 200


def test_an_address_changed_behind_our_back_is_not_called(canary: Canary, webhook: Webhook) -> None:
    Webhook.objects.update(url=f"http://127.0.0.1:{canary.port}/")
    delivery = delivered(webhook)
    assert (delivery.state, delivery.attempts[0]["error"]) == ("dead", "url_refused")
    assert canary.calls == 0


def test_a_redirect_is_not_followed(operator: User, settings: Settings) -> None:
    watcher = Canary()
    redirect = http_answer(b"", "302 Found", Location=f"http://127.0.0.1:{watcher.port}/")
    with serving(redirect) as (url, requests):
        settings.OUTBOUND_ALLOWED_HOSTS = (url.removeprefix("http://"),)
        hook, _ = webhooks.create_webhook(Owner(operator.pk), f"{url}/hook", ["job.finished"])
        delivery = delivered(hook)
    watcher.close()
    assert (delivery.state, delivery.attempts[0]["error"], len(requests)) == ("pending", "http_302", 1)
    assert watcher.calls == 0


def test_a_source_stored_with_an_inner_address_is_checked_without_calling_it(
    canary: Canary, operate: ApiClient, redis_url: str
) -> None:
    source = Source.objects.create(name="old", kind="alibaba1688", options={"gateway_url": "https://10.0.0.1"})
    report = operate.post(f"sync/sources/{source.pk}/check", {})
    assert (report["ok"], report["checks"][0]["code"]) == (False, "address_refused")
    assert canary.calls == 0
