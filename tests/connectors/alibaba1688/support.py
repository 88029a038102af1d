"""Products in the platform's shapes, servers that misbehave, and connectors to the gateway simulator."""

import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from devstack.gateway.client import GatewayClient as Simulator
from syncjobs.connectors.alibaba1688.connector import Alibaba1688Connector
from syncjobs.connectors.alibaba1688.mapping import map_product
from syncjobs.connectors.registry import CallGate, ConnectorContext, Credentials, CredentialStore
from syncjobs.engine.contracts import Connector, Page, Scope
from tests.connectors.cases import OpenGate

Product = dict[str, Any]


class Store:
    """A credential store shared by threads that exchanges a stale token once and counts the exchanges."""

    def __init__(self, credentials: Credentials) -> None:
        self.credentials = credentials
        self.exchanges = 0
        self._lock = threading.Lock()

    def load(self) -> Credentials:
        return self.credentials

    def refresh(self, stale: Credentials, exchange: Callable[[Credentials], Credentials]) -> Credentials:
        with self._lock:
            if self.credentials.access_token == stale.access_token:
                self.exchanges += 1
                self.credentials = exchange(self.credentials)
            return self.credentials


class CountingGate:
    """A gate without limits that remembers what passed."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.pauses: list[float] = []
        self.refusals: list[tuple[str, bool]] = []

    def acquire(self, api: str) -> None:
        self.calls.append(api)

    def slow_down(self, seconds: float) -> None:
        self.pauses.append(seconds)

    def refused(self, api: str, *, used_up: bool = False) -> None:
        self.refusals.append((api, used_up))


def credentials_of(simulator: Simulator, **changes: Any) -> Credentials:
    """The credentials that a simulator accepts, but for `changes`."""
    values = {
        "app_key": simulator.app_key,
        "app_secret": simulator.app_secret,
        "access_token": simulator.access_token,
        "refresh_token": simulator.refresh_token,
    }
    return Credentials(**values | changes)


opened: list[Connector] = []
"""The connectors of the running test, closed behind it."""


def connector_to(
    url: str, store: CredentialStore, gate: CallGate | None = None, patience: float | None = None, **options: Any
) -> Alibaba1688Connector:
    """A connector to a gateway on this machine."""
    connector = Alibaba1688Connector(
        ConnectorContext(
            source_name="test",
            options={"gateway_url": url, **options},
            credentials=store,
            gate=gate or OpenGate(),
            allowed_hosts=("127.0.0.1",),
            patience=patience,
        )
    )
    opened.append(connector)
    return connector


def walk(connector: Connector, scope: Scope) -> list[Page]:
    """All pages of a scope."""
    return [page for spec in connector.plan(scope).batches for page in connector.fetch(spec)]


def ids_of(pages: list[Page]) -> list[str | None]:
    """The ids on some pages, in their order."""
    return [record.source_id for page in pages for record in page.records]


def http_answer(body: bytes, status: str = "200 OK", **headers: str) -> bytes:
    """A whole HTTP answer that ends the connection."""
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", "Connection: close"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


@contextmanager
def serving(*answers: bytes | Callable[[socket.socket], None]) -> Iterator[tuple[str, list[bytes]]]:
    """A server that gives one of `answers` to each connection, the last of them to all the rest.

    Yields its URL and the requests it has seen. An answer is bytes, or a function of the connection.
    """
    requests: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=_serve, args=(listener, list(answers), requests), daemon=True)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}", requests
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join(5)


def _serve(
    listener: socket.socket, answers: list[bytes | Callable[[socket.socket], None]], requests: list[bytes]
) -> None:
    while True:
        try:
            connection, _ = listener.accept()
        except OSError:
            return
        answer = answers.pop(0) if len(answers) > 1 else answers[0]
        with connection, suppress(OSError):
            requests.append(_request(connection))
            if callable(answer):
                answer(connection)
            else:
                connection.sendall(answer)


def _request(connection: socket.socket) -> bytes:
    received = b""
    while b"\r\n\r\n" not in received:
        received += _more(connection)
    head, _, body = received.partition(b"\r\n\r\n")
    length = next((int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")), 0)
    while len(body) < length:
        body += _more(connection)
    return head + b"\r\n\r\n" + body


def _more(connection: socket.socket) -> bytes:
    received = connection.recv(65536)
    if not received:
        raise ConnectionAbortedError("the caller left in the middle")
    return received


def mapped(product: Product) -> Any:
    """The record made of a product."""
    return map_product(json.dumps(product, ensure_ascii=False).encode())


def seller_product() -> Product:
    """A product of the seller's APIs, priced by quantity (quoteType 2), with two SKUs."""
    return {
        "productID": 688200417123,
        "productType": "wholesale",
        "categoryID": 1031918,
        "categoryName": "T恤",
        "attributes": [
            {"attributeID": 2176, "attributeName": "品牌", "value": "拾光里", "isCustom": False},
            {"attributeID": 3216, "attributeName": "颜色", "value": "藏青", "isCustom": True},
            {"attributeID": 3216, "attributeName": "颜色", "value": "米白", "isCustom": True},
        ],
        "groupID": [107],
        "status": "published",
        "subject": "✷2026春款【重磅】纯棉圆领T恤☽ 男女同款",
        "description": '<p>克重：２３０g</p><img src="https://cbu01.alicdn.com/img/ibank/O1CN01ccD1.jpg"/>',
        "image": {"images": ["img/ibank/O1CN01ccM1.jpg", "img/ibank/O1CN01ccM2.jpg", "img/ibank/O1CN01ccM1.jpg"]},
        "skuInfos": [
            {
                "attributes": [
                    {
                        "attributeID": 3216,
                        "attributeValue": "藏青",
                        "skuImageUrl": "img/ibank/O1CN01ccNAVY.jpg",
                        "attributeDisplayName": "颜色",
                        "attributeName": "颜色",
                    },
                    {"attributeID": 450, "attributeValue": "XL", "attributeDisplayName": "尺码"},
                ],
                "cargoNumber": "T26-N-XL",
                "amountOnSale": 612,
                "retailPrice": 59.0,
                "skuId": 5203318840111,
                "specId": "91b1c2f07d3a4c0f9f0d6c7b8a9e0f11",
            },
            {
                "attributes": [{"attributeID": 3216, "attributeValue": "米白", "attributeName": "颜色"}],
                "cargoNumber": "",
                "skuCode": "T26-W",
                "amountOnSale": 0,
                "skuId": 5203318840112,
                "specId": "0a5d3bb3fd6e4fb5a0b3d6a1b6f0c912",
            },
        ],
        "saleInfo": {
            "priceAuth": False,
            "priceRanges": [
                {"startQuantity": 100, "price": 17.125},
                {"startQuantity": 3, "price": 19.9},
                {"startQuantity": 1000, "price": 15},
            ],
            "amountOnSale": 612.0,
            "unit": "件",
            "minOrderQuantity": 3,
            "quoteType": 2,
        },
        "shippingInfo": {"unitWeight": 10000.0, "freightTemplateID": 0, "sendGoodsAddressText": "福建省 泉州市 石狮市"},
        "supplierUserId": "2200000007731",
        "supplierLoginId": "石狮衣坊",
        "mainVedio": "",
        "bookedCount": "5023",
        "createTime": "20260102100000000+0800",
        "modifyTime": "20260318233000000+0800",
        "lastUpdateTime": "20260318080000000-0700",
    }


