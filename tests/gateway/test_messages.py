"""Change messages of the simulator: pushed, repeated, mixed up, forged, withheld, asked for."""

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from devstack.gateway.channel import sign_channel
from devstack.gateway.client import ControlError, GatewayClient
from syncjobs.connectors.alibaba1688.messages import is_signed
from tests.conftest import HANG_SECONDS, eventually
from tests.connectors.alibaba1688.support import http_answer, serving

from .conftest import detail

Frame = dict[str, Any]


def test_the_channel_is_signed_as_published() -> None:
    assert sign_channel("1000000", "test123", 1763471348000) == "A7C12186D3D667B26621A28C577E313A"


@contextmanager
def connected(gateway: GatewayClient, secret: str | None = None) -> Iterator[ClientConnection]:
    """A client of the message WebSocket that has introduced itself."""
    moment = round(time.time() * 1000)
    sign = sign_channel(gateway.app_key, secret or gateway.app_secret, moment)
    with connect(gateway.message_url, proxy=None, open_timeout=HANG_SECONDS) as client:
        send(client, appKey=gateway.app_key, type="CONNECT", pubTime=moment, sign=sign)
        yield client


def send(client: ClientConnection, **frame: Any) -> None:
    client.send(json.dumps(frame))


def receive(client: ClientConnection) -> Frame:
    frame: Frame = json.loads(client.recv(HANG_SECONDS))
    return frame


def read_to_the_end(client: ClientConnection) -> None:
    while receive(client)["type"] == "CLOSE":
        pass


def test_a_push_is_repeated_until_it_is_confirmed(gateway: GatewayClient) -> None:
    gateway.control("channel", resend_seconds=0.1)
    with connected(gateway) as client:
        assert receive(client)["type"] == "CONNECT_ACK"
        product = gateway.control("mutate", count=1)["ids"][0]
        made = gateway.control("push", ids=[product])["ids"][0]
        first, second = receive(client), receive(client)
        content = json.loads(second["content"])
        assert (first["type"], content["msgId"], content["data"]["productIds"]) == ("SERVER_PUSH", made, str(product))
        send(client, appKey=gateway.app_key, type="CONFIRM", relatedId=second["id"])
        log = eventually(lambda: gateway.control("messages")["confirmations"])
    assert log == [{"id": made, "channel": "websocket"}]


def test_what_nobody_confirms_fails_and_is_kept(gateway: GatewayClient) -> None:
    gateway.control("channel", resend_seconds=0.05)
    with connected(gateway) as client:
        receive(client)
        gateway.control("push", count=2)
        eventually(lambda: gateway.control("messages")["failed"] == 2)
    assert gateway.control("messages")["waiting"] == 0


@pytest.mark.parametrize("how", ["drop", "close"])
def test_an_ended_connection_fails_what_was_under_way(gateway: GatewayClient, how: str) -> None:
    with connected(gateway) as client:
        receive(client)
        gateway.control("push", count=3)
        for _ in range(3):
            receive(client)
        assert gateway.control("channel", **{how: True})["ended"] == 1
        with pytest.raises(ConnectionClosed):
            read_to_the_end(client)
    eventually(lambda: gateway.control("messages")["failed"] == 3)


def test_a_wrong_signature_is_closed(gateway: GatewayClient) -> None:
    with connected(gateway, "another") as client:
        assert receive(client)["type"] == "CLOSE"
    assert gateway.control("channel")["refused"] == 1


def test_heartbeats_are_counted(gateway: GatewayClient) -> None:
    with connected(gateway) as client:
        receive(client)
        moment = round(time.time() * 1000)
        sign = sign_channel(gateway.app_key, gateway.app_secret, moment)
        send(client, appKey=gateway.app_key, type="HEARTBEAT", pubTime=moment, sign=sign)
        assert eventually(lambda: gateway.control("channel")["heartbeats"]) == 1


