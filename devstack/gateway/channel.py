"""The message WebSocket (1688 open platform, push messages): CONNECT, HEARTBEAT, SERVER_PUSH, CONFIRM, CLOSE."""

import asyncio
import hmac
import itertools
from contextlib import suppress
from dataclasses import dataclass, field
from hashlib import md5
from typing import Any

import orjson
from websockets.asyncio.server import ServerConnection
from websockets.exceptions import ConnectionClosed

from .auth import Application
from .clock import Clock
from .outbox import MOST_PUSHES, Fate, Message, Outbox

Json = dict[str, Any]

HELLO_SECONDS = 10.0


def sign_channel(app_key: str, secret: str, moment: int) -> str:
    """Upper-case hex MD5 of secret, key and time."""
    return md5(f"{secret}{app_key}{moment}".encode(), usedforsecurity=False).hexdigest().upper()


@dataclass
class Channel:
    """Everybody who is connected, and how the platform behaves towards them.

    `resend_seconds`: an unconfirmed message is pushed again after so long. `refuse`: nobody gets in. `mute`: who
    connects hears nothing.
    """

    resend_seconds: float = 10.0
    refuse: bool = False
    mute: bool = False
    heartbeats: int = 0
    connects: int = 0
    refused: int = 0
    app: Application | None = None
    clock: Clock = field(default_factory=Clock)
    outbox: Outbox = field(default_factory=lambda: Outbox(""))
    _clients: "list[_Client]" = field(default_factory=list)

    def serves(self, app: Application, clock: Clock, outbox: Outbox) -> None:
        """Whose messages go through it from now on; it behaves well again and counts anew."""
        self.app, self.clock, self.outbox = app, clock, outbox
        self.resend_seconds, self.refuse, self.mute = Channel.resend_seconds, False, False
        self.heartbeats = self.connects = self.refused = 0
        outbox.push = self.push

    def push(self, message: Message) -> bool:
        """Hand a message to the newest connection; False without one."""
        if not self._clients:
            return False
        self._clients[-1].push(message)
        return True

    async def serve(self, connection: ServerConnection) -> None:
        """One connection from its first frame to its end."""
        client = await self._welcomed(connection)
        if client is None:
            return
        self._clients.append(client)
        try:
            await client.read()
        finally:
            self._clients.remove(client)
            client.forsake()

    async def _welcomed(self, connection: ServerConnection) -> "_Client | None":
        try:
            hello = _frame(await asyncio.wait_for(connection.recv(), HELLO_SECONDS))
            if self.refuse or hello.get("type") != "CONNECT" or not self.is_signed(hello):
                self.refused += 1
                await connection.send(_text({"type": "CLOSE"}))
                await connection.close()
                return None
            self.connects += 1
            if not self.mute:
                await connection.send(_text({"type": "CONNECT_ACK", "pubTime": self.clock.now()}))
        except (ConnectionClosed, TimeoutError):
            return None
        return _Client(connection, self)

    def is_signed(self, frame: Json) -> bool:
        """Whether a frame's signature is the app's, of the moment it names."""
        if self.app is None or frame.get("appKey") != self.app.key:
            return False
        expected = sign_channel(self.app.key, self.app.secret, int(frame.get("pubTime") or 0))
        return hmac.compare_digest(str(frame.get("sign")).encode(), expected.encode())

    def close_all(self, *, politely: bool) -> int:
        """End every connection, with a CLOSE frame or without a word; returns how many there were."""
        clients = list(self._clients)
        for client in clients:
            client.end(politely=politely)
        return len(clients)

    def describe(self) -> Json:
        """For the control plane."""
        names = ("resend_seconds", "refuse", "mute", "heartbeats", "connects", "refused")
        return {"connected": len(self._clients), **{name: getattr(self, name) for name in names}}


class _Client:
    """One connection and the messages it has not confirmed yet."""

    def __init__(self, connection: ServerConnection, channel: Channel) -> None:
        self._connection, self._channel = connection, channel
        self._numbers = itertools.count(1)
        self._open: dict[str, Message] = {}
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._sending: set[asyncio.Task[None]] = set()

    async def read(self) -> None:
        with suppress(ConnectionClosed):
            async for text in self._connection:
                frame = _frame(text)
                if frame.get("type") == "HEARTBEAT":
                    self._channel.heartbeats += self._channel.is_signed(frame)
                elif frame.get("type") == "CONFIRM":
                    self._confirmed(str(frame.get("relatedId")))

    def _confirmed(self, push_id: str) -> None:
        timer, message = self._timers.pop(push_id, None), self._open.pop(push_id, None)
        if timer:
            timer.cancel()
        if message:
            self._channel.outbox.confirm([message.id], "websocket")

    def push(self, message: Message) -> None:
        message.pushes += 1
        push_id = f"{message.id}-{next(self._numbers)}"
        self._open[push_id] = message
        now = self._channel.clock.now()
        frame = {"type": "SERVER_PUSH", "id": push_id, "pubTime": now, "msgSource": "REAL", "content": message.text()}
        self._send(frame)
        loop = asyncio.get_running_loop()
        self._timers[push_id] = loop.call_later(self._channel.resend_seconds, self._unheard, push_id)

    def _unheard(self, push_id: str) -> None:
        message = self._open.pop(push_id)
        del self._timers[push_id]
        if message.fate is not Fate.WAITING:
            return
        if message.pushes < MOST_PUSHES:
            self.push(message)
        else:
            self._channel.outbox.give_up(message)

    def end(self, *, politely: bool) -> None:
        if politely:
            self._send({"type": "CLOSE"})
        else:
            self._connection.transport.abort()

    def forsake(self) -> None:
        """Nobody confirms any more."""
        for timer in self._timers.values():
            timer.cancel()
        for message in self._open.values():
            self._channel.outbox.give_up(message)

    def _send(self, frame: Json) -> None:
        task = asyncio.get_running_loop().create_task(self._sent(_text(frame), closes=frame["type"] == "CLOSE"))
        self._sending.add(task)
        task.add_done_callback(self._sending.discard)

    async def _sent(self, text: str, *, closes: bool) -> None:
        with suppress(ConnectionClosed):
            await self._connection.send(text)
            if closes:
                await self._connection.close()


def _text(frame: Json) -> str:
    return orjson.dumps(frame).decode()


def _frame(text: str | bytes) -> Json:
    try:
        frame = orjson.loads(text)
    except orjson.JSONDecodeError:
        return {}
    return frame if isinstance(frame, dict) else {}
