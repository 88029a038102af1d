"""A sync as a user sees it: started over HTTP, watched over a WebSocket, done by Celery workers, read over HTTP."""

import json
from collections.abc import Iterator
from typing import Any

import httpx
from websockets.sync.client import connect

from accounts.services import create_user
from devstack.gateway.client import GatewayClient
from tests.conftest import HANG_SECONDS, PASSWORD
from tests.flow.workers import Worker
from tests.server.webserver import web_server


def test_a_sync_is_started_watched_and_read_from_outside(
    gateway: GatewayClient, worker: Worker, real_passwords: None
) -> None:
    create_user("operator", "operator@example.com", PASSWORD, role="operator")
    # A connection is not used twice: the server closes idle ones, perhaps while a request is on its way.
    once = httpx.Limits(max_keepalive_connections=0)
    with (
        web_server() as server,
        httpx.Client(base_url=f"{server.http}/api/v1/", timeout=HANG_SECONDS, limits=once) as client,
    ):
        token = data_of(client.post("auth/login", json={"username": "operator", "password": PASSWORD}))["token"]
        client.headers["Authorization"] = f"Bearer {token}"
        job = data_of(client.post("sync/start", json={"type": "full", "config": {"batch_size": 20}}))
        frames = list(watched(f"{server.ws}/{job['task_id']}", token))
        listed = data_of(client.get("products", params={"page_size": 100}))
        detail = data_of(client.get(f"products/{listed['items'][0]['id']}"))
    assert (job["status"], frames[0]["type"]) == ("running", "snapshot")
    numbers = [frame["seq"] for frame in frames]
    assert numbers == sorted(numbers)
    assert frames[-1]["data"]["status"] == "succeeded"
    assert frames[-1]["data"]["progress"]["created"] == 300
    assert (listed["total"], listed["pages"]) == (300, 3)
    assert detail["sku"] == listed["items"][0]["sku"]


def data_of(answer: httpx.Response) -> Any:
    """The data of a successful answer."""
    assert answer.status_code == httpx.codes.OK, answer.text
    return answer.json()["data"]


def watched(url: str, token: str) -> Iterator[dict[str, Any]]:
    """The frames of a job until one shows it at rest."""
    with connect(url, additional_headers={"Authorization": f"Bearer {token}"}) as socket:
        while True:
            frame = json.loads(socket.recv(timeout=HANG_SECONDS))
            yield frame
            if frame["type"] != "log" and frame["data"]["status"] != "running":
                return