def test_copies_and_disorder_are_to_be_had(gateway: GatewayClient) -> None:
    with connected(gateway) as client:
        receive(client)
        made = gateway.control("push", count=10, copies=2, shuffle=True)["ids"]
        seen = [json.loads(receive(client)["content"])["msgId"] for _ in range(20)]
    assert sorted(seen) == sorted(made * 2)
    assert seen != made * 2


def pulled(gateway: GatewayClient, page: int = 1) -> Frame:
    """A page of what failed."""
    answer = gateway.call("push.query.messageList", page=str(page), pageSize="20", access_token="")
    found: Frame = answer.json()["pushMessagePage"]
    return found


def test_confirming_shifts_the_pages(gateway: GatewayClient) -> None:
    made = gateway.control("push", count=50, via="failed")["ids"]
    first = pulled(gateway)
    assert (first["totalCount"], [row["msgId"] for row in first["datas"]]) == (50, made[:20])
    ids = json.dumps(made[:20])
    assert gateway.call("push.message.confirm", msgIdList=ids, access_token="").json() == {"isSuccess": True}
    assert [row["msgId"] for row in pulled(gateway)["datas"]] == made[20:40]
    assert [row["msgId"] for row in pulled(gateway, 2)["datas"]] == made[40:]


def test_a_window_holds_what_was_born_in_it(gateway: GatewayClient) -> None:
    gateway.control("push", count=1, via="failed", born=1763468922000)
    gateway.control("push", count=1, via="failed")
    window = {"createStartTime": "20251118000000000+0800", "createEndTime": "20251119000000000+0800"}
    answer = gateway.call("push.query.messageList", access_token="", **window).json()
    assert answer["pushMessagePage"]["totalCount"] == 1


def test_the_cursor_confirms_by_itself(gateway: GatewayClient) -> None:
    gateway.control("push", count=30, via="failed")
    counts = []
    while rows := gateway.call("push.cursor.messageList", quantity="20", access_token="").json()["pushMessageList"]:
        counts.append(len(rows))
    assert counts == [20, 10]


def test_an_api_that_was_not_granted_is_refused(gateway: GatewayClient) -> None:
    gateway.control("limits", deny="push.query.messageList")
    answer = gateway.call("push.query.messageList", access_token="").json()
    assert answer["error_code"] == "gw.APIACLDecline"


def test_stock_is_told_line_by_line(gateway: GatewayClient) -> None:
    product = gateway.control("mutate", count=1, kinds="stock")["ids"][0]
    form = gateway.control("push", ids=[product], kind="inventory", via="callback")["forms"][0]
    lines = json.loads(form["message"])["data"]["OfferInventoryChangeList"]
    skus = detail(gateway, product)["productInfo"]["skuInfos"]
    assert [line.get("skuOnSale") for line in lines] == ([sku["amountOnSale"] for sku in skus] or [None])
    assert is_signed(form, gateway.app_secret)


def test_forged_forms_are_signed_by_nobody(gateway: GatewayClient) -> None:
    form = gateway.control("push", count=1, via="callback", forged=True)["forms"][0]
    assert not is_signed(form, gateway.app_secret)


def test_callbacks_are_posted_and_2xx_confirms(gateway: GatewayClient) -> None:
    with serving(http_answer(b"ok"), http_answer(b"no", "401 Unauthorized")) as (url, requests):
        gateway.control("push", count=2, via="callback", url=f"{url}/back")
        state = eventually(lambda: (found := gateway.control("messages"))["failed"] and found)
    assert (state["confirmed"], len(requests)) == (1, 2)
    assert requests[0].startswith(b"POST /back ")


@pytest.mark.parametrize("wrong", [{"kind": "x", "count": 1}, {"via": "x", "count": 1}, {"kind": "modify"}, {"a": 1}])
def test_nonsense_is_refused(gateway: GatewayClient, wrong: dict[str, Any]) -> None:
    with pytest.raises(ControlError):
        gateway.control("push", **wrong)
