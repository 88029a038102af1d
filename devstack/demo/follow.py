"""Follows a job over its WebSocket, through lost connections, until it ends."""

import time
from collections.abc import Callable, Iterator
from typing import Any

import msgspec
from websockets.exceptions import ConnectionClosed, InvalidHandshake
from websockets.sync.client import ClientConnection, connect

from devstack.demo.api import Api

Job = dict[str, Any]

OPEN_STATES = frozenset({"pending", "running", "stopping"})
OPEN_TIMEOUT_SECONDS = 5
LISTEN_SECONDS = 0.2
# An event can be lost with Redis; a new connection begins with the job as the database has it.
SILENCE_SECONDS = 15


class _Event(msgspec.Struct):
    type: str
    seq: int
    data: dict[str, Any]


def follow(url: str, api: Api, tick: Callable[[], None]) -> Iterator[Job]:
    """Yield the job at every event, last when it has ended.

    After a lost connection it connects again and asks for what it missed; refused, it signs in again first.

    Args:
        url: of the job's WebSocket.
        api: a signed-in client.
        tick: called between events.
    """
    seen = 0
    while True:
        tick()
        try:
            with connect(
                url, additional_headers={"Authorization": f"Bearer {api.token}"}, open_timeout=OPEN_TIMEOUT_SECONDS
            ) as socket:
                if seen:
                    socket.send(msgspec.json.encode({"type": "resume", "since": seen}).decode())
                for event in _events(socket, tick):
                    seen = max(seen, event.seq)
                    if "progress" not in event.data:
                        continue
                    yield event.data
                    if event.data["status"] not in OPEN_STATES:
                        return
        except InvalidHandshake:
            api.sign_in()
        except (OSError, ConnectionClosed):
            continue


def _events(socket: ClientConnection, tick: Callable[[], None]) -> Iterator[_Event]:
    """Events until nothing was heard for a while."""
    heard = time.monotonic()
    while time.monotonic() - heard < SILENCE_SECONDS:
        tick()
        try:
            yield msgspec.json.decode(socket.recv(timeout=LISTEN_SECONDS), type=_Event)
        except TimeoutError:
            continue
        heard = time.monotonic()
