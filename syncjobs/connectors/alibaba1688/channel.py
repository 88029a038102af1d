"""The message WebSocket of 1688 (open platform, push messages): CONNECT, HEARTBEAT, SERVER_PUSH, CONFIRM, CLOSE."""

import time
import uuid
from collections.abc import Iterable
from typing import Any

import msgspec
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection

from syncjobs.connectors.alibaba1688.signing import sign_message_channel
from syncjobs.connectors.registry import Credentials
from syncjobs.connectors.sockets import open_socket
from syncjobs.engine.errors import RetryableSourceError

# The platform's page names ws://; its messages say what the stock is, so nobody may change them on their way.
CHANNEL_URL = "wss://message.1688.com/websocket"
HEARTBEAT_SECONDS = 30.0
ACK_SECONDS = 10.0
MOST_BYTES = 1024 * 1024
# A push that is a test of the console (`msgSource`).
MOCK = "MOCK"


class Push(msgspec.Struct, frozen=True, kw_only=True):
    """A message as it was pushed: `id` is the push's own, for its confirmation."""

    id: Any = None
    type: str = ""
    pub_time: Any = msgspec.field(name="pubTime", default=None)
    source: str = msgspec.field(name="msgSource", default="")
    content: Any = None


class MessageChannel:
    """An open channel of one app; used by one thread. Every method may raise RetryableSourceError: it is broken."""

    def __init__(self, url: str, credentials: Credentials, allowed_hosts: Iterable[str]) -> None:
        """Connect and introduce ourselves.

        Raises:
            FatalSourceError: the address is refused.
            RetryableSourceError: no connection, or the platform does not welcome us.
        """
        self._credentials = credentials
        self._socket: ClientConnection = open_socket(url, allowed_hosts, max_size=MOST_BYTES)
        self._heartbeat_at = 0.0
        try:
            self._introduce()
        except BaseException:
            self.close()
            raise

    def _introduce(self) -> None:
        self._greet("CONNECT")
        deadline = time.monotonic() + ACK_SECONDS
        while (left := deadline - time.monotonic()) > 0:
            frame = self._frame(left)
            if frame is not None and frame.type == "CONNECT_ACK":
                return
        raise RetryableSourceError("The message channel does not answer.", code="timeout")

    def receive(self, timeout: float) -> Push | None:
        """The next pushed message; None when there is none for `timeout` seconds. Keeps the heart beating."""
        if time.monotonic() >= self._heartbeat_at:
            self._greet("HEARTBEAT")
        frame = self._frame(timeout)
        return frame if frame is not None and frame.type == "SERVER_PUSH" else None

    def confirm(self, push: Push, *, milliseconds: int) -> None:
        """Tell the platform that a message is safe, and how long that took; it does not come again."""
        self._send(
            {
                "type": "CONFIRM",
                "id": str(uuid.uuid4()),
                "pubTime": _now(),
                "relatedId": push.id,
                "costInIsv": milliseconds,
                "msgSource": push.source,
                "relatedMsgTime": push.pub_time,
            }
        )

    def close(self) -> None:
        """End the connection. May be called twice."""
        self._socket.close()

    def _greet(self, kind: str) -> None:
        moment = _now()
        sign = sign_message_channel(self._credentials.app_key, self._credentials.app_secret, moment)
        self._send({"type": kind, "pubTime": moment, "sign": sign})
        self._heartbeat_at = time.monotonic() + HEARTBEAT_SECONDS

    def _send(self, frame: dict[str, Any]) -> None:
        try:
            self._socket.send(msgspec.json.encode({"appKey": self._credentials.app_key, **frame}).decode())
        except (ConnectionClosed, OSError):
            raise _broken() from None

    def _frame(self, timeout: float) -> Push | None:
        """The next frame, None for silence and for what is no frame of theirs."""
        try:
            text = self._socket.recv(timeout)
        except TimeoutError:
            return None
        except (ConnectionClosed, OSError):
            raise _broken() from None
        try:
            frame = msgspec.json.decode(text, type=Push)
        except (ValueError, RecursionError):
            return None
        if frame.type == "CLOSE":
            raise RetryableSourceError("The platform closed the message channel.", code="channel_closed")
        return frame


def _broken() -> RetryableSourceError:
    return RetryableSourceError("The message channel broke off.", code="connection_failed")


def _now() -> int:
    return time.time_ns() // 1_000_000
