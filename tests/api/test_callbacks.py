"""Change messages that 1688 pushes: signed, taken once, answered quickly."""

import json
import threading
from hashlib import sha1
from hmac import new as new_mac
from typing import Any
from urllib.parse import urlencode

import pytest
from django.db import connection

from syncjobs.connectors.registry import Credentials
from syncjobs.models import ChangeMessage, Source, SyncJob
from syncjobs.services import announced
from syncjobs.services.announced import fetch_announced
from syncjobs.services.messages import ring_waiting
from syncjobs.services.sources import NewSource, add_source
from system.models import Task
from tests.client import ApiClient
from tests.syncjobs.conftest import claimed_task

pytestmark = pytest.mark.django_db(transaction=True)

SECRET = "test123"
FORM = "application/x-www-form-urlencoded"
MESSAGE = {
    "msgId": 5746327830,
    "type": "PRODUCT_RELATION_VIEW_PRODUCT_EXPIRE",
    "userInfo": "b2b-28308412336ca4e7",
    "data": {
        "productIds": "547096780502,547096780503",
        "memberId": "b2b-28308412336ca4e7",
        "status": "RELATION_VIEW_PRODUCT_EXPIRE",
        "msgSendTime": "2025-11-18 20:28:42",
    },
    "gmtBorn": 1763468922000,
}
INVENTORY = {
    "msgId": 77,
    "type": "PRODUCT_PRODUCT_INVENTORY_CHANGE",
    "data": {
        "OfferInventoryChangeList": [
            {"offerId": 610947572360, "skuId": 1, "skuOnSale": 5, "quantity": -2},
            {"offerId": 610947572360, "skuId": 2, "skuOnSale": 7, "quantity": 1},
        ]
    },
}