def cross_border_product() -> Product:
    """A product of the cross-border detail, priced per SKU (quoteType 1)."""
    return {
        "offerId": 790011223344,
        "categoryId": 201273473,
        "topCategoryId": 68,
        "categoryName": "户外照明",
        "subject": "头戴式感应头灯 强光夜钓",
        "subjectTrans": "Sensor headlamp",
        "description": "<div>续航 8 小时</div>",
        "productImage": {"images": ["https://cbu01.alicdn.com/img/ibank/O1CN01ddM1.jpg"], "whiteImage": None},
        "productAttribute": [{"attributeId": "1141", "attributeName": "防水等级", "value": "IPX5"}],
        "productSkuInfos": [
            {
                "amountOnSale": 77,
                "price": "23.40",
                "skuId": 5566778800011,
                "specId": "5d41402abc4b2a76b9719d911017c592",
                "cargoNumber": "HL-2",
                "skuAttributes": [
                    {
                        "attributeId": 3216,
                        "attributeName": "颜色",
                        "value": "黑",
                        "skuImageUrl": "https://cbu01.alicdn.com/img/ibank/O1CN01ddB.jpg",
                    }
                ],
            },
            {"amountOnSale": 0, "price": "21.80", "promotionPrice": "20.00", "skuId": 5566778800012},
        ],
        "productSaleInfo": {
            "amountOnSale": 77,
            "priceRangeList": [{"startQuantity": 2, "price": "23.40"}],
            "quoteType": 1,
            "unitInfo": {"unit": "个", "transUnit": "piece"},
        },
        "productShippingInfo": {"sendGoodsAddressText": "浙江省宁波市", "weight": 0.12},
        "sellerOpenId": "BBBtest000000000000000000000001",
        "companyName": "宁海示例户外用品厂",
        "minOrderQuantity": 2,
        "status": "published",
        "soldOut": "8123",
        "createDate": "2025-05-24 00:00:00",
        "isSelect": "true",
    }