@pytest.fixture(autouse=True)
def bells(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody hears the workers' bells."""
    monkeypatch.setattr("system.queue.current_app.send_task", lambda *_, **__: None)


@pytest.fixture
def source() -> Source:
    """A source with an app secret."""
    return add_source(NewSource(name="main", kind="alibaba1688", credentials=Credentials(app_secret=SECRET)))


def signed(form: dict[str, str], secret: str = SECRET) -> bytes:
    """A form as 1688 sends it, signed independently of the code under test."""
    text = "".join(sorted(name + value for name, value in form.items()))
    mac = new_mac(secret.encode(), text.encode(), sha1).hexdigest().upper()
    return urlencode({**form, "_aop_signature": mac}).encode()


def message(content: dict[str, Any] = MESSAGE, **changes: Any) -> bytes:
    """A signed form around a message."""
    return signed({"message": json.dumps(content | changes, ensure_ascii=False)})


def push(api: ApiClient, body: bytes, *, to: str = "main", expect: int = 200) -> Any:
    """Push a form and open the answer."""
    return api.call("POST", f"sync/callbacks/{to}", body, expect=expect, content_type=FORM)


def work(source: Source) -> dict[str, object]:
    """What a worker does with the messages that wait."""
    return fetch_announced({"source_id": source.pk}, claimed_task(SyncJob(pk=1)))


def test_the_published_example_is_signed_as_published(api: ApiClient) -> None:
    secret, flat = "secretXYZ", {"data": '{"k":"v"}', "gmtBorn": "1700000000000", "msgId": "1001"}
    add_source(NewSource(name="main", kind="alibaba1688", credentials=Credentials(app_secret=secret)))
    form = flat | {"type": "ORDER_CHANGED", "userInfo": "m1"}
    signature = "4B20205134EA09C4C8D29CCAC26F6C179EB72C8E"
    assert push(api, urlencode({**form, "_aop_signature": signature}).encode()) == {"is_new": True}


@pytest.mark.parametrize("version", ["v1", "v2"])
def test_a_signed_message_is_taken_and_its_products_are_fetched(version: str, source: Source) -> None:
    api = ApiClient(version=version)
    push(api, message())
    kept = ChangeMessage.objects.get()
    assert (kept.msg_id, kept.offer_ids) == ("5746327830", ["547096780502", "547096780503"])
    assert Task.objects.get().kind == "sync.messages"
    work(source)
    job = SyncJob.objects.get()
    assert (job.sku_list, job.trigger, job.type) == (["547096780502", "547096780503"], "message", "incremental")
    kept.refresh_from_db()
    assert (kept.task_id, kept.handled_at is not None) == (job.task_id, True)


def test_a_message_that_comes_again_is_answered_and_nothing_more(api: ApiClient, source: Source) -> None:
    assert push(api, message()) == {"is_new": True}
    work(source)
    assert push(api, message()) == {"is_new": False}
    assert push(api, message(type="PRODUCT_RELATION_VIEW_PRODUCT_DELETE")) == {"is_new": False}
    assert (ChangeMessage.objects.count(), Task.objects.filter(kind="sync.messages").count()) == (1, 1)


def test_the_same_message_from_many_connections_is_one(source: Source) -> None:
    new: list[bool] = []

    def send() -> None:
        new.append(push(ApiClient(), message())["is_new"])
        connection.close()

    threads = [threading.Thread(target=send) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (sorted(new), ChangeMessage.objects.count()) == ([False] * 5 + [True], 1)


def test_an_inventory_message_names_its_offer_once(api: ApiClient, source: Source) -> None:
    push(api, message(INVENTORY))
    assert ChangeMessage.objects.get().offer_ids == ["610947572360"]


def test_messages_of_a_moment_are_one_job(api: ApiClient, source: Source) -> None:
    for number in range(5):
        push(api, message(msgId=number + 1, data={"productIds": f"54709678050{number}"}))
    assert Task.objects.count() == 1
    work(source)
    assert len(SyncJob.objects.get().sku_list) == 5


def test_messages_wait_for_a_job_of_the_same_products(api: ApiClient, source: Source) -> None:
    push(api, message())
    work(source)
    push(api, message(msgId=2))
    assert work(source)["refused"] == "E02001"
    assert ChangeMessage.objects.filter(handled_at=None).count() == 1
    SyncJob.objects.update(state="succeeded")
    work(source)
    assert (SyncJob.objects.count(), ChangeMessage.objects.filter(handled_at=None).count()) == (2, 0)


def test_messages_whose_task_was_lost_are_rung_for_again(api: ApiClient, source: Source) -> None:
    push(api, message())
    Task.objects.all().delete()
    ring_waiting()
    ring_waiting()
    assert Task.objects.count() == 1


def test_a_worker_that_dies_leaves_messages_and_job_as_they_were(
    api: ApiClient, source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    push(api, message())

    def die(*_: object) -> None:
        raise RuntimeError("killed")

    with monkeypatch.context() as patched:
        patched.setattr(announced, "_handled", die)
        with pytest.raises(RuntimeError):
            work(source)
    assert (SyncJob.objects.count(), ChangeMessage.objects.filter(handled_at=None).count()) == (0, 1)


def test_a_source_that_is_off_takes_messages_and_does_nothing(api: ApiClient, source: Source) -> None:
    Source.objects.update(is_enabled=False)
    push(api, message())
    assert (ChangeMessage.objects.count(), Task.objects.count()) == (1, 0)


REFUSALS: list[tuple[str, bytes]] = [
    ("main", message().replace(b"_aop_signature=", b"_aop_signature=0")),
    ("main", signed({"message": json.dumps(MESSAGE)}, "another secret")),
    ("main", signed({"message": json.dumps(MESSAGE)}, "")),
    ("main", message() + b"&more=1"),
    ("main", message().replace(b"547096780502", b"547096780509")),
    ("main", urlencode({"message": json.dumps(MESSAGE), "_aop_signature": ""}).encode()),
    ("main", urlencode({"message": json.dumps(MESSAGE), "_aop_signature": "签名"}).encode()),
    ("nowhere", message()),
    ("no%20where", message()),
    ("feed", message()),
    ("bare", signed({"message": json.dumps(MESSAGE)}, "")),
]


@pytest.mark.parametrize(("to", "body"), REFUSALS)
def test_what_the_source_did_not_sign_is_refused_always_alike(
    api: ApiClient, source: Source, to: str, body: bytes
) -> None:
    Source.objects.create(name="feed", kind="feed")
    Source.objects.create(name="bare", kind="alibaba1688")
    error = push(api, body, to=to, expect=403)
    assert (error["code"], error["details"]) == ("E02033", None)
    assert not ChangeMessage.objects.exists()


MALFORMED = [
    b"",
    b"message",
    b"message=%ff",
    b"message=%7B%7D",
    b"a=1&a=2&_aop_signature=x",
    b"&".join(b"a%d=1" % number for number in range(60)),
    signed({"message": "{"}),
    signed({"message": "[1]"}),
    signed({"message": "{}"}),
    signed({"message": '{"msgId": 1}'}),
    signed({"message": '{"msgId": true, "type": "X"}'}),
    signed({"message": '{"msgId": "a\\u0000", "type": "X"}'}),
    signed({"message": '{"msgId": 1, "type": "X\\u0000"}'}),
    signed({"message": '{"msgId": "' + "9" * 65 + '", "type": "X"}'}),
    signed({"message": "[" * 50_000}),
    signed({"msgId": "1", "type": "X", "data": "no json"}),
    message(data={"productIds": ",".join(str(number + 10**11) for number in range(1001))}),
]


@pytest.mark.parametrize("body", MALFORMED)
def test_what_is_no_message_is_400(api: ApiClient, source: Source, body: bytes) -> None:
    push(api, body, expect=400)
    assert not ChangeMessage.objects.exists()


ODD = [
    {"msgId": "abc-1", "type": "X"},
    {"msgId": 1, "type": "X", "data": None},
    {"msgId": 1, "type": "X", "data": [1]},
    {"msgId": 1, "type": "X", "data": {"productIds": None, "OfferInventoryChangeList": "x"}},
    {"msgId": 1, "type": "X", "data": {"productIds": "x,,12,' OR 1=1"}, "gmtBorn": "soon"},
    {"msgId": 1, "type": "X", "gmtBorn": 10**30, "extra": {"a": [1]}},
]


@pytest.mark.parametrize("content", ODD, ids=str)
def test_a_message_about_nothing_we_know_is_taken_and_left(
    api: ApiClient, source: Source, content: dict[str, Any]
) -> None:
    assert push(api, signed({"message": json.dumps(content)})) == {"is_new": True}
    assert (ChangeMessage.objects.get().offer_ids, Task.objects.count()) == ([], 0)


def test_other_media_types_and_sizes_are_refused(api: ApiClient, source: Source) -> None:
    api.call("POST", "sync/callbacks/main", b"{}", expect=415)
    push(api, b"message=" + b"x" * 300_000, expect=413)
    api.get("sync/callbacks/main", expect=405)
